"""The API on the real database, its streams through a real uvicorn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from api.app import broadcasting, create_app
from api.server import serve
from ingest.columns import Batch
from sensors.kind import Kinds
from sensors.level import Level, Verdict
from store.api_queries import DatabaseSource
from store.catalogue import seed
from store.database import Pool, connected
from store.events import NewEvent, append_events
from store.rollups import update_rollups
from store.states import State, StepResult, commit_step
from store.writer import SlotSink

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
KEY = f"vigie_{'k' * 43}"
READINGS = "/v1/sensors/W01-F1/readings"
Event = dict[str, str]


@pytest.fixture
async def source(migrated_url: str) -> AsyncIterator[DatabaseSource]:
    await seed(migrated_url)
    async with Pool(migrated_url, name="api", size=4) as pool:
        yield DatabaseSource(pool, migrated_url)


@pytest.fixture
async def client(source: DatabaseSource, kinds: Kinds, bearer: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(source, kinds, now=lambda: NOW + timedelta(hours=6))
    transport = httpx.ASGITransport(app)
    async with (
        broadcasting(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=bearer) as client,
    ):
        yield client


@pytest.fixture
async def url(source: DatabaseSource, kinds: Kinds) -> AsyncIterator[str]:
    """The app behind a real server; leaving it with streams open must take less than 5 s."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(create_app(source, kinds), "127.0.0.1", 0, ready.set_result), name="serve")
    yield await asyncio.wait_for(ready, 10)
    serving.cancel()
    async with asyncio.timeout(5):
        with suppress(asyncio.CancelledError):
            await serving


@asynccontextmanager
async def stream(url: str, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    async with (
        httpx.AsyncClient(timeout=10, headers={"authorization": f"Bearer {KEY}"}) as client,
        client.stream("GET", url + "v1/alerts/stream", headers=headers) as response,
        aclosing(_events(response)) as events,
    ):
        yield events


async def _events(response: httpx.Response) -> AsyncGenerator[Event]:
    event: Event = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name and value:
            event[name] = value
        elif not line and "data" in event:
            yield event
            event = {}


def began(subject: str = "W01-F1") -> NewEvent:
    return NewEvent(NOW, "vigie.congestion.began.v1", subject, {"level": "congested"})


async def append(url: str, *events: NewEvent) -> list[int]:
    async with connected(url, name="writer") as conn, conn.transaction():
        return await append_events(conn, events)


async def test_a_transaction_held_open_across_a_later_commit_hides_nothing(url: str, migrated_url: str) -> None:
    async with stream(url) as events, connected(migrated_url, name="slow") as slow:
        assert (await anext(events))["event"] == "snapshot"
        async with slow.transaction():
            (held,) = await append_events(slow, [began("W01-F1")])
            later = asyncio.create_task(append(migrated_url, began("W01-F2")), name="later")
            await until_waiting(migrated_url)
        (second,) = await later
        ids = [int((await anext(events))["id"]) for _ in range(2)]
    assert ids == [held, second]


async def until_waiting(url: str) -> None:
    """Until somebody waits for the lock of the feed: then the later writer has begun."""
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
    async with asyncio.timeout(10), connected(url, name="observer") as conn:
        while True:
            row = await (await conn.execute(waiting)).fetchone()
            if row is not None and row[0]:
                return


async def test_a_stream_that_resumes_misses_nothing(url: str, migrated_url: str) -> None:
    first = await append(migrated_url, *[began()] * 5)
    seen: list[str] = []
    async with stream(url, **{"last-event-id": "0"}) as events:
        seen += [(await anext(events))["id"] for _ in range(3)]
    missed = await append(migrated_url, *[began()] * 5)
    async with stream(url, **{"last-event-id": seen[-1]}) as events:
        seen += [(await anext(events))["id"] for _ in range(7)]
        live = await append(migrated_url, began())
        seen.append((await anext(events))["id"])
    assert seen == [str(id_) for id_ in (*first, *missed, *live)]


@pytest.mark.prove
async def test_a_client_that_reconnects_a_hundred_times_while_others_write_misses_nothing(
    url: str, migrated_url: str
) -> None:
    async def write() -> list[int]:
        return [id_ for _ in range(300) for id_ in await append(migrated_url, began(), began())]

    seen = ["0"]
    writing = asyncio.gather(write(), write())
    for _ in range(100):
        async with stream(url, **{"last-event-id": seen[-1]}) as events:
            seen += await ids_of(events, 10)
    written = sorted(id_ for ids in await writing for id_ in ids)
    async with stream(url, **{"last-event-id": seen[-1]}) as events:
        seen += await ids_of(events, 200)
    assert [int(id_) for id_ in seen[1:]] == written


async def ids_of(events: AsyncIterator[Event], count: int) -> list[str]:
    """The ids of the next alerts, heartbeats left out."""
    found: list[str] = []
    while len(found) < count:
        if "id" in (event := await anext(events)):
            found.append(event["id"])
    return found


async def test_many_writers_at_once_are_all_in_the_stream_and_in_order(url: str, migrated_url: str) -> None:
    async with stream(url) as events:
        await anext(events)
        written = await asyncio.gather(*(append(migrated_url, began(), began()) for _ in range(20)))
        seen = [int((await anext(events))["id"]) for _ in range(40)]
    assert seen == sorted(id_ for ids in written for id_ in ids)


async def test_a_stream_outlives_the_connections_to_the_database(url: str, migrated_url: str) -> None:
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('vigie api', 'vigie feed')"
    async with stream(url) as events:
        await anext(events)
        with psycopg.connect(migrated_url, autocommit=True) as conn:
            conn.execute(cut)
        await append(migrated_url, began())
        assert json.loads((await anext(events))["data"])["subject"] == "W01-F1"


async def test_states_are_those_that_analytics_wrote(client: httpx.AsyncClient, migrated_url: str) -> None:
    state = State("W01-F1", NOW, Level.CONGESTED, NOW, Verdict.TRAFFIC, {"speed_kmh": 21.5, "count": None})
    async with connected(migrated_url, name="analytics") as conn:
        await commit_step(conn, StepResult("analytics", {0: 1}, [state], events=[began()]), now=NOW)
    states = {item["sensor"]: item for item in (await client.get("/v1/states")).json()["items"]}
    alerts = (await client.get("/v1/alerts")).json()
    assert states["W01-F1"]["level"] == "congested"
    assert states["W01-F1"]["value"] == {"field": "speed_kmh", "unit": "km/h", "value": 21.5}
    assert states["W01-F1"]["since"] == "2026-03-02T08:00:00Z"
    assert [item["time"] for item in alerts["items"]] == ["2026-03-02T08:00:00Z"]


async def test_readings_at_every_resolution(
    client: httpx.AsyncClient, migrated_url: str, kinds: Kinds, make_batch: Callable[..., Batch]
) -> None:
    seconds = [float(s) for s in range(0, 7200, 30) if not 900 <= s < 1800]
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(make_batch(seconds, value=[s / 100 for s in seconds]))
    async with connected(migrated_url, name="rollup") as conn:
        await update_rollups(conn, kinds, limit_rows=10_000)
    span = {"from": "2026-03-02T08:00:00Z", "to": "2026-03-02T10:00:00Z"}
    raw, means, hours, days = [
        (await client.get(READINGS, params={**span, "resolution": name})).json() for name in ("raw", "5min", "1h", "1d")
    ]
    assert raw["values"]["count"] == [pytest.approx(s / 100) for s in seconds]
    assert raw["values"]["speed_kmh"] == [None] * len(seconds)
    assert len(means["time"]) == 24 - 3
    assert (means["values"]["count"][0], means["low"]["count"][0], means["high"]["count"][0]) == (1.35, 0.0, 2.7)
    assert means["coverage"][0] == 1
    assert hours["time"] == ["2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"]
    assert hours["coverage"] == [0.75, 1.0]
    assert hours["values"]["count"][0] == pytest.approx(sum(s / 100 for s in seconds if s < 3600) / 90, rel=1e-5)
    assert (hours["low"]["count"], hours["high"]["count"][1]) == ([0.0, 36.0], pytest.approx(71.7))
    assert days["time"] == ["2026-03-02T00:00:00Z"]
    assert days["coverage"] == [pytest.approx(1.75 / 24)]


async def test_means_that_late_readings_changed_are_marked(
    client: httpx.AsyncClient, migrated_url: str, kinds: Kinds, make_batch: Callable[..., Batch]
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, connected(migrated_url, name="test") as conn:
        for seconds in ([0.0, 300.0], [30.0]):
            await sink.write(make_batch(seconds))
            await update_rollups(conn, kinds, limit_rows=10_000)
            await conn.execute("update traffic_5min set opened_at = time")
    span = {"from": "2026-03-02T08:00:00Z", "to": "2026-03-02T10:00:00Z"}
    means, hours, raw = [
        (await client.get(READINGS, params={**span, "resolution": name})).json() for name in ("5min", "1h", "raw")
    ]
    assert (means["revised"], hours["revised"], raw["revised"]) == ([True, False], [False], None)


async def test_at_most_2000_points_and_the_rest_from_next(
    client: httpx.AsyncClient, migrated_url: str, kinds: Kinds, make_batch: Callable[..., Batch]
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(make_batch([float(s) for s in range(2500)]))
    span = {"from": "2026-03-02T08:00:00Z", "to": "2026-03-02T10:00:00Z", "resolution": "raw"}
    first = (await client.get(READINGS, params=span)).json()
    rest = (await client.get(READINGS, params={**span, "from": first["next"]})).json()
    assert (len(first["time"]), len(rest["time"]), rest["next"]) == (2000, 500, None)
    assert first["time"][-1] < rest["time"][0]


async def test_passages_carry_their_texts(
    client: httpx.AsyncClient, migrated_url: str, kinds: Kinds, make_batch: Callable[..., Batch]
) -> None:
    passage = kinds["passage"]
    columns = tuple(["in"] if "in" in text.choices else [None] for text in passage.texts)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(make_batch([1.0], kind=passage, things=["W07-G1"], value=2.0, texts=columns))
    async with connected(migrated_url, name="rollup") as conn:
        await update_rollups(conn, kinds, limit_rows=10_000)
    span = {"from": "2026-03-02T08:00:00Z", "to": "2026-03-02T10:00:00Z", "kind": "passage"}
    raw = (await client.get("/v1/sensors/W07-G1/readings", params=span)).json()
    means = (await client.get("/v1/sensors/W07-G1/readings", params={**span, "resolution": "1h"})).json()
    assert raw["texts"]["direction"] == ["in"]
    assert means["coverage"] == [None]


async def test_readiness_names_who_is_not_at_work(
    client: httpx.AsyncClient, migrated_url: str, kinds: Kinds, make_batch: Callable[..., Batch]
) -> None:
    assert await failing(client) == ["ingest"]
    async with SlotSink.open(migrated_url, 3, kinds) as sink:
        assert await failing(client) == []
        await sink.write(make_batch([0.0], slot=3))
        assert await failing(client) == ["analytics"]
        async with connected(migrated_url, name="analytics") as conn:
            await commit_step(conn, StepResult("analytics", {3: 1}), now=NOW)
        assert await failing(client) == []
        detail = (await client.get("/readyz")).json()["checks"][1]["detail"]
        assert detail.startswith("at slots 3; last batch committed 0 s ago")


async def failing(client: httpx.AsyncClient) -> list[str]:
    return [check["name"] for check in (await client.get("/readyz")).json()["checks"] if not check["ok"]]


async def test_a_database_that_cannot_be_reached_is_503(kinds: Kinds, bearer: dict[str, str]) -> None:
    url = "postgresql://vigie@127.0.0.1:1/vigie"
    async with Pool(url, name="api", size=1) as pool:
        transport = httpx.ASGITransport(create_app(DatabaseSource(pool, url), kinds))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=bearer) as client:
            response = await client.get("/v1/states")
    assert (response.status_code, response.json()["type"]) == (503, "urn:vigie:problem:database-unavailable")


async def test_what_of_a_sensor_is_stored_is_told_by_boot_the_latest_first(
    client: httpx.AsyncClient, migrated_url: str
) -> None:
    with psycopg.connect(migrated_url, autocommit=True) as conn:
        conn.execute(
            "insert into sequence (thing, boot, begun, highest, given_up, quarantined) values"
            " ('W07-G1', 1, 10, 99, -1, '{}'), ('W07-G1', 2, 20, 40, -1, '{8}'), ('W07-G2', 1, 10, 5, -1, '{}')"
        )
        conn.execute("insert into sequence_gap (thing, boot, first_seq, last_seq) values ('W07-G1', 2, 12, 15)")
        conn.execute("insert into sequence_quarantined values ('W07-G1', 2, 8, now())")
    receipts = (await client.get("/v1/sensors/W07-G1")).json()["receipts"]
    told = [[one[key] for key in ("boot", "settled", "highest", "missing", "quarantined")] for one in receipts]
    assert told == [[2, 11, 40, 4, 1], [1, 99, 99, 0, 0]]
