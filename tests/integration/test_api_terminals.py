"""Terminals over HTTP on the real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from sensors.kind import Kinds, load_kinds
from store.api_queries import DatabaseSource
from store.catalogue import seed
from store.database import Pool

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="session")
def kinds() -> Kinds:
    """Those of gates and of what stands in a terminal."""
    return Kinds({name: load_kinds()[name] for name in ("gate", "passage", "yard", "crane", "reefer", "traffic")})


@pytest.fixture
async def url(migrated_url: str) -> str:
    await seed(migrated_url)
    return migrated_url


@pytest.fixture
async def client(url: str, kinds: Kinds, bearer: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with Pool(url, name="api", size=4) as pool:
        app = create_app(DatabaseSource(pool, url), kinds, now=lambda: NOW)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost/v1", headers=bearer
        ) as client:
            yield client


def put(url: str, statement: str, *rows: tuple[Any, ...]) -> None:
    with psycopg.connect(url, autocommit=True) as conn, conn.cursor() as cursor:
        cursor.executemany(statement.encode(), rows)


def turns(url: str, *rows: tuple[datetime, list[int], int, int, int]) -> None:
    put(url, "insert into turn_hour values ('SEYA', %s, %s, %s, %s, %s)", *rows)


async def test_terminals_are_listed_with_what_they_have(client: httpx.AsyncClient) -> None:
    items = {item["terminal"]: item for item in (await client.get("/terminals")).json()["items"]}
    assert set(items) == {"EURFO", "SEYA", "MET", "TCP", "TRS"}
    assert items["SEYA"] == {
        "terminal": "SEYA",
        "name": "Seayard",
        "locode": "FRFOS",
        "sites": ["W07", "W08"],
        "gates": ["W07-G1", "W07-G2", "W07-G3"],
        "yards": ["W08-Y1", "W08-Y2", "W08-Y3", "W08-Y4"],
        "cranes": ["W08-S1", "W08-S2"],
        "racks": ["W08-R1"],
    }


async def test_a_terminal_now_has_its_worst_levels_and_its_turns(client: httpx.AsyncClient, url: str) -> None:
    state = (
        "insert into state (sensor, time, level, since, verdict, value, updated_at) values (%s, %s, %s, %s, %s, %s, %s)"
    )
    put(url, state, *[(name, NOW, level, NOW, "traffic", "{}", NOW) for name, level in (("W07-G1", 3), ("W07-G2", 0))])
    put(url, state, ("W05-G1", NOW, 2, NOW, "traffic", "{}", NOW))
    hour = NOW.replace(minute=0)
    turns(url, (hour - HOUR, [1700] * 20, 5, 0, 0), (hour, [1900] * 20, 30, 0, 1), (hour - 4 * HOUR, [9000], 0, 9, 9))
    shown = (await client.get("/terminals/SEYA")).json()
    assert shown["levels"] == {"gate": "jammed", "yard": "unknown", "crane": "unknown", "reefer": "unknown"}
    assert shown["lorries_inside"] == 35
    assert shown["turn_time"] == {
        "turns": 40,
        "p50_s": 1800.0,
        "p90_s": 1900.0,
        "p95_s": 1900.0,
        "unpaired_in": 0,
        "unpaired_out": 1,
    }
    assert {state["sensor"] for state in shown["states"]} >= {"W07-G1", "W08-S2", "W08-R1"}


async def test_where_a_recording_is_played_now_is_its_newest_reading(client: httpx.AsyncClient, url: str) -> None:
    then = NOW - timedelta(days=400)
    put(url, "update site set clock = %s", ("recording",))
    state = (
        "insert into state (sensor, time, level, since, verdict, value, updated_at) values (%s, %s, 0, %s, %s, %s, %s)"
    )
    put(url, state, ("W07-G1", then, then, "traffic", "{}", NOW))
    turns(url, (then.replace(minute=0), [1700] * 20, 5, 0, 0))
    shown = (await client.get("/terminals/SEYA")).json()
    assert (shown["lorries_inside"], shown["turn_time"]["turns"]) == (5, 20)
    assert (await client.get("/terminals/SEYA/turn-time")).json()["to"] == "2025-01-26T07:34:00Z"
    assert (await client.get("/terminals/SEYA/appointments")).json()["from"] == "2025-01-25T07:00:00Z"


async def test_turn_times_come_by_the_hour_and_in_all(client: httpx.AsyncClient, url: str) -> None:
    hour = NOW.replace(minute=0)
    turns(
        url,
        (hour - HOUR, list(range(1000, 3000, 100)), 0, 2, 0),
        (hour, [1500], 3, 0, 1),
        (hour - 30 * HOUR, [1], 0, 0, 0),
    )
    shown = (await client.get("/terminals/SEYA/turn-time", params={"from": "2026-03-02T06:20:00Z"})).json()
    assert (shown["from"], shown["to"]) == ("2026-03-02T06:00:00Z", "2026-03-02T07:34:00Z")
    assert shown["total"] == {
        "turns": 21,
        "p50_s": 1900.0,
        "p90_s": 2700.0,
        "p95_s": 2800.0,
        "unpaired_in": 2,
        "unpaired_out": 1,
    }
    assert [(h["hour"], h["turns"], h["p50_s"], h["p95_s"]) for h in shown["hours"]] == [
        ("2026-03-02T06:00:00Z", 20, 1950.0, 2805.0),
        ("2026-03-02T07:00:00Z", 1, None, None),
    ]


@pytest.mark.parametrize("path", ["", "/turn-time"])
async def test_an_unknown_terminal_is_named(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(f"/terminals/NOPE{path}")
    assert response.status_code == 404
    assert response.json()["type"] == "urn:vigie:problem:unknown-terminal"
    assert "EURFO, MET, SEYA, TCP, TRS" in response.json()["detail"]


async def test_a_range_that_cannot_be_is_refused(client: httpx.AsyncClient) -> None:
    for start in ("2026-03-02T08:00:00Z", "2025-03-02T08:00:00Z"):
        response = await client.get("/terminals/SEYA/turn-time", params={"from": start})
        assert response.status_code == 422, start


PLAN = {
    "slots": [{"hour": "2026-03-02T07:00:00+01:00", "booked": 80}, {"hour": "2026-03-02T08:00:00+01:00", "booked": 60}]
}
CSV = "hour,booked\n2026-03-02T07:00+01:00,80\n2026-03-02T08:00+01:00,60\n"


async def test_a_plan_is_taken_as_json_or_csv_and_a_second_time_changes_nothing(client: httpx.AsyncClient) -> None:
    path, as_csv = "/terminals/SEYA/appointments", {"content-type": "text/csv; charset=utf-8"}
    first = await client.put(path, json=PLAN)
    assert (first.status_code, first.json()) == (200, {"terminal": "SEYA", "hours": 2, "changed": 2})
    assert (await client.put(path, content=CSV, headers=as_csv)).json()["changed"] == 0
    assert (await client.put(path, content=CSV.replace("60", "61"), headers=as_csv)).json()["changed"] == 1
    shown = (await client.get(path)).json()
    assert [(hour["hour"], hour["booked"], hour["arrived"]) for hour in shown["hours"]] == [
        ("2026-03-02T06:00:00Z", 80, None),
        ("2026-03-02T07:00:00Z", 61, None),
    ]


async def test_the_same_key_gives_the_same_answer(client: httpx.AsyncClient) -> None:
    path, key = "/terminals/SEYA/appointments", {"idempotency-key": "monday"}
    answers = [await client.put(path, json=PLAN, headers=key) for _ in range(2)]
    assert [answer.json()["changed"] for answer in answers] == [2, 2]
    assert answers[1].headers["idempotent-replay"] == "true"


async def test_a_plan_with_mistakes_changes_nothing_and_each_is_named(client: httpx.AsyncClient) -> None:
    slots = [{"hour": "2026-03-02T07:00", "booked": 80}, {"hour": "2026-03-02T07:00Z", "booked": -1}, PLAN["slots"][0]]
    response = await client.put("/terminals/SEYA/appointments", json={"slots": slots})
    problem = response.json()
    assert (response.status_code, problem["type"]) == (422, "urn:vigie:problem:invalid-parameter")
    assert [(error["parameter"], error["where"]) for error in problem["errors"]] == [
        ("slots[0], hour", "body"),
        ("slots[1], booked", "body"),
    ]
    assert not (await client.get("/terminals/SEYA/appointments")).json()["hours"]


@pytest.mark.parametrize(
    ("content_type", "content", "status", "slug"),
    [
        ("text/plain", CSV, 415, "unsupported-media-type"),
        (None, CSV, 415, "unsupported-media-type"),
        ("text/csv", CSV + "\n" * 300_000, 413, "body-too-long"),
        ("application/json", CSV, 422, "invalid-parameter"),
    ],
)
async def test_a_plan_that_is_none_is_refused(
    client: httpx.AsyncClient, content_type: str | None, content: str, status: int, slug: str
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = await client.put("/terminals/SEYA/appointments", content=content.encode(), headers=headers)
    assert (response.status_code, response.json()["type"]) == (status, f"urn:vigie:problem:{slug}")


async def test_a_page_of_somebody_else_may_not_give_a_plan(client: httpx.AsyncClient) -> None:
    response = await client.put("/terminals/SEYA/appointments", json=PLAN, headers={"origin": "https://example.com"})
    assert response.status_code == 403


async def test_booked_arrived_and_no_shows_by_the_hour(client: httpx.AsyncClient, url: str) -> None:
    hour = NOW.replace(minute=0) - HOUR
    counted = "insert into gate_1h (sensor, time, readings, coverage, arrivals_mean) values (%s, %s, 114, %s, %s)"
    put(url, counted, ("W07-G1", hour, 0.95, 0.4), ("W07-G2", hour, 0.95, 0.2), ("W07-G3", hour, 0.95, 0.9))
    put(url, counted, ("W07-G1", hour - HOUR, 0.95, 0.4), ("W07-G2", hour - HOUR, 0.5, 0.4))
    slots = [{"hour": (hour + n * HOUR).isoformat(), "booked": 80} for n in (-1, 0, 1)]
    await client.put("/terminals/SEYA/appointments", json={"slots": slots})
    shown = (await client.get("/terminals/SEYA/appointments", params={"from": "2026-03-02T00:00:00Z"})).json()
    assert [(hour["booked"], hour["arrived"], hour["no_shows"]) for hour in shown["hours"]] == [
        (80, None, None),  # one gate delivered half of its readings
        (80, 72, 8),  # 114 readings of 0.6 in 95 % of the hour
        (80, None, None),  # it is not over
    ]
    assert shown["total"] == {"booked": 80, "arrived": 72, "no_shows": 8, "no_show_share": 0.1}


async def test_at_a_gate_for_both_ways_those_who_were_let_in_have_arrived(client: httpx.AsyncClient, url: str) -> None:
    hour = NOW.replace(minute=0) - HOUR
    put(url, "insert into gate_1h (sensor, time, readings, coverage) values (%s, %s, 120, 1)", ("E03-G1", hour))
    passage = """
    insert into passage (sensor, time, received_at, batch, quality, lane, direction) values (%s, %s, %s, 1, 0, 1, %s)"""
    ways = ["in", "out", "in", "in"]
    put(url, passage, *[("E03-G1", hour + n * HOUR / 9, NOW, way) for n, way in enumerate(ways)])
    shown = (await client.get("/terminals/TCP/appointments")).json()
    assert [(hour["booked"], hour["arrived"]) for hour in shown["hours"]] == [(None, 3)]


def gate_rows(url: str, gate: str, count: int, **told: float) -> None:
    base = {"queue_trucks": 40.0, "lanes_open": 4.0, "service_s": 90.0, "arrivals": 1.0, "departures": 1.0, **told}
    statement = f"""
    insert into gate (sensor, time, received_at, batch, quality, {", ".join(base)})
    values (%s, %s, %s, 1, 0, {", ".join(["%s"] * len(base))})"""  # noqa: S608  names of columns
    put(url, statement, *[(gate, NOW - n * HOUR / 120, NOW, *base.values()) for n in range(count)])


async def test_the_outlook_foretells_each_gate_for_two_hours(client: httpx.AsyncClient, url: str) -> None:
    gate_rows(url, "W07-G1", 240)
    gate_rows(url, "W07-G3", 240, queue_trucks=0, arrivals=0.5, departures=0.5)
    slots = [{"hour": (NOW.replace(minute=0) + n * HOUR).isoformat(), "booked": 80} for n in (-1, 0, 1)]
    await client.put("/terminals/SEYA/appointments", json={"slots": slots})
    shown = (await client.get("/terminals/SEYA/outlook")).json()
    assert (shown["terminal"], shown["at"]) == ("SEYA", "2026-03-02T07:34:00Z")
    assert [(hour["hour"][11:16], hour["booked"]) for hour in shown["plan"]] == [
        ("07:00", 80),
        ("08:00", 80),
        ("09:00", None),
    ]
    entry, silent, exit_ = shown["gates"]
    assert [(gate["gate"], len(gate["steps"]), gate["hampered"]) for gate in shown["gates"]] == [
        ("W07-G1", 8, False),
        ("W07-G2", 0, None),
        ("W07-G3", 8, False),
    ]
    assert [step["time"] for step in entry["steps"][:2]] == ["2026-03-02T07:49:00Z", "2026-03-02T08:04:00Z"]
    assert entry["steps"][0]["wait_s"] > entry["steps"][-1]["wait_s"] >= 0
    assert all(step["low_s"] <= step["wait_s"] <= step["high_s"] for step in entry["steps"])
    assert [hour["hour"][11:16] for hour in entry["hours"]] == ["07:00", "08:00", "09:00"]
    assert silent["hours"] == []
    assert exit_["direction"] == "out"


async def test_the_outlook_of_an_earlier_instant_knows_nothing_later(client: httpx.AsyncClient, url: str) -> None:
    gate_rows(url, "W07-G1", 240)
    before = (NOW - HOUR / 2).isoformat()
    first = (await client.get("/terminals/SEYA/outlook", params={"at": before})).json()
    gate_rows(url, "W07-G2", 20, queue_trucks=100)
    assert (await client.get("/terminals/SEYA/outlook", params={"at": before})).json() == first
    assert first["at"] == "2026-03-02T07:04:00Z"


async def test_without_fresh_readings_there_is_no_outlook(client: httpx.AsyncClient, url: str) -> None:
    gate_rows(url, "W07-G1", 10)
    shown = (await client.get("/terminals/SEYA/outlook", params={"at": (NOW + HOUR).isoformat()})).json()
    assert shown["at"] is None
    assert [gate["steps"] for gate in shown["gates"]] == [[], [], []]


async def test_a_lorry_ban_is_shown_by_counts(client: httpx.AsyncClient, url: str) -> None:
    statement = """
    insert into traffic (sensor, time, received_at, batch, quality, count, hgv_share)
    values (%s, %s, %s, 1, %s, %s, %s)"""
    shares = {"W12-F1": 0.1, "W12-F2": 0.0, "W15-F3": 0.1, "W15-F4": 0.0, "W14-F1": 0.5, "W14-F2": 0.1}
    instants = [NOW - n * HOUR / 120 for n in range(1, 121)]
    put(url, statement, *[(name, at, at, 0, 10, share) for name, share in shares.items() for at in instants])
    put(url, statement, ("W12-F1", NOW - HOUR / 7, NOW, 2, 1000, 1.0))  # distrusted
    asked = {"from": (NOW - HOUR).isoformat()}
    (ban,) = (await client.get("/lorry-ban", params=asked)).json()["items"]
    assert (ban["ban"], ban["objective"], ban["baseline_origin"]) == ("RN568-FOS", -0.8, "detour")
    # 120 readings of 10 vehicles an hour: 28,800 a day and lane.
    assert (ban["lorries_day"], ban["detour_day"], ban["baseline_day"]) == (5760.0, 17280.0, 23040.0)
    assert (ban["change"], ban["objective_met"]) == (-0.75, False)
    point = next(point for point in ban["points"] if point["on"] == "stretch" and point["site"] == "W12")
    assert (point["name"], point["direction"], point["hgv_share"], point["coverage"]) == (
        "La Fenouillère",
        "Arles",
        0.05,
        1,
    )
    assert [(day["day"], day["change"]) for day in ban["days"]] == [("2026-03-02T00:00:00Z", -0.75)]
    beside = [point["lorries_day"] for point in ban["points"] if point["on"] == "beside"]
    assert beside == [None, None]
    given = (await client.get("/lorry-ban", params={**asked, "baseline_day": 28800})).json()["items"][0]
    assert (given["change"], given["objective_met"], given["baseline_origin"]) == (-0.8, True, "given")
