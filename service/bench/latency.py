"""`vigie bench latency`: from publishing a reading to its commit, at the rate of a port and not at that of a benchmark.

A reading's `time` is the instant before its packet is handed to the socket. Its commit is the instant at which a second
connection receives the notification of its batch, which PostgreSQL sends only after the commit; same machine, same
clock. What is told is therefore a little more than what it took.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from ingest.slot import client_id
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.errors import OperatorError
from sensors.kind import Field, Kind, Kinds
from sensors.payload import PayloadCodec
from sensors.topics import reading_topic
from service.bench.broker import forget_session
from service.bench.processes import BenchFailed, IngestProcess
from service.bench.scene import Say, Scene, scene
from service.clocks import wall_us
from service.settings import Settings
from simulators.publish import Publisher
from store.database import Connection, connected
from store.scratch import batch_notices, batches_by_time

WARM_UP_S = 2.0
"""Not counted: the first readings make chunks, plans and routes."""
_PATIENCE_S = 10.0
"""For the last commits."""

Figures = dict[str, float]


class TooManySensors(OperatorError):  # noqa: N818  a wrong argument
    """More sensors than the catalogue has."""


class Source(NamedTuple):
    """Something of the shipped port that publishes."""

    topic: str
    codec: PayloadCodec
    values: dict[str, float | str | None]


async def bench_latency(settings: Settings, kinds: Kinds, sensors: int, seconds: float, say: Say) -> Figures:
    """Let `sensors` of the port publish once a second each, evenly spread, for `seconds`; milliseconds."""
    sources = _sources(shipped_catalogue(), kinds, sensors)
    async with scene(settings, kinds, say) as stage:
        latency_us = await _measure(stage, sources, seconds)
    if not latency_us:
        raise BenchFailed(f"no reading was published after the first {WARM_UP_S:g} s: give more --seconds")
    p50, p99, longest = np.percentile(latency_us, [50, 99, 100]).tolist()
    found = {"p50_ms": p50, "p99_ms": p99, "max_ms": longest}
    return {"sensors": sensors, "readings": len(latency_us), **{name: round(us / 1e3, 2) for name, us in found.items()}}


def _sources(catalogue: Catalogue, kinds: Kinds, wanted: int) -> Sequence[Source]:
    """Sensors first, then corridors, whose travel times their reader publishes."""
    things = [(s.site, s.id, s.kind) for s in catalogue.sensors if kinds[s.kind].subject == "sensor"]
    of_corridors = [name for name, kind in kinds.items() if kind.subject == "corridor"]
    things += [(c.to_site, c.id, name) for name in of_corridors for c in catalogue.corridors]
    if wanted > len(things):
        raise TooManySensors(f"--sensors {wanted}: the shipped port has {len(things)} sensors and corridors")
    return [
        Source(reading_topic(site, thing, kind), PayloadCodec(kinds[kind]), _values(kinds[kind]))
        for site, thing, kind in things[:wanted]
    ]


def _values(kind: Kind) -> dict[str, float | str | None]:
    values: dict[str, float | str | None] = {field.name: _middle(field) for field in kind.fields}
    return values | {text.name: text.choices[0] for text in kind.texts if text.choices}


def _middle(field: Field) -> float:
    low = field.low or 0.0
    return (low + (low + 10.0 if field.high is None else field.high)) / 2


async def _measure(stage: Scene, sources: Sequence[Source], seconds: float) -> list[int]:
    """Microseconds from publish to commit of each reading."""
    async with (
        stage.endpoints() as endpoints,
        connected(endpoints.database_url, name="bench") as conn,
        IngestProcess.subscribed(endpoints, {}),
        Publisher(endpoints.broker_url, "bench-latency") as publisher,
        _noting(endpoints.database_url) as noted,
    ):
        counted_from_us = wall_us() + round(WARM_UP_S * 1e6)
        sent = await _publish(publisher, sources, WARM_UP_S + seconds)
        batches = await _all_batches(conn, stage.kinds, sent)
        found = [noted[batch] - time_us for batch, time_us in batches if time_us >= counted_from_us]
    await asyncio.to_thread(forget_session, stage.broker_url, client_id(0))
    return found


async def _publish(publisher: Publisher, sources: Sequence[Source], seconds: float) -> int:
    """Each source once a second; how many readings were sent."""
    loop = asyncio.get_running_loop()
    started, sent = loop.time(), 0
    for number in range(round(seconds * len(sources))):
        await asyncio.sleep(started + number / len(sources) - loop.time())
        topic, codec, values = sources[number % len(sources)]
        time = datetime.fromtimestamp(wall_us() / 1e6, UTC)
        await publisher.publish(topic, codec.encode(time, values, seq=number // len(sources), boot=1))
        sent += 1
    await publisher.drain()
    return sent


async def _all_batches(conn: Connection, kinds: Kinds, sent: int) -> list[tuple[int, int]]:
    """Batch and time in microseconds of every reading, once all are stored."""
    async with asyncio.timeout(_PATIENCE_S):
        # Nothing tells that a table is complete; the notices come per batch.
        while len(found := await batches_by_time(conn, kinds)) < sent:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


@asynccontextmanager
async def _noting(url: str) -> AsyncIterator[dict[int, int]]:
    """When each batch was heard to be committed, in microseconds since 1970 UTC."""
    noted: dict[int, int] = {}
    async with connected(url, name="bench notices") as conn:
        listening = asyncio.Event()

        async def note() -> None:
            async for batch in batch_notices(conn, listening.set):
                noted[batch] = wall_us()

        task = asyncio.create_task(note(), name="bench notices")
        await listening.wait()
        try:
            yield noted
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
