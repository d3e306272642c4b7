"""Values that tests need whole, though each looks at a part of them only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike

from analytics.readings import Readings
from analytics.situations.cause import Cause
from analytics.situations.situation import Situation, State, Trend
from sensors.kind import Kind
from sensors.level import Level

ONSET_US = int(datetime(2026, 3, 2, 6, 12, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE_US = 60_000_000


def some_situation(**other: object) -> Situation:
    """A jam from W01 to W03 as of its ninth minute, or what a test says instead."""
    values = {
        "id": "20260302T061200Z-W03-F1",
        "kind": "road",
        "sites": ("W02", "W03"),
        "state": State.OPEN,
        "level": Level.JAMMED,
        "at_us": ONSET_US + 9 * MINUTE_US,
        "onset_us": ONSET_US,
        "end_us": None,
        "places": ("W01-W02", "W02-W03"),
        "sensors": ("W02-F1", "W03-F1"),
        "head": "W02-W03",
        "tail": "W01-W02",
        "length_m": 3835.0,
        "trend": Trend.GROWING,
        "cause": Cause.UNKNOWN,
        "causes": (),
        "parent": None,
        "spans": (),
    }
    return Situation(**(values | other))


def readings_of(kind: Kind, things: Sequence[str], time_us: ArrayLike, **fields: ArrayLike) -> Readings:
    """Readings of these things at these times, by name of field; of the others they tell nothing."""
    values = np.full((len(things), len(kind.fields)), np.nan, np.float32)
    for name, column in fields.items():
        values[:, kind.field_names.index(name)] = column
    return Readings(kind.name, [*things], np.asarray(time_us, np.int64), np.zeros(len(things), np.int16), values)
