"""Frames that have arrived and wait for the consumer, and when their bytes are too many to read on."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.transport import Frame

_HELD_BYTES = 16 << 20
"""What may wait in memory for the consumer; too low wastes time on pausing, too high is memory per slot."""
_FRAME_BYTES = 230
"""What a waiting frame takes beside its payload (measured with tracemalloc, a topic of 35 characters)."""


class Inbox:
    """The frames of one connection; whoever fills `frames` tells `arrived` what came."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._held = 0

    @property
    def full(self) -> bool:
        return self._held >= _HELD_BYTES

    def arrived(self, frames: Sequence[Frame]) -> None:
        self._held += sum(map(_size, frames))

    def take(self, limit: int) -> list[Frame]:
        """The oldest frames, up to `limit`."""
        taken, self.frames = self.frames[:limit], self.frames[limit:]
        self._held -= sum(map(_size, taken))
        return taken

    def forget(self) -> None:
        """Drop what the broker will deliver again: all but what came at QoS 0."""
        self.frames = [frame for frame in self.frames if frame.token is None]
        self._held = sum(map(_size, self.frames))


def _size(frame: Frame) -> int:
    return _FRAME_BYTES + len(frame.payload)
