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

from ingest.columns import Batch, Outcome, SinkRefused, SinkUnavailable, SlotLost
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


@dataclass
class PickySink(MemorySink):
    """Refuses every batch that holds one of the counts in `poison`; `order` is what was stored, one entry a reading."""

    poison: frozenset[int] = frozenset()
    order: list[int] = field(default_factory=list)

    async def write(self, batch: Batch) -> Outcome:
        counts = [int(count) for columns in batch.columns for count in columns.values[:, 0]]
        if self.poison.intersection(counts):
            self.attempts += 1
            raise SinkRefused("22021: not a text")
        outcome = await super().write(batch)
        self.order += counts
        return outcome


@pytest.mark.parametrize("poison", [{0}, {9}, {4, 5}, {3, 17, 24}, set(range(25))])
async def test_poison_goes_to_quarantine_alone_and_the_rest_is_stored_in_order(poison: set[int]) -> None:
    transport = MemoryTransport([reading(number) for number in range(25)])
    sink = PickySink(poison=frozenset(poison))
    await run_until_idle(ingest := slot(transport, sink), transport)
    assert sink.order == [number for number in range(25) if number not in poison]
    refused = [entry for batch in sink.batches for entry in batch.quarantined]
    assert [entry.payload for entry in refused] == [reading(number).payload for number in sorted(poison)]
    assert {(entry.reason, entry.detail, entry.site, entry.thing) for entry in refused} == {
        (Reason.REFUSED, "22021: not a text", "W15", "W15-F1")
    }
    assert transport.acknowledged == list(range(25))
    assert (ingest.counters.frames, ingest.counters.committed, ingest.counters.quarantined) == (
        25,
        25 - len(poison),
        len(poison),
    )


async def test_one_poison_message_costs_few_more_transactions_and_one_line_of_log() -> None:
    transport = MemoryTransport(*([reading(number) for number in range(10)] for _ in range(3)))
    sink = PickySink(poison=frozenset({7}))
    with capture_logs() as logs:
        await run_until_idle(slot(transport, sink), transport)
    assert sink.attempts <= 3 * 10
    assert [(entry["event"], entry["detail"]) for entry in logs] == [("message refused", "22021")]


async def test_while_poison_is_isolated_an_unavailable_sink_is_waited_for() -> None:
    def down_now_and_then(attempt: int) -> None:
        if attempt % 2:
            raise SinkUnavailable("the database is restarting")

    transport = MemoryTransport([reading(number) for number in range(10)])
    sink = PickySink(poison=frozenset({7}), before=down_now_and_then)
    await run_until_idle(slot(transport, sink), transport)
    assert sink.order == [number for number in range(10) if number != 7]
    assert transport.acknowledged == list(range(10))


async def test_where_not_even_the_quarantine_is_accepted_the_slot_ends_without_acknowledging() -> None:
    def refuse(_: int) -> None:
        raise SinkRefused("no such column")

    transport = MemoryTransport([reading(1)])
    with pytest.raises(SinkRefused, match="no such column"):
        await slot(transport, MemorySink(before=refuse)).run()
    assert transport.acknowledged == []
    assert transport.closed


async def test_a_slot_that_another_process_holds_steps_down() -> None:
    def lost(_: int) -> None:
        raise SlotLost("slot 2 was taken over by another process")

    transport = MemoryTransport([reading(1)])
    with pytest.raises(SlotLost):
        await slot(transport, MemorySink(before=lost)).run()
    assert (transport.acknowledged, transport.closed) == ([], True)


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
    assert counters.reasons == {Reason.TRUNCATED: 1}
    assert counters.last_commit_us == NOW_US
    (commit,) = reports.commits
    assert (commit.slot, commit.frames, commit.oldest_s) == (2, 3, 0.02)
    assert (commit.remarks["late"], counters.remarks["late"], commit.clocks_off) == (2, 2, 0)


def test_whoever_holds_a_slot_has_the_same_client_id() -> None:
    assert client_id(3) == "vigie-ingest-3"
