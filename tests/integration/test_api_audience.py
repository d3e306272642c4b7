"""A terminal's key on the real database: its own rows, alarms to act on and receivers, and nothing of others."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from making import some_situation

from analytics.alarms.conditions import SITUATIONS, Happening
from analytics.alarms.desk import Desk
from analytics.alarms.rulebook import shipped_rules
from analytics.alarms.standing import Clocks
from analytics.situations.cause import Cause, Hint
from analytics.situations.headline import Headlines
from analytics.situations.situation import Notice, Situation, Span, Spillback, Step
from analytics.situations.situation import State as Course
from api.access.scopes import FOR_TERMINALS
from api.app import create_app
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from sensors.level import Level, Verdict
from service.access import give
from service.situating import situation_event, situation_rows
from store.alarms.standing import load_standing, save_standing
from store.api_queries import DatabaseSource
from store.catalogue import seed
from store.database import Pool, connected
from store.events import NewEvent, append_events
from store.migrate import migrate
from store.states import State, StepResult, commit_step

CopyOf = Callable[[str, Callable[[str], None]], AbstractContextManager[str]]

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
US = int(NOW.timestamp()) * 1_000_000
CATALOGUE = shipped_catalogue()
HEADLINES = Headlines(CATALOGUE, load_kinds())
OWN = {site.id for site in CATALOGUE.sites if site.terminal == "SEYA"}
ELSEWHERE = {site.id for site in CATALOGUE.sites} - OWN
OTHERS = re.compile(rf"\b({'|'.join([*ELSEWHERE, 'EURFO', 'MET', 'TCP', 'TRS'])})\b")
WITHOUT_ROWS = {"openapi", "list_schemas", "show_schema", "show_coast"}
"""Whose answers are of no installation."""
MORE = """
insert into subscription (kind, name, target, choice, heartbeat, language, state, cursor, salt, created_by, terminal)
select kind, name, target, choice, heartbeat, language, state, cursor, salt, created_by, terminal
from subscription cross join generate_series(1, 19) where terminal = 'SEYA'"""
HOOK = {"kind": "webhook", "target": "https://receiver.example/", "choice": {"types": ["vigie.alarm.*"]}}


def at(site: str, **other: Any) -> Situation:
    """A queue at the gate of a site that names a road behind it, a gate that caused it, and what it came from."""
    gates = tuple(sensor.id for sensor in CATALOGUE.sensors if sensor.site == site and sensor.kind == "gate")
    values = {
        "id": f"20260302T071200Z-{gates[0] if gates else site}",
        "kind": "gate",
        "sites": (site,),
        "at_us": US,
        "onset_us": US - 60_000_000,
        "places": gates,
        "sensors": gates,
        "head": site,
        "tail": "W03-W07",
        "length_m": None,
        "cause": Cause.SURGE,
        "causes": (
            Hint(Cause.SURGE, 0.9, {"gate": "W05"}),
            Hint(Cause.ACCIDENT, 0.4, {"after": "20260302T060000Z-W12-F1"}),
        ),
        "parent": "20260302T070000Z-W12-F1",
        "spillback": Spillback("W02-W03", "W03", 690.0, 0.6, US + 600_000_000),
        "spans": tuple(Span(gate, US, None) for gate in gates),
    }
    return some_situation(**(values | other))


SITUATIONS_TOLD = (at("W07"), at("W05"), at("W07", id="20260302T071300Z-W07-G2", sites=("W03", "W07")))


async def fill(url: str) -> None:
    """The same at the terminal, at another one, and at both a road and the terminal."""
    await seed(url)
    states = [
        State(sensor.id, NOW, Level.JAMMED, NOW, Verdict.TRAFFIC, {})
        for sensor in CATALOGUE.sensors
        if sensor.kind == "gate"
    ]
    told = [situation_event(Notice(Step.BEGAN, one), HEADLINES) for one in SITUATIONS_TOLD]
    told += [
        NewEvent(NOW, "vigie.sensor.faulty.v1", site, {"site": site, "evidence": {"as": "E01-G1", "share": 1.0}})
        for site in ("W07", "W05")
    ]
    rows = situation_rows([], SITUATIONS_TOLD, HEADLINES)
    async with connected(url, name="fill") as conn:
        await commit_step(conn, StepResult("analytics", {0: 1}, states, events=told, situations=rows), now=NOW)
        desk = Desk(shipped_rules(), CATALOGUE, SITUATIONS, standing=(), maintenance=())
        await keep(conn, desk, told)
        part = situation_event(Notice(Step.CHANGED, at("W07", state=Course.PART)), HEADLINES)
        standing = await load_standing(conn, shipped_rules())
        await keep(conn, Desk(shipped_rules(), CATALOGUE, SITUATIONS, standing=standing, maintenance=()), [part])


async def keep(conn: Any, desk: Desk, told: list[NewEvent]) -> None:
    for event in told:
        desk.take(Happening(event.time, event.type, event.subject, event.data), NOW)
    desk.settle(Clocks(NOW))
    async with conn.transaction():
        await append_events(conn, await save_standing(conn, desk.changed(), now=NOW))


@pytest.fixture
def url(copy_of: CopyOf, with_key: Callable[[str], Awaitable[None]]) -> Iterator[str]:
    async def prepare(url: str) -> None:
        await migrate(url, load_kinds())
        await with_key(url)
        await fill(url)

    with copy_of("a terminal and others", lambda url: asyncio.run(prepare(url))) as url:
        yield url


@pytest.fixture
async def app(url: str) -> AsyncIterator[FastAPI]:
    async with Pool(url, name="api", size=4) as pool:
        yield create_app(DatabaseSource(pool, url), load_kinds(), now=lambda: NOW)


class Asking:
    """Somebody with a key."""

    def __init__(self, app: FastAPI, key: str) -> None:
        headers = {"authorization": f"Bearer {key}"}
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost", headers=headers
        )

    async def __call__(self, method: str, path: str, status: int = 200, body: Any = None) -> Any:
        answer = await self.client.request(method, path, json=body)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None


@pytest.fixture
async def seayard(app: FastAPI, url: str) -> Asking:
    return await asking(app, url, terminal="SEYA")


@pytest.fixture
async def port(app: FastAPI, url: str, bearer: dict[str, str]) -> Asking:
    return Asking(app, bearer["authorization"].removeprefix("Bearer "))


async def asking(app: FastAPI, url: str, **rest: Any) -> Asking:
    async with connected(url, name="test") as conn:
        key, _ = await give(conn, "key", f"of {rest}", scopes=["operate", "integrate"], **rest)
    return Asking(app, key)


def found_in(app: FastAPI, method: str) -> list[str]:
    """The paths of the operations that a terminal's key may use, streams left out: they do not end."""
    paths = app.openapi()["paths"].items()
    return [
        path
        for path, operations in paths
        if (name := operations.get(method, {}).get("operationId")) in FOR_TERMINALS - WITHOUT_ROWS
        and not name.startswith("stream_")
    ]


async def test_no_answer_to_a_terminals_key_names_anything_of_others(
    app: FastAPI, seayard: Asking, port: Asking
) -> None:
    """Every operation that reads, asked for what is its own and for what is another's."""
    mine = await seayard("POST", "/v1/subscriptions", 201, {"name": "planner", **HOOK})
    theirs = await port("POST", "/v1/subscriptions", 201, {"name": "planner of W05", **HOOK})
    alarms = {alarm["subject"]: alarm["id"] for alarm in (await port("GET", "/v1/alarms"))["items"]}
    whole, shown = {}, {}
    for path in found_in(app, "get"):
        for ids, found in (
            ({"sensor": "W07-G1", "terminal": "SEYA", "situation": at("W07").id, "alarm": alarms[at("W07").id]}, 200),
            ({"sensor": "W05-G1", "terminal": "EURFO", "situation": at("W05").id, "alarm": alarms[at("W05").id]}, 404),
        ):
            filled = path.format(**ids, subscription=(mine if found == 200 else theirs)["id"])
            if found == 200 or filled != path:
                answer = await seayard.client.get(filled)
                assert answer.status_code == found, f"{filled}: {answer.text}"
            if found == 200:
                shown[path] = answer.text
                whole[path] = (await port.client.get(filled)).text
    others = {path: OTHERS.findall(text) for path, text in shown.items()}
    assert {path: names for path, names in others.items() if names} == {}
    hiding = {path for path, text in whole.items() if OTHERS.search(text)}
    assert hiding >= {"/v1/situations", "/v1/situations/{situation}", "/v1/alarms/{alarm}", "/v1/alerts", "/v1/states"}


async def test_a_terminal_sees_its_own_situations_and_how_they_go_on(seayard: Asking, port: Asking) -> None:
    (one,) = (await seayard("GET", "/v1/situations"))["items"]
    assert one["situation"] == at("W07").id
    assert [(hint["what"], hint["evidence"]) for hint in one["causes"]] == [("surge", {}), ("accident", {})]
    assert (one["parent"], one["spillback"], one["tail"]) == (None, None, "W07")
    assert await seayard("GET", "/v1/situations?site=W05") == {"items": [], "next": None}
    assert len((await port("GET", "/v1/situations"))["items"]) == 3
    await seayard("GET", f"/v1/situations/{SITUATIONS_TOLD[2].id}", 404)


async def test_a_terminal_acts_on_its_own_alarms_alone(app: FastAPI, seayard: Asking, port: Asking) -> None:
    alarms = {alarm["subject"]: alarm for alarm in (await port("GET", "/v1/alarms"))["items"]}
    mine, theirs, both = (alarms[one.id]["id"] for one in SITUATIONS_TOLD)
    assert [alarm["id"] for alarm in (await seayard("GET", "/v1/alarms?kind=gate"))["items"]] == [mine]
    body = {"comment": "seen", "done": ["call_made"], "minutes": 10, "reason": "known", "right": True}
    paths = [path for path in found_in(app, "post") if path.startswith("/v1/alarms/")]
    assert len(paths) == 6
    for path in paths:
        for alarm in (theirs, both):
            await seayard("POST", path.format(alarm=alarm), 404, _body_of(app, path, body))
    shown = await seayard("POST", f"/v1/alarms/{mine}/acknowledge", 200, {"comment": "we have it"})
    assert shown["history"][-1]["who"] == "of {'terminal': 'SEYA'}"
    assert OTHERS.findall(str(shown)) == []
    trails = [(await port("GET", f"/v1/alarms/{alarm}"))["history"] for alarm in (theirs, both)]
    assert [step["action"] for trail in trails for step in trail] == ["raise", "raise"]


def _body_of(app: FastAPI, path: str, values: dict[str, Any]) -> dict[str, Any]:
    """Of what there is, what the operation takes."""
    content = app.openapi()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    name = re.search(r"schemas/(\w+)", str(content))
    assert name
    takes = app.openapi()["components"]["schemas"][name[1]]["properties"]
    return {key: value for key, value in values.items() if key in takes}


async def test_a_terminal_knows_its_own_receivers_alone(app: FastAPI, seayard: Asking, port: Asking, url: str) -> None:
    eurofos = await asking(app, url, terminal="EURFO")
    mine, theirs, all_of_it = [
        await one("POST", "/v1/subscriptions", 201, {"name": "planner", **HOOK}) for one in (seayard, eurofos, port)
    ]
    assert [one["terminal"] for one in (mine, theirs, all_of_it)] == ["SEYA", "EURFO", None]
    assert [one["id"] for one in (await seayard("GET", "/v1/subscriptions"))["items"]] == [mine["id"]]
    assert len((await port("GET", "/v1/subscriptions"))["items"]) == 3
    for method in ("patch", "post", "delete"):
        for path in found_in(app, method):
            if "{subscription}" in path:
                for other in (theirs, all_of_it):
                    filled = path.format(subscription=other["id"], event=1)
                    await seayard(method.upper(), filled, 404, {"after": 0} if path.endswith("replay") else {})
    assert {one["state"] for one in (await port("GET", "/v1/subscriptions"))["items"]} == {"pending"}
    with psycopg.connect(url) as conn:
        conn.execute(MORE)
    await seayard("POST", "/v1/subscriptions", 409, {"name": "one too many", **HOOK})
    await eurofos("POST", "/v1/subscriptions", 201, {"name": "another", **HOOK})
