"""The share of the expected readings that came and were believed: what a number stands on.

Both counts die away with `MEMORY_S`, so it is the coverage of about the last hour, or since the first reading. An
event (a passage) is not expected and has no coverage.
"""

from __future__ import annotations

import numpy as np

from analytics.state import NEVER, SILENT_AFTER_PERIODS, States
from analytics.table import Float32, Int64, Mask

MEMORY_S = 3600.0
"""Time constant. Shorter: a few lost messages make a forecast unknown; longer: an outage is held against a sensor that
has been back for hours."""

ENOUGH = np.float32(0.75)
"""Under this share an aggregate is unknown (domain section 3, Berlin's rule)."""

_MOST_DUE = 10_000
"""Readings that can be missing at once; more make no difference, and a wrong clock may claim any number."""


def count(states: States, silence_us: Int64, time_us: Int64, believed: Mask) -> None:
    """Count a reading of each state, and those that were due since the last one, in place; before its time is noted.

    `silence_us` is that of the settings, which follows from the period.
    """
    period_us = silence_us // SILENT_AFTER_PERIODS
    due = np.where(states.due > 0, _due(states, period_us, time_us), 1)
    once = _kept(period_us, np.ones_like(due))
    kept = once if (due == 1).all() else _kept(period_us, due)
    np.multiply(states.got, kept, out=states.got)
    np.add(states.got, 1 - once, out=states.got, where=believed & (due > 0))
    states.due[:] = 1 - (1 - states.due) * kept


def share(states: States, silence_us: Int64, now_us: Int64) -> Float32:
    """Return the coverage of each state at `now_us`, NaN before the first reading and for events."""
    period_us = silence_us // SILENT_AFTER_PERIODS
    kept = _kept(period_us, _due(states, period_us, now_us))
    due = 1 - (1 - states.due) * kept
    known = (states.due > 0) & (silence_us < NEVER)
    part: Float32 = np.divide(states.got * kept, due, out=np.full_like(due, np.nan), where=known)
    return np.minimum(part, np.float32(1))


def _due(states: States, period_us: Int64, time_us: Int64) -> Int64:
    """Readings that were due between the newest one and an instant; one that comes a little late counts once."""
    due: Int64 = (time_us - states.time_us + period_us // 2) // np.maximum(period_us, 1)
    return np.clip(due, 0, _MOST_DUE)


def _kept(period_us: Int64, readings: Int64) -> Float32:
    kept: Float32 = np.exp(-readings * period_us / np.float64(MEMORY_S * 1e6)).astype(np.float32)
    return kept
