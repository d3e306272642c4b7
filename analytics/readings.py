"""Readings as they come in, and what the rules see of them: one observation each.

A distrusted reading (`sensors.level.DISTRUSTED`) is implausible as a whole: whoever sends an impossible count is not
believed on speed. The other remarks inform and change nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics import detector, limits
from analytics.plausible import fingerprints
from analytics.table import Float32, Index, Int64, Mask, Table
from sensors.kind import Kind, Limits, SpeedRatio


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one kind as columns, in order of arrival; n = len(time_us).

    thing: n ids. time_us: int64, measured, microseconds since 1970 UTC. quality: integers, bits of `Quality`.
    values: float32 (n, fields of the kind), NaN = missing.
    """

    kind: str
    thing: Sequence[str]
    time_us: Int64
    quality: NDArray[np.integer]
    values: Float32


@dataclass(slots=True)
class Arrivals(Table):
    """Readings of known things in order of arrival, all columns of shape (n,).

    thing: intp, index of the thing. time_us: int64. observed: float32, what its rule sees. faulty: bool, is
    distrusted. print: int64, its fingerprint. unsupported: bool, a speed of 0 for which no occupancy speaks. source:
    intp, its row in the values of the batch, -1 for a reading of an earlier batch. usual_kmh, spread_kmh: float32, what
    is usual at its time and the MAD of that, NaN = unknown.
    """

    thing: NDArray[np.intp]
    time_us: Int64
    observed: Float32
    faulty: Mask
    print: Int64
    unsupported: Mask
    source: NDArray[np.intp]
    usual_kmh: Float32
    spread_kmh: Float32

    @classmethod
    def empty(cls) -> Self:
        none = np.zeros(0, np.intp)
        ints, flags = none.astype(np.int64), none.astype(np.bool_)
        floats = none.astype(np.float32)
        return cls(none, ints, floats, flags, ints, flags, none, floats, floats)

    @classmethod
    def of(cls, kind: Kind, thing: Index, time_us: Int64, values: Float32, *, faulty: Mask, capacity: Float32) -> Self:
        """Take readings of one kind, `values` (n, fields), as they come; `capacity` stands in for a missing whole."""
        observed, unsupported = observe(kind, values, capacity)
        observed = np.where(faulty, np.float32(np.nan), observed)
        unknown = np.full(len(thing), np.nan, np.float32)
        source = np.arange(len(thing))
        return cls(thing, time_us, observed, faulty, fingerprints(values), unsupported, source, unknown, unknown.copy())


def observe(kind: Kind, values: Float32, capacity: Float32) -> tuple[Float32, Mask]:
    """Reduce values (n, fields) to observations (n,), and tell which of them nothing supports."""
    nowhere = np.zeros(len(values), np.bool_)
    match kind.level:
        case SpeedRatio(speed=speed, occupancy=occupancy, flow=flow):
            covered = _column(kind, values, occupancy)
            seen = detector.observed(_column(kind, values, speed), covered, _column(kind, values, flow))
            return seen, detector.unsupported(seen, covered)
        case Limits(field=field, of=None):
            return limits.observed(_column(kind, values, field), None), nowhere
        case Limits(field=field, of=str(of)):
            whole = _column(kind, values, of)
            whole = np.where(np.isfinite(whole), whole, capacity)
            return limits.observed(_column(kind, values, field), whole), nowhere
        case _:
            return np.zeros(len(values), np.float32), nowhere


def _column(kind: Kind, values: Float32, name: str) -> Float32:
    return values[:, kind.field_names.index(name)]
