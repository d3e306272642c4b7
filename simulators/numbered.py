"""Readings that can be checked to the unit: each is numbered, and its values follow from sensor and number.

For proofs of transport, not of traffic: whatever comes out at the other end can be compared value by value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Sensor
from sensors.kind import Kind
from sensors.payload import PayloadCodec
from sensors.topics import reading_topic

STEP_US = 100_000
"""Between two readings of one sensor."""
_STEPS = 1024
"""A value is a whole number of these parts of its highest: exact in float32 and in JSON."""
_UNBOUNDED_HIGH = 64.0
_MIX = tuple(np.array([2_654_435_761, 2_246_822_519, 3_266_489_917], np.uint64))
"""Odd factors of number, sensor and field (those of Knuth and xxHash): neighbours differ in every field."""
_MIXED_BITS = np.uint64(20)


@dataclass(frozen=True, slots=True)
class Numbered:
    """`count` readings dealt out to the sensors in turn; each sensor's are numbered from 0 within `boot`."""

    kind: Kind
    sensors: tuple[Sensor, ...]
    count: int
    start: datetime
    boot: int

    def messages(self, first: int = 0, end: int | None = None) -> Iterator[tuple[str, bytes]]:
        """Topics and payloads of the readings `first` to `end` in their order."""
        codec = PayloadCodec(self.kind)
        topics = [reading_topic(sensor.site, sensor.id, self.kind.name) for sensor in self.sensors]
        end = self.count if end is None else end
        while first < end:
            seq, sensor = divmod(first, len(self.sensors))
            stop = min(end, (seq + 1) * len(self.sensors))
            time = self.start + timedelta(microseconds=STEP_US * seq)
            for index in range(sensor, sensor + stop - first):
                row = self.values(index, np.array([seq]))[0].tolist()
                values = dict(zip(self.kind.field_names, row, strict=True))
                yield topics[index], codec.encode(time, values, seq=seq, boot=self.boot)
            first = stop

    def sent_by(self, index: int) -> int:
        """How many of the readings are the sensor's."""
        return len(range(index, self.count, len(self.sensors)))

    def time_us(self, seq: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the readings of these numbers were measured, microseconds since 1970 UTC."""
        start_us = (self.start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        return start_us + STEP_US * seq

    def values(self, index: int, seq: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, fields): the values of one sensor's readings of these numbers, in the units of the fields."""
        field = np.arange(1, len(self.kind.fields) + 1, dtype=np.uint64)
        mixed = (seq.astype(np.uint64)[:, None] * _MIX[0] + np.uint64(index) * _MIX[1]) * (field * _MIX[2])
        high = np.array([_UNBOUNDED_HIGH if f.high is None else f.high for f in self.kind.fields])
        steps = (mixed >> _MIXED_BITS) % (_STEPS + 1)
        return np.asarray(high * steps / _STEPS, np.float32)
