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
from store.migrate import migrate

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="session")
def kinds() -> Kinds:
    """Those of gates and of what stands in a terminal."""
    return Kinds({name: load_kinds()[name] for name in ("gate", "passage", "yard", "crane", "reefer", "traffic")})


@pytest.fixture
async def url(database_url: str, kinds: Kinds) -> str:
    await migrate(database_url, kinds)
    await seed(database_url)
    return database_url


@pytest.fixture
async def client(url: str, kinds: Kinds) -> AsyncIterator[httpx.AsyncClient]:
    async with Pool(url, name="api", size=4) as pool:
        app = create_app(DatabaseSource(pool, url), kinds, now=lambda: NOW)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost/v1") as client:
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
