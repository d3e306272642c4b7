"""One ingest slot: take what has arrived, store it, acknowledge it, again. The only loop of ingest.

The next batch starts when the last commit has returned, so a batch grows with the load and nothing waits for a timer.
Nothing is acknowledged that is not committed: whatever happens between is delivered again, and the store counts it as a
duplicate. A batch that the sink refuses for good is halved until the message at fault stands alone; that one goes to
the quarantine, the others are stored in their order.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import structlog

from ingest.columns import Batch, Sink, SinkRefused, SinkUnavailable
from ingest.counters import Commit, Counters, Observer
from ingest.decode import BatchBuilder
from ingest.directory import Directory
from ingest.quality import without_repeats
from ingest.raw import RawRings
from ingest.receipts import ReceiptPublisher, ReceiptSettings
from ingest.routing import Router
from ingest.transport import Frame, Transport
from ingest.trouble import Trouble
from sensors.kind import Kinds

_CHUNK = 500
"""Frames decoded before others may run: about 2 ms."""


def client_id(slot: int) -> str:
    """The MQTT client id of a slot: whoever holds the slot continues its session."""
    return f"vigie-ingest-{slot}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotSettings:
    """`batch_frames` bounds one transaction, `flush_s` how long an end may wait for the commit that is under way."""

    batch_frames: int = 4_000
    flush_s: float = 3.0
    first_retry_s: float = 0.1
    longest_retry_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """`wall_us` is microseconds since 1970 UTC, `monotonic` seconds of no particular origin."""

    wall_us: Callable[[], int]
    monotonic: Callable[[], float]


class IngestSlot:
    """Moves the readings of one slot from its transport into the sink. Runs once."""

    def __init__(
        self,
        slot: int,
        transport: Transport,
        sink: Sink,
        *,
        kinds: Kinds,
        directory: Directory,
        clocks: Clocks,
        rng: Random,
        settings: SlotSettings | None = None,
        observer: Observer | None = None,
        raw: RawRings | None = None,
        receipts: ReceiptSettings | None = None,
    ) -> None:
        self.slot = slot
        self.counters = Counters()
        self._transport = transport
        self._sink = sink
        self._clocks = clocks
        self._settings = settings or SlotSettings()
        self._observer = observer
        self._receipts = ReceiptPublisher(transport.publish, clocks.wall_us, receipts or ReceiptSettings())
        self._router = Router(kinds, directory, clocks.monotonic)
        self._raw = raw
        self._builder = BatchBuilder(slot, kinds, self._router, raw.rejected if raw is not None else None)
        log = structlog.get_logger().bind(slot=slot)
        first_s, longest_s = self._settings.first_retry_s, self._settings.longest_retry_s
        self._trouble = Trouble("sink", log, rng, first_s=first_s, longest_s=longest_s)
        self._refusals = Trouble("message refused", log, rng)

    async def run(self) -> None:
        """Ingest until cancelled; the commit under way is awaited, acknowledged, and the connection closed in order.

        Raises `TakenOver`, `SlotLost` or `BrokerRefused`; `SinkRefused` when not even the quarantine is accepted.
        """
        async with self._transport, self._receipts:
            while True:
                frames = await self._transport.frames(self._settings.batch_frames)
                self.counters.frames += len(frames)
                await self._settle(frames)

    async def _settle(self, frames: list[Frame]) -> None:
        """Store and acknowledge frames in their order, in one transaction unless something in them is refused."""
        waiting = [frames]
        while waiting:
            part = waiting.pop()
            try:
                taken = await self._store(part)
            except SinkRefused as exc:
                half = len(part) // 2
                if half:
                    waiting += [part[half:], part[:half]]
                else:
                    await self._quarantine(part, str(exc))
            else:
                waiting += [part[taken:]] if taken < len(part) else []

    async def _store(self, frames: list[Frame]) -> int:
        """Store and acknowledge one transaction of frames, returns how many: all, but for those of very many readings.

        Raises `SinkRefused`; then nothing is stored or acknowledged.
        """
        started = self._clocks.monotonic()
        taken, batch = await self._decode(frames)
        decode_s = self._clocks.monotonic() - started
        await self._until_available(lambda: self._flushed(self._commit(frames[:taken], batch, decode_s)))
        return taken

    async def _quarantine(self, frames: list[Frame], why: str) -> None:
        """Keep a message that is refused for good, in place of storing its readings."""
        # Told once a cause: by its code, because the words may quote what differs from message to message.
        self._refusals.happened(why.partition(":")[0])
        for frame in frames:
            self._builder.refuse(frame, why)
        batch = self._builder.finish()
        await self._until_available(lambda: self._flushed(self._commit(frames, batch, 0.0)))

    async def _decode(self, frames: list[Frame]) -> tuple[int, Batch]:
        """One batch, and how many of the frames are in it."""
        topics = {frame.topic for frame in frames}
        await self._until_available(lambda: self._router.prepare(topics))
        taken = 0
        while taken < len(frames) and not self._builder.full:
            taken += self._builder.add(frames[taken : taken + _CHUNK])
            await asyncio.sleep(0)
        return taken, self._builder.finish()

    async def _commit(self, frames: list[Frame], batch: Batch, decode_s: float) -> None:
        """Try once to store the batch, and acknowledge it."""
        started = self._clocks.monotonic()
        outcome = await self._sink.write(batch)
        self._transport.acknowledge(frames)
        if self._raw is not None:
            self._raw.take(frames, self._router.routes)
        self._receipts.note(outcome.settled)
        now_us = self._clocks.wall_us()
        commit = Commit(
            slot=self.slot,
            frames=len(frames),
            outcome=outcome,
            reasons=Counter(entry.reason for entry in batch.quarantined),
            decode_s=decode_s,
            write_s=self._clocks.monotonic() - started,
            oldest_s=(now_us - frames[0].received_us) / 1e6,
            remarks=without_repeats(batch.remarks, outcome.duplicates),
            clocks_off=batch.clocks_off,
        )
        self.counters.add(commit, now_us)
        if self._observer is not None:
            self._observer.committed(commit)

    async def _flushed(self, commit: Coroutine[None, None, None]) -> None:
        """Run a commit; when we are cancelled meanwhile, let it end within the deadline first.

        Stopping it in the middle would be safe, but everything in it would be delivered again.
        """
        task = asyncio.create_task(commit, name=f"ingest-{self.slot}-commit")
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            with suppress(TimeoutError, SinkUnavailable, SinkRefused):
                await asyncio.wait_for(task, self._settings.flush_s)
            raise

    async def _until_available(self, action: Callable[[], Awaitable[None]]) -> None:
        """Repeat `action` with growing delays until the sink is there again."""
        while True:
            try:
                await action()
            except SinkUnavailable as exc:
                self.counters.retries += 1
                await asyncio.sleep(self._trouble.happened(str(exc)))
            else:
                self._trouble.over()
                return
