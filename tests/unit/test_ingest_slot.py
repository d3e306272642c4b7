"""The loop of a slot against a transport and a sink in memory: nothing acknowledged that is not committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from types import TracebackType
from typing import Self

import pytest
from structlog.testing import capture_logs

from ingest.columns import Batch, Outcome, SinkRefused, SinkUnavailable
from ingest.counters import Commit
from ingest.directory import CatalogueDirectory
from ingest.slot import Clocks, IngestSlot, SlotSettings, client_id
from ingest.transport import Frame, TakenOver
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.payload import Reason

KINDS = load_kinds()
CATALOGUE = Catalogue(
    sites=(Site(id="W15", name="Road", basin="west"),),
    sensors=(Sensor(id="W15-F1", site="W15", kind="traffic"),),
)
NOW_US = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
TOPIC = "vigie/1/readings/W15/W15-F1/traffic"


def reading(number: int) -> Frame:
    payload = b'{"time":"2026-03-01T11:00:%02dZ","count":%d}' % (number % 60, number)
    return Frame(TOPIC, payload, NOW_US - 20_000, number, 1)


class MemoryTransport:
    """Hands over the chunks it is given, then waits, or raises what it is told to."""

    def __init__(self, *chunks: list[Frame], then: Exception | None = None) -> None:
        self.acknowledged: list[int | None] = []
        self.published: list[tuple[str, bytes, bool]] = []
        self.closed = False
        self.idle = asyncio.Event()
        self._chunks = list(chunks)
        self._then = then

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True

    async def frames(self, limit: int) -> list[Frame]:
        if self._chunks:
            taken, rest = self._chunks[0][:limit], self._chunks[0][limit:]
            self._chunks[:1] = [rest] if rest else []
            return taken
        if self._then is not None:
            raise self._then
        self.idle.set()
        await asyncio.Event().wait()
        raise AssertionError

    def acknowledge(self, frames: Sequence[Frame]) -> None:
        self.acknowledged += [frame.token for frame in frames]

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        self.published.append((topic, payload, retain))
        return True


@dataclass
class MemorySink:
    """Collects batches; before each write it does what `before` says, which may raise or wait."""

    before: Callable[[int], object] = lambda _: None
    gate: asyncio.Event | None = None
    batches: list[Batch] = field(default_factory=list)
    writing: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0

    async def write(self, batch: Batch) -> Outcome:
        self.attempts += 1
        self.writing.set()
        self.before(self.attempts)
        if self.gate is not None:
            await self.gate.wait()
        self.batches.append(batch)
        rows = sum(len(columns.time_us) for columns in batch.columns)
        return Outcome(rows, 0, 0, len(batch.quarantined))


@dataclass
class Reports:
    commits: list[Commit] = field(default_factory=list)

    def committed(self, commit: Commit) -> None:
        self.commits.append(commit)


async def load() -> Catalogue:
    return CATALOGUE


def slot(transport: MemoryTransport, sink: MemorySink, *, flush_s: float = 5.0, **more: object) -> IngestSlot:
    settings = SlotSettings(batch_frames=10, flush_s=flush_s, first_retry_s=0.001, longest_retry_s=0.002)
    directory = CatalogueDirectory(KINDS, CATALOGUE, more.pop("loader", load))  # type: ignore[arg-type]
    clocks = Clocks(wall_us=lambda: NOW_US, monotonic=lambda: 0.0)
    return IngestSlot(
        2, transport, sink, kinds=KINDS, directory=directory, clocks=clocks, rng=Random(1), settings=settings, **more
    )  # type: ignore[arg-type]


async def run_until_idle(ingest: IngestSlot, transport: MemoryTransport) -> None:
    task = asyncio.create_task(ingest.run())
    await asyncio.wait_for(transport.idle.wait(), 5)
    await cancel(task)


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_everything_that_arrived_is_one_transaction_and_is_acknowledged_after_it() -> None:
    transport = MemoryTransport([reading(1), reading(2)], [reading(3)])
    sink = MemorySink(before=lambda _: order.append(list(transport.acknowledged)))
    order: list[list[int | None]] = []
    await run_until_idle(slot(transport, sink), transport)
    assert order == [[], [1, 2]]
    assert transport.acknowledged == [1, 2, 3]
    assert [batch.slot for batch in sink.batches] == [2, 2]
    assert transport.closed


async def test_a_batch_is_bounded() -> None:
    transport, sink = MemoryTransport([reading(number) for number in range(25)]), MemorySink()
    await run_until_idle(slot(transport, sink), transport)
    assert [len(batch.columns[0].time_us) for batch in sink.batches] == [10, 10, 5]


async def test_an_unavailable_sink_is_tried_again_with_the_same_batch_and_logged_once() -> None:
    def down_twice(attempt: int) -> None:
        if attempt <= 2:
            raise SinkUnavailable("the database is restarting")

    transport, sink = MemoryTransport([reading(1)]), MemorySink(before=down_twice)
    with capture_logs() as logs:
        ingest = slot(transport, sink)
        await run_until_idle(ingest, transport)
    assert (sink.attempts, len(sink.batches), transport.acknowledged) == (3, 1, [1])
    assert ingest.counters.retries == 2
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("sink", "warning"), ("sink: over", "info")]


async def test_a_directory_that_cannot_be_asked_is_waited_for() -> None:
    asked = 0

    async def late() -> Catalogue:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise SinkUnavailable("the database is starting")
        return Catalogue(sites=CATALOGUE.sites, sensors=(Sensor(id="W15-F2", site="W15", kind="traffic"),))

    frame = Frame(TOPIC.replace("F1", "F2"), reading(1).payload, NOW_US, 1, 1)
    transport, sink = MemoryTransport([frame]), MemorySink()
    await run_until_idle(slot(transport, sink, loader=late), transport)
    assert sink.batches[0].columns[0].thing == ["W15-F2"]


async def test_a_batch_that_is_refused_ends_the_slot_and_is_not_acknowledged() -> None:
    def refuse(_: int) -> None:
        raise SinkRefused("no such column")

    transport = MemoryTransport([reading(1)])
    with pytest.raises(SinkRefused, match="no such column"):
        await slot(transport, MemorySink(before=refuse)).run()
    assert transport.acknowledged == []
    assert transport.closed


async def test_a_session_taken_over_ends_the_slot() -> None:
    transport = MemoryTransport([reading(1)], then=TakenOver("another holder"))
    with pytest.raises(TakenOver):
        await slot(transport, MemorySink()).run()
    assert transport.acknowledged == [1]
    assert transport.closed


async def test_cancelled_in_mid_commit_it_commits_acknowledges_and_closes() -> None:
    sink = MemorySink(gate=asyncio.Event())
    transport = MemoryTransport([reading(1)], [reading(2)])
    task = asyncio.create_task(slot(transport, sink).run())
    await sink.writing.wait()
    task.cancel()
    asyncio.get_running_loop().call_soon(sink.gate.set)  # type: ignore[union-attr]
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (len(sink.batches), transport.acknowledged, transport.closed) == (1, [1], True)


async def test_cancelled_while_the_commit_hangs_it_ends_at_the_deadline_unacknowledged() -> None:
    transport, sink = MemoryTransport([reading(1)]), MemorySink(gate=asyncio.Event())
    task = asyncio.create_task(slot(transport, sink, flush_s=0.01).run())
    await sink.writing.wait()
    await cancel(task)
    assert (sink.batches, transport.acknowledged, transport.closed) == ([], [], True)


async def test_cancelled_while_the_sink_is_down_it_ends_unacknowledged() -> None:
    def down(_: int) -> None:
        raise SinkUnavailable("down")

    transport, sink = MemoryTransport([reading(1)]), MemorySink(before=down)
    task = asyncio.create_task(slot(transport, sink).run())
    await sink.writing.wait()
    await cancel(task)
    assert (transport.acknowledged, transport.closed) == ([], True)


async def test_counters_and_reports_say_what_became_of_each_frame() -> None:
    broken = Frame(TOPIC, b"{", NOW_US, 9, 1)
    transport, reports = MemoryTransport([reading(1), broken, reading(2)]), Reports()
    ingest = slot(transport, MemorySink(), observer=reports)
    await run_until_idle(ingest, transport)
    counters = ingest.counters
    assert (counters.frames, counters.committed, counters.quarantined, counters.batches) == (3, 2, 1, 1)
    assert counters.reasons == {Reason.MALFORMED: 1}
    assert counters.last_commit_us == NOW_US
    (commit,) = reports.commits
    assert (commit.slot, commit.frames, commit.oldest_s) == (2, 3, 0.02)


def test_whoever_holds_a_slot_has_the_same_client_id() -> None:
    assert client_id(3) == "vigie-ingest-3"
