"""The latest raw payloads of each sensor, for the engineer who asks what it really sends. No IO.

Beside the path of the readings: frames are only held, by the thing that they speak for, and drained at a bounded rate
by whoever stores them. Under more load than that rate the rings are a sample; under more than the memory allowed they
begin anew. Only known things have a ring: anybody can invent others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.columns import Quarantined
from ingest.redact import redact
from ingest.routing import Route
from ingest.transport import Frame

RING = 20
"""Payloads of one thing."""
FLUSH_ROWS = 1_000
"""Of one flush: 200 a second keep up with 6,000 sensors at 30 s. Each costs 10 to 20 us here and about 50 us in the
database; more makes a busy ingestor slower, less makes the rings a sample sooner."""
FLUSH_EVERY_S = 5.0
HELD_BYTES = 12_000_000
_FRAME_BYTES = 300
"""What a frame takes beside its payload, roughly."""
_LONG = 2_048
"""Bytes from which on a payload is redacted and cut at once instead of being held."""
_LOOK_EVERY = 10_000
"""Frames after which what is held is measured."""

Key = tuple[str, int, int | None]


@dataclass(frozen=True, slots=True)
class RawPayload:
    """A payload as it came, redacted; `reason` says why it could not be used, None where it could."""

    thing: str
    received_us: int
    topic: str
    payload: bytes
    length: int
    redacted: bool
    reason: str | None


class RawStore(Protocol):
    """Where rings are kept."""

    async def keep(self, payloads: Sequence[RawPayload]) -> None:
        """Add payloads, at most `RING` of one thing. Raises `SinkUnavailable`; then they are lost, which is allowed."""
        ...


class RawRings:
    """What has come since it was last drained: at most `RING` messages of a thing and `held_bytes` of all."""

    def __init__(self, held_bytes: int = HELD_BYTES) -> None:
        self._held_bytes = held_bytes
        self._rings: dict[str, deque[Frame | RawPayload]] = {}
        self._rejected: dict[Key, RawPayload] = {}
        self._unmeasured = 0

    def rejected(self, frame: Frame, entry: Quarantined) -> None:
        """Note a frame of the batch under way that goes to the quarantine, the first reading of it that does."""
        if entry.thing is not None:
            raw = RawPayload(
                entry.thing,
                frame.received_us,
                entry.topic,
                entry.payload,
                entry.length,
                entry.redacted,
                entry.reason.value,
            )
            self._rejected.setdefault((frame.topic, frame.received_us, frame.token), raw)

    def take(self, frames: Sequence[Frame], routes: Mapping[str, Route]) -> None:
        """Hold the frames of a batch that is committed."""
        rings = self._rings
        for frame in frames:
            route = routes.get(frame.topic)
            if route is None:
                continue
            thing = route.known.thing
            ring = rings.get(thing)
            if ring is None:
                ring = rings[thing] = deque(maxlen=RING)
            ring.append(frame if len(frame.payload) <= _LONG else _raw(thing, frame))
            if self._rejected:
                ring[-1] = self._rejected.get((frame.topic, frame.received_us, frame.token), ring[-1])
        self._rejected.clear()
        self._bound(len(frames))

    def drain(self, rows: int = FLUSH_ROWS) -> Iterator[RawPayload]:
        """Give up rings, those that wait longest first, until `rows` payloads are reached; redacted one by one."""
        given = 0
        while self._rings and given < rows:
            thing = next(iter(self._rings))
            for frame in self._rings.pop(thing):
                given += 1
                yield frame if isinstance(frame, RawPayload) else _raw(thing, frame)

    def _bound(self, more: int) -> None:
        self._unmeasured += more
        if self._unmeasured >= _LOOK_EVERY:
            self._unmeasured = 0
            held = sum(len(frame.payload) + _FRAME_BYTES for ring in self._rings.values() for frame in ring)
            if held > self._held_bytes:
                self._rings.clear()


def _raw(thing: str, frame: Frame) -> RawPayload:
    kept = redact(frame.payload)
    return RawPayload(thing, frame.received_us, frame.topic, kept.payload, len(frame.payload), kept.redacted, None)
