"""The measured things, one function each: messages and how long they took, from publishing to the end that counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ingest.slot import client_id
from sensors.catalogue import shipped_catalogue
from service.bench.broker import forget_session
from service.bench.processes import BenchFailed, Helper, IngestProcess
from service.bench.scene import Scene
from service.bench.stream import KIND, Stream, StreamPlan
from service.bench.wire import Work
from service.endpoints import Endpoints
from store.database import Connection, connected
from store.progress import committed_in_all
from store.scratch import copy_prepared, prepared_copy, rows_of

SETTLE_S = 0.3
"""For mosquitto_sub to connect, of which it does not tell; what comes before waits in its session."""
POLL_S = 0.005
"""How often the database is asked how much is committed."""
STALLED_S = 60.0
"""Without a message committed for so long, the measurement has failed."""
COPY_ROWS = 4_000
"""Readings in one transaction of `copy_only`: as many as in the largest batch of ingest."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Messages, the wall clock's seconds for them, and the CPU of the client that took them."""

    messages: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0

    def __add__(self, other: Measured) -> Measured:
        return Measured(self.messages + other.messages, self.elapsed_s + other.elapsed_s, self.cpu_s + other.cpu_s)

    @property
    def rate(self) -> float:
        return self.messages / self.elapsed_s

    @property
    def cpu_us(self) -> float:
        """CPU per message."""
        return self.cpu_s / self.messages * 1e6


async def broker_only(scene: Scene, messages: int) -> Measured:
    """Publish to the last message read by mosquitto_sub."""
    discarder = scene.discarder()
    await discarder.subscribe()
    async with _publisher(scene, scene.plan(messages)) as publisher:
        reading = asyncio.create_task(discarder.read(messages), name="bench mosquitto_sub")
        await asyncio.sleep(SETTLE_S)
        publisher.go()
        published = await publisher.done()
        ended_s = await reading
    await asyncio.to_thread(forget_session, scene.broker_url, discarder.client_id)
    return Measured(messages, ended_s - published.started_s)


async def broker_drain(scene: Scene, messages: int) -> Measured:
    """Start of mosquitto_sub to the last message of a backlog that waits for it."""
    discarder = scene.discarder()
    await discarder.subscribe()
    async with _publisher(scene, scene.plan(messages)) as publisher:
        publisher.go()
        await publisher.done()
    started_s = time.monotonic()
    ended_s = await discarder.read(messages)
    await asyncio.to_thread(forget_session, scene.broker_url, discarder.client_id)
    return Measured(messages, ended_s - started_s)


async def vigie(scene: Scene, messages: int, settings: Mapping[str, str]) -> Measured:
    """Publish to the commit of the last message by `vigie ingest`, counted in the table afterwards."""
    async with _ingesting(scene) as (endpoints, conn), _publisher(scene, scene.plan(messages)) as publisher:
        async with IngestProcess.subscribed(endpoints, settings) as ingest:
            cpu_s = ingest.cpu_s
            publisher.go()
            ended_s = await _committed(conn, messages)
            cpu_s = ingest.cpu_s - cpu_s
            published = await publisher.done()
        await _check_table(scene, conn, messages)
    return Measured(messages, ended_s - published.started_s, cpu_s)


async def drain(scene: Scene, messages: int, settings: Mapping[str, str]) -> Measured:
    """SUBACK of `vigie ingest` to the commit of the last message of a backlog that waited for it."""
    async with _ingesting(scene) as (endpoints, conn):
        async with IngestProcess.subscribed(endpoints, settings):
            """Only to make the session."""
        async with _publisher(scene, scene.plan(messages)) as publisher:
            publisher.go()
            await publisher.done()
        async with IngestProcess.subscribed(endpoints, settings) as ingest:
            started_s, cpu_s = time.monotonic(), ingest.cpu_s
            ended_s = await _committed(conn, messages)
            cpu_s = ingest.cpu_s - cpu_s
        await _check_table(scene, conn, messages)
    return Measured(messages, ended_s - started_s, cpu_s)


async def naive(scene: Scene, messages: int) -> Measured:
    """Publish to the last commit of the straightforward service."""
    async with scene.endpoints() as endpoints:
        plan = scene.plan(messages)
        work = Work(endpoints.broker_url, plan, endpoints.database_url)
        async with Helper.prepared("naive", work) as service, _publisher(scene, plan) as publisher:
            service.go()
            publisher.go()
            published = await publisher.done()
            served = await service.done()
        async with connected(endpoints.database_url, name="bench") as conn:
            await _check_table(scene, conn, messages)
    return Measured(messages, served.ended_s - published.started_s, served.cpu_s)


async def copy_only(scene: Scene, messages: int) -> Measured:
    """Prepared buffers straight into the hypertable: what the database alone can take."""
    stream, kind = Stream(scene.plan(messages), shipped_catalogue()), scene.kinds[KIND]
    starts = range(0, messages, COPY_ROWS)
    buffers = [prepared_copy(stream.columns(kind, start, start + COPY_ROWS)) for start in starts]
    async with scene.endpoints() as endpoints, connected(endpoints.database_url, name="bench") as conn:
        started_s = time.monotonic()
        await copy_prepared(conn, kind, buffers)
        elapsed_s = time.monotonic() - started_s
        await _check_table(scene, conn, messages)
    return Measured(messages, elapsed_s)


@asynccontextmanager
async def _ingesting(scene: Scene) -> AsyncIterator[tuple[Endpoints, Connection]]:
    """A database to ingest into and a second connection to it; the session at the broker goes with it."""
    async with scene.endpoints() as endpoints:
        async with connected(endpoints.database_url, name="bench") as conn:
            yield endpoints, conn
        await asyncio.to_thread(forget_session, scene.broker_url, client_id(0))


@asynccontextmanager
async def _publisher(scene: Scene, plan: StreamPlan) -> AsyncIterator[Helper]:
    async with Helper.prepared("publisher", Work(scene.broker_url, plan)) as publisher:
        yield publisher


async def _committed(conn: Connection, messages: int) -> float:
    """Wait until that many are committed; the time on the monotonic clock when they were seen to be."""
    before, moved_s = 0, time.monotonic()
    while True:
        found, now_s = await committed_in_all(conn), time.monotonic()
        if found >= messages:
            return now_s
        if found > before:
            before, moved_s = found, now_s
        elif now_s - moved_s > STALLED_S:
            raise BenchFailed(f"{found} of {messages} messages are committed and nothing moves")
        await asyncio.sleep(POLL_S)


async def _check_table(scene: Scene, conn: Connection, messages: int) -> None:
    rows = await rows_of(conn, scene.kinds[KIND])
    if rows != messages:
        raise BenchFailed(f"{messages} messages were published and {rows} are in the table")
