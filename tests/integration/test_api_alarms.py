"""Alarms over HTTP on the real database: lists, actions with their versions and keys, load, shift, hand-over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from analytics.alarms.conditions import CONGESTION, Happening
from analytics.alarms.desk import Desk
from analytics.alarms.rulebook import shipped_rules
from analytics.alarms.standing import Clocks
from api.app import create_app
from sensors.catalogue import shipped_catalogue
from sensors.kind import Kinds
from service.access import give
from store.alarms.standing import load_maintenance, load_standing, save_standing
from store.api_queries import DatabaseSource
from store.catalogue import seed
from store.database import Pool, connected
from store.events import append_events

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Watch:
    """The clock of the tests, and what comes in from the feed at it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = NOW

    async def happens(self, type_: str, subject: str, *, minutes: float = 0, **data: Any) -> None:
        """Let the desk deal with one event, `minutes` later."""
        self.now += minutes * MINUTE
        async with connected(self.url, name="desk") as conn, conn.transaction():
            standing = await load_standing(conn, shipped_rules())
            works = await load_maintenance(conn, self.now)
            desk = Desk(shipped_rules(), shipped_catalogue(), CONGESTION, standing=standing, maintenance=works)
            desk.take(Happening(self.now, f"vigie.{type_}.v1", subject, data), self.now)
            desk.settle(Clocks(self.now))
            await append_events(conn, await save_standing(conn, desk.changed(), now=self.now))

    async def jam(self, thing: str = "W07-G1", verb: str = "began", *, minutes: float = 0, **data: Any) -> None:
        kind = shipped_catalogue().sensor_by_id[thing].kind
        data = {"kind": kind, "site": thing[:3], "level": "jammed", "evidence": {"wait_s": 3700.0}, **data}
        await self.happens(f"congestion.{verb}", thing, minutes=minutes, **data)


@pytest.fixture
async def watch(migrated_url: str) -> Watch:
    await seed(migrated_url)
    return Watch(migrated_url)


@pytest.fixture
async def client(watch: Watch, kinds: Kinds, bearer: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with Pool(watch.url, name="api", size=4) as pool:
        app = create_app(DatabaseSource(pool, watch.url), kinds, now=lambda: watch.now)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/v1", headers=bearer) as client:
            yield client


@pytest.fixture
def events(watch: Watch) -> Callable[[], list[Any]]:
    def read() -> list[Any]:
        with psycopg.connect(watch.url) as conn:
            return conn.execute("select type, subject, data from event order by id").fetchall()

    return read


async def post(client: httpx.AsyncClient, path: str, status: int = 200, **rest: Any) -> Any:
    response = await client.post(path, **rest)
    assert response.status_code == status, response.text
    return response.json()


async def test_an_alarm_is_shown_with_response_evidence_arithmetic_and_history(
    client: httpx.AsyncClient, watch: Watch
) -> None:
    await watch.jam()
    (listed,) = (await client.get("/alarms")).json()["items"]
    shown = (await client.get(f"/alarms/{listed['id']}")).json()
    assert listed.items() <= shown.items()
    assert (shown["state"], shown["priority"], shown["sites"]) == ("unacknowledged", "medium", ["W07"])
    assert shown["arithmetic"]["words"] == "3 (jammed) x 1.5 (unknown) x 1 (gate) = 4.5: medium, from 3"
    assert shown["response"]["call"]["fr"] == "Le chef de poste du terminal."
    assert shown["evidence"]["evidence"] == {"wait_s": 3700.0}
    assert shown["respond_by"] == "2026-03-02T07:49:00Z"
    (step,) = shown["history"]
    assert (step["who"], step["action"], step["from"], step["to"]) == ("vigie", "raise", "normal", "unacknowledged")
    assert "acknowledge" in shown["actions"]


LISTS = (
    ("", ["W12-F1", "W07-G1", "W05-G1"]),
    ("open=true", ["W12-F1", "W07-G1"]),
    ("open=false", ["W05-G1"]),
    ("state=acknowledged&state=normal", ["W07-G1", "W05-G1"]),
    ("site=W12", ["W12-F1"]),
    ("terminal=SEYA", ["W07-G1"]),
    ("kind=gate", ["W07-G1", "W05-G1"]),
    ("rule=road_congested", ["W12-F1"]),
    ("level=congested", ["W12-F1"]),
    ("priority=high", []),
    ("from=2026-03-02T07:35:00Z", ["W12-F1", "W07-G1"]),
    ("from=2026-03-02T07:30:00Z&to=2026-03-02T07:35:00Z", ["W05-G1"]),
    ("limit=1", ["W12-F1"]),
    ("before=3&limit=1", ["W07-G1"]),
)


async def test_a_terminals_key_sees_the_alarms_of_its_own_sites_alone(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam("W05-G1")
    await watch.jam("W07-G1", minutes=1)
    await watch.jam("W12-F1", minutes=1)
    async with connected(watch.url, name="test") as conn:
        key, _ = await give(conn, "key", "Seayard", scopes=["admin"], terminal="SEYA")
    client.headers["authorization"] = f"Bearer {key}"
    for query in ("", "?site=W07", "?open=true"):
        assert [one["subject"] for one in (await client.get(f"/alarms{query}")).json()["items"]] == ["W07-G1"]
    assert (await client.get("/alarms?terminal=EURFO")).json()["items"] == []
    assert [(await client.get(f"/alarms/{number}")).status_code for number in (1, 2, 3)] == [404, 200, 404]
    await post(client, "/alarms/2/acknowledge")
    await post(client, "/alarms/1/acknowledge", 404)
    await post(client, "/shift", 403, json={"operator": "M. Durand"})


async def test_alarms_are_listed_by_what_is_asked(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam("W05-G1")
    await watch.jam("W07-G1", minutes=1)
    await watch.jam("W12-F1", minutes=1, level="congested")
    await post(client, "/alarms/1/acknowledge")
    await post(client, "/alarms/2/acknowledge")
    await watch.jam("W05-G1", "ended", minutes=1)
    for query, found in LISTS:
        page = (await client.get(f"/alarms?{query}")).json()
        assert [alarm["subject"] for alarm in page["items"]] == found, query
        assert (page["next"] is not None) == ("limit" in query)


async def test_every_action_is_in_the_history_with_who_and_why_and_in_the_feed(
    client: httpx.AsyncClient, watch: Watch, events: Callable[[], list[Any]]
) -> None:
    await watch.jam()
    await post(client, "/alarms/1/acknowledge", json={"comment": "seen"})
    await post(
        client, "/alarms/1/respond", json={"done": ["call_made", "sign_set", "call_made"], "comment": "two lanes"}
    )
    await post(client, "/alarms/1/shelve", json={"reason": "works", "minutes": 30})
    await post(client, "/alarms/1/unshelve")
    await post(client, "/alarms/1/comment", json={"comment": "a third lane opens"})
    shown = await post(client, "/alarms/1/confirm", json={"right": True})
    steps = [(s["who"], s["action"], s["to"], s["why"], s["said"]) for s in shown["history"][1:]]
    assert steps == [
        ("operator", "acknowledge", "acknowledged", "seen", []),
        ("operator", "respond", "acknowledged", "two lanes", ["call_made", "sign_set"]),
        ("operator", "shelve", "shelved", "works", []),
        ("operator", "unshelve", "unacknowledged", "", []),
        ("operator", "comment", "unacknowledged", "a third lane opens", []),
        ("operator", "confirm", "unacknowledged", "", ["true"]),
    ]
    assert (shown["confirmed"], shown["version"]) == (True, 7)
    told = events()[1:]
    assert [(type_, data["action"]) for type_, _, data in told[:4]] == [
        ("vigie.alarm.changed.v1", "acknowledge"),
        ("vigie.alarm.changed.v1", "respond"),
        ("vigie.alarm.changed.v1", "shelve"),
        ("vigie.alarm.raised.v1", "unshelve"),
    ]
    assert "operator" not in str(told)
    assert "lane" not in str([data for _, _, data in told])


async def test_recording_what_was_done_answers_the_alarm(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam()
    shown = await post(client, "/alarms/1/respond", json={"done": ["police_told"]})
    assert [step["action"] for step in shown["history"]] == ["raise", "acknowledge", "respond"]
    assert shown["state"] == "acknowledged"


async def test_what_looks_personal_is_masked(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam()
    shown = await post(client, "/alarms/1/comment", json={"comment": "lorry AB-123-CD, driver 06 12 34 56 78"})
    assert shown["history"][-1]["why"] == "lorry [redacted], driver [redacted]"


async def test_an_action_on_another_version_is_refused(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam()
    etag = (await client.get("/alarms/1")).headers["etag"]
    assert (await client.get("/alarms/1", headers={"if-none-match": etag})).status_code == 304
    response = await client.post("/alarms/1/acknowledge", headers={"if-match": etag})
    assert (response.status_code, response.headers["etag"]) == (200, '"2"')
    late = await post(client, "/alarms/1/shelve", 412, json={"reason": "w", "minutes": 5}, headers={"if-match": etag})
    assert late["type"] == "urn:vigie:problem:version-differs"
    assert (await client.get("/alarms/1", headers={"if-none-match": etag})).status_code == 200


async def test_the_same_key_gives_the_same_answer_and_acts_once(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam()
    send = {"json": {"comment": "once"}, "headers": {"idempotency-key": "k1"}}
    first = await client.post("/alarms/1/comment", **send)
    answers = await asyncio.gather(*(client.post("/alarms/1/comment", **send) for _ in range(5)))
    assert {answer.content for answer in answers} == {first.content}
    assert {answer.headers.get("idempotent-replay") for answer in answers} == {"true"}
    assert "idempotent-replay" not in first.headers
    assert len((await client.get("/alarms/1")).json()["history"]) == 2
    send["json"] = {"comment": "another"}
    reused = await post(client, "/alarms/1/comment", 422, **send)
    assert reused["type"] == "urn:vigie:problem:idempotency-key-reused"


async def test_keys_at_the_same_time_act_once(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam()
    send = {"json": {"comment": "once"}, "headers": {"idempotency-key": "k2"}}
    answers = await asyncio.gather(*(client.post("/alarms/1/comment", **send) for _ in range(8)))
    assert len({answer.content for answer in answers}) == 1
    assert len((await client.get("/alarms/1")).json()["history"]) == 2


async def test_a_refused_action_leaves_its_key_free(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam()
    send = {"headers": {"idempotency-key": "k3"}}
    await post(client, "/alarms/1/unshelve", 409, **send)
    await post(client, "/alarms/1/shelve", json={"reason": "works", "minutes": 5})
    assert (await post(client, "/alarms/1/unshelve", **send))["state"] == "unacknowledged"


REFUSED = (
    ("unshelve", None, 409, "action-not-possible", "possible now: acknowledge, shelve"),
    ("shelve", {"reason": "w", "minutes": 481}, 422, "invalid-parameter", "less than or equal to 480"),
    ("shelve", {"reason": "w", "until": "2026-03-02T16:00:00Z"}, 409, "action-not-possible", "8 hours"),
    ("shelve", {"reason": " ", "minutes": 5}, 422, "invalid-parameter", "at least 1 character"),
    ("shelve", {"reason": "w"}, 422, "invalid-parameter", "either `until` or `minutes`"),
    ("shelve", {"reason": "w", "until": "2026-03-02T08:00:00"}, 422, "invalid-parameter", "timezone"),
    ("respond", {"done": ["prayed"]}, 422, "invalid-parameter", "call_made"),
    ("respond", {"done": []}, 422, "invalid-parameter", "at least 1 item"),
    ("comment", {"comment": "x" * 501}, 422, "invalid-parameter", "at most 500"),
)


async def test_what_cannot_be_done_says_why(client: httpx.AsyncClient, watch: Watch) -> None:
    await watch.jam()
    for path, body, status, slug, names in REFUSED:
        refused = await post(client, f"/alarms/1/{path}", status, json=body)
        assert refused["type"] == f"urn:vigie:problem:{slug}"
        assert names in refused["detail"]
    assert (await post(client, "/alarms/99/acknowledge", 404))["type"] == "urn:vigie:problem:unknown-alarm"


async def test_precision_comes_from_what_people_said(client: httpx.AsyncClient, watch: Watch) -> None:
    for number, right in enumerate((True, True, False), 1):
        await watch.jam()
        await post(client, f"/alarms/{number}/confirm", json={"right": right})
        await post(client, f"/alarms/{number}/acknowledge")
        await watch.jam(verb="ended", minutes=1)
    kpi = (await client.get("/kpi")).json()
    assert kpi["precision"] == [{"sensor": "W07-G1", "right": 2, "wrong": 1, "precision": 0.6667}]
    assert kpi["chattering"] == []


async def test_kpi_measures_the_load(client: httpx.AsyncClient, watch: Watch) -> None:
    for sensor in ("W05-G1", "W05-G2", "W07-G1", "W07-G2"):
        await watch.jam(sensor, minutes=0.1)
    await watch.jam("W12-F1", abnormality="unusual", minutes=1)
    await watch.jam("W12-F1", "changed", abnormality="unusual", minutes=6)
    kpi = (await client.get("/kpi", params={"from": "2026-03-02T07:34:00Z", "to": "2026-03-02T07:54:00Z"})).json()
    assert (kpi["alarms"], kpi["per_10min"], kpi["busiest_10min"], kpi["escalated"]) == (5, 2.5, 5, 1)
    assert kpi["priorities"] == {"low": 0, "medium": 4, "high": 1}
    assert kpi["worst_sources"][0]["count"] == 1
    watch.now += timedelta(hours=25)
    assert len((await client.get("/kpi")).json()["stale"]) == 5


async def test_who_is_on_duty_is_handed_over(client: httpx.AsyncClient, watch: Watch) -> None:
    assert (await client.get("/shift")).json() == {"present": None, "earlier": []}
    await post(client, "/shift", 201, json={"operator": "M. Durand"})
    watch.now += timedelta(hours=8)
    taken = await post(client, "/shift", 201, json={"operator": "Mme Petit", "note": "queue at Seayard"})
    assert (taken["operator"], taken["ended"]) == ("Mme Petit", None)
    found = (await client.get("/shift")).json()
    assert found["present"] == taken
    assert [(one["operator"], one["ended"]) for one in found["earlier"]] == [("M. Durand", "2026-03-02T15:34:00Z")]


async def test_maintenance_takes_out_of_service_and_its_end_calls_at_once(
    client: httpx.AsyncClient, watch: Watch, events: Callable[[], list[Any]]
) -> None:
    plan = {"range": "sensor", "target": "W07-G1", "reason": "new camera", "ends": "2026-03-02T09:00:00Z"}
    work = await post(client, "/maintenance", 201, json=plan)
    await watch.jam(minutes=1)
    (alarm,) = (await client.get("/alarms")).json()["items"]
    assert (alarm["state"], alarm["hidden_by"]) == ("out_of_service", "maintenance: new camera")
    watch.now += MINUTE
    ended = await post(client, f"/maintenance/{work['id']}/end")
    assert (ended["ends"], ended["ended_by"]) == ("2026-03-02T07:36:00Z", "operator")
    await watch.happens("nothing", "W07-G1")
    assert (await client.get("/alarms")).json()["items"][0]["state"] == "unacknowledged"
    assert (await client.get("/maintenance")).json()["items"] == []
    assert len((await client.get("/maintenance?past=true")).json()["items"]) == 1
    await post(client, f"/maintenance/{work['id']}/end", 404)
    assert [type_ for type_, _, _ in events() if "maintenance" in type_] == [
        "vigie.maintenance.planned.v1",
        "vigie.maintenance.ended.v1",
    ]


IMPOSSIBLE = (
    ({"target": "W99-X1"}, "target"),
    ({"range": "terminal", "target": "W07"}, "target"),
    ({"ends": "2026-03-02T07:00:00Z"}, "ends"),
    ({"ends": "2026-05-02T07:00:00Z"}, "ends"),
    ({"reason": ""}, "reason"),
)


async def test_maintenance_that_cannot_be_is_refused(client: httpx.AsyncClient) -> None:
    for change, parameter in IMPOSSIBLE:
        plan = {"range": "site", "target": "W07", "reason": "power", "ends": "2026-03-02T09:00:00Z"} | change
        assert parameter in (await post(client, "/maintenance", 422, json=plan))["errors"][0]["parameter"]


async def test_the_next_shift_is_told_what_it_must_know(client: httpx.AsyncClient, watch: Watch) -> None:
    await post(client, "/shift", 201, json={"operator": "M. *Durand*"})
    for sensor in ("W05-G1", "W07-G1", "W12-F1", "W15-F1"):
        await watch.jam(sensor, minutes=1)
    await post(client, "/alarms/1/respond", json={"done": ["call_made"], "comment": "terminal opens a lane"})
    await post(client, "/alarms/2/shelve", json={"reason": "works", "minutes": 60})
    await watch.happens("sensor.faulty", "W12-F1", fault="stuck", site="W12")
    await post(client, "/alarms/4/confirm", json={"right": False})
    plan = {"range": "site", "target": "E05", "reason": "power", "ends": "2026-03-02T12:00:00Z"}
    await post(client, "/maintenance", 201, json=plan)
    watch.now += MINUTE
    told = (await client.get("/handover")).json()
    parts = {
        name: [one["alarm"]["subject"] for one in told[name]] for name in ("unanswered", "in_hand", "shelved", "muted")
    }
    assert parts == {
        "unanswered": ["W15-F1", "W12-F1"],
        "in_hand": ["W05-G1"],
        "shelved": ["W07-G1"],
        "muted": ["W12-F1"],
    }
    assert told["in_hand"][0]["last_note"] == "terminal opens a lane"
    assert (told["operator"], told["alarms"], len(told["false_alarms"])) == ("M. *Durand*", 5, 1)
    response = await client.get("/handover?language=fr", headers={"accept": "text/markdown"})
    assert response.headers["content-type"].startswith("text/markdown")
    text = response.text
    assert text.startswith("# Relève, 02/03/2026 08:39\n")
    assert "Poste de M. \\*Durand\\*, depuis 08:34." in text
    assert "appel passé, terminal opens a lane" in text
    assert "jusqu\u2019à 09:38" in text
    assert "## Maintenance\n\n- E05\u00a0: power, jusqu\u2019à 13:00" in text
    english = (await client.get("/handover?language=en&format=markdown")).text
    assert english.startswith("# Hand-over, 02/03/2026 08:39")
    assert "**URGENT** Traffic congested (W15): since 08:38" in english
