"""Decoded readings of one kind into numpy columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from ingest.columns import ABSENT, Columns, DeviceHealth
from ingest.directory import Known
from ingest.transport import Frame
from sensors.kind import Kind
from sensors.payload import Reading

Row = tuple[Frame, Known, Reading]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(time: datetime) -> int:
    """Since 1970 UTC, exactly: a float of seconds would lose the last digits."""
    return (time - _EPOCH) // _MICROSECOND


class Tabulator:
    """Makes the columns of one kind."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._fields = [attrgetter(name) for name in kind.field_names]
        self._texts = [attrgetter(name) for name in kind.text_names]

    def columns(self, rows: list[Row], time_us: NDArray[np.int64], received_us: NDArray[np.int64]) -> Columns:
        """Columns of at least one row, without remarks; the times are made already, (n,) each."""
        readings = [reading for _, _, reading in rows]
        return Columns(
            kind=self._kind,
            time_us=time_us,
            received_us=received_us,
            thing=[known.thing for _, known, _ in rows],
            site=[known.site for _, known, _ in rows],
            boot=_counts([reading.boot for reading in readings]),
            seq=_counts([reading.seq for reading in readings]),
            quality=np.zeros(len(rows), np.int16),
            values=self._values(readings),
            texts=tuple([list(map(text, readings)) for text in self._texts]),
        )

    def _values(self, readings: list[Reading]) -> NDArray[np.float32]:
        """(n, fields); numpy turns None into NaN."""
        values = np.empty((len(readings), len(self._fields)), np.float32)
        for column, field in enumerate(self._fields):
            values[:, column] = list(map(field, readings))
        return values


def device_health(rows: list[Row]) -> Iterator[DeviceHealth]:
    """What devices said of themselves among these readings."""
    for _, known, reading in rows:
        if (health := reading.health) is not None:
            time_us = microseconds(reading.time)
            yield DeviceHealth(known.thing, known.site, time_us, health.battery_v, health.rssi_dbm, health.firmware)


def _counts(counts: list[int | None]) -> NDArray[np.int64]:
    return np.fromiter((ABSENT if count is None else count for count in counts), np.int64, len(counts))
