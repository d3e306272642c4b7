"""Live plausibility of traffic readings: what nobody should believe, told from the readings of the sensor alone.

Fails towards the road: a sudden fall, standing vehicles and a full lane are traffic. Only two things are implausible
here. A reading is *frozen* when it equals the one before it in every field, more often in a row than this sensor's own
habit explains; loops that round to whole km/h repeat themselves, others never do. A speed of exactly 0 is *unsupported*
where no occupancy tells of a vehicle on the loop and traffic was not already jammed: who measures vehicles that pass
has no speed for none. An implausible reading counts as missing: the level is held `HOLD_STEPS` readings, then unknown.
A third thing, for which neighbours are asked, is in `analytics.company`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.table import Float32, Int64, Mask

if TYPE_CHECKING:
    from analytics.readings import Arrivals
    from analytics.state import States

LEAST_FROZEN = 10
"""Repetitions in a row that are allowed to every sensor. Real speeds of the Los Angeles recording repeat 1.2 % of the
time, and so long only 10 times in 238,000 readings, where its publisher filled gaps; any number from 4 to 50 gives the
same scores there. Too low: chance repetitions hide a road for some minutes; too high: a dead sensor holds its last
level for longer."""

CHANCE = np.float32(1e-6)
"""Probability of a run of repetitions, by the sensor's own habit, under which it is no chance (own choice: once in
eleven months of 30-s readings). Too low: frozen sensors stay believed; too high: calm nights look frozen."""

HABIT_GAIN = np.float32(1 / 500)
"""Weight of one reading in the habit, the running share of repetitions. Higher: a frozen sensor makes itself a habit
before it is found; lower: a new sensor that rounds is distrusted for its first days."""

FIRST_HABIT, LAST_HABIT = np.float32(0.02), np.float32(0.9)
"""Habit before the first reading, and the most that is believed: 0.9 allows 132 repetitions."""

JAMMED_BELOW = np.float32(0.35)
"""Smoothed speed ratio under which a speed of 0 follows from what was before: the limit of "jammed" (domain section 4).
Too low: the readings of a crawling queue that round to 0 are held; too high: zeros of a broken loop count as a jam."""

_COUNTED = 1000
"""Repetitions that are counted; more make no difference."""

_ODD = np.uint64(0x9E3779B97F4A7C15)
_NOTHING = np.float32(np.nan).view(np.uint32)
_KEPT_BITS = np.uint64(53)
"""A JSON number is exact up to here."""


def fingerprints(values: Float32) -> Int64:
    """Reduce readings (n, fields) to one number each: equal for equal readings, missing fields included."""
    columns = np.ascontiguousarray(values.T)
    missing, mixed = np.isnan(columns), np.zeros(len(values), np.uint64)
    for column, nothing in zip(columns.view(np.uint32), missing, strict=True):
        mixed ^= np.where(nothing, _NOTHING, column) if nothing.any() else column
        mixed *= _ODD
        mixed ^= mixed >> np.uint64(29)
    mixed >>= np.uint64(64) - _KEPT_BITS
    return mixed.astype(np.int64)


def implausible(states: States, rows: Arrivals) -> Mask:
    """Tell whose reading is not to be believed, and remember it, in place. Shapes (things,), one row a state."""
    repeats = rows.print == states.print
    states.print[:] = rows.print
    states.same[:] = np.minimum(states.same + 1, _COUNTED) * repeats
    moving = np.isfinite(rows.observed) & (rows.observed > 0)
    frozen = moving & (states.same >= LEAST_FROZEN)
    if frozen.any():
        some = np.flatnonzero(frozen)
        habit = np.minimum(states.habit[some], LAST_HABIT)
        frozen[some] = states.same[some] * np.log(habit) < np.log(CHANCE)
    learns = moving & ~frozen
    np.add(states.habit, HABIT_GAIN * (repeats - states.habit), out=states.habit, where=learns)
    return frozen | (rows.unsupported & ~(states.value < JAMMED_BELOW))
