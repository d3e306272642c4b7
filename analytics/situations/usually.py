"""When what is usually congested at this time of the week is usually free again.

By the usual speed of the quarter-hour, else by that of the hour.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.settings import Thing
from analytics.situations.habits import Habits
from analytics.table import Float32, Index, Int64
from analytics.usual import Usual
from analytics.week import SLOT_S, Week
from sensors.rule import SpeedRatio

SLOT_US = SLOT_S * 1_000_000

AHEAD = 96
"""Quarter-hours that are looked ahead: a day, because what is congested once a day ends within it."""

SOON = 2
"""Quarter-hours within which usual congestion must begin for a jam to be its beginning. Fewer: a peak that comes early
is taken for an odd jam; more: odd jams that end long before the peak are taken for it (own measurement: 1 to 4 differ
by 3 min of 30)."""

CONGESTED, FREE = np.float32(0.68), np.float32(0.75)
"""Usual speed over free speed under which a time of the week is congested, and from which it is over: medians of weeks
are smoother than any day, so the first lies above the 0.60 of a reading; the second is the level fluid."""

FREE_SHARE = 0.85
"""Quantile of usual speeds that is the free speed where none is known (domain section 4)."""


class Usually:
    """What is usual for the things of one zone; `members` are their numbers in `usual`."""

    def __init__(self, usual: Usual, members: Index, things: Sequence[Thing]) -> None:
        self._things = things
        self._usual, self._place = usual, usual.place[members] if len(usual.place) else members[:0]
        self._week = usual.weeks[int(usual.zone[members[0]])] if len(members) and usual.weeks else None
        self._times, self._slots = np.full(1, -1, np.int64), np.zeros(1, np.intp)
        self._free: dict[int, float] = {
            number: thing.free_speed_kmh for number, thing in enumerate(things) if thing.free_speed_kmh > 0
        }

    def look(self, things: Sequence[int], at_us: int, habits: Habits) -> tuple[float, int | None]:
        """Return how slow it is usually now or soon, as the least usual speed over free speed, 1 where unknown.

        Where that is congested also when it is usually over.
        """
        if self._week is None:
            return 1.0, None
        times, slots = self._ahead(self._week, at_us - at_us % SLOT_US)
        ratio = self._ratio(things, times, slots, habits)
        soon = ratio[: SOON + 1]
        least = float(np.nanmin(soon)) if np.isfinite(soon).any() else 1.0
        congested = np.flatnonzero(soon < CONGESTED)
        free = np.flatnonzero(ratio[congested[0] :] >= FREE) if len(congested) else congested
        return least, int(times[congested[0] + free[0]]) if len(free) else None

    def _ahead(self, week: Week, first_us: int) -> tuple[Int64, Index]:
        """Return the next quarter-hours and their slots, the same for all situations of a step."""
        if self._times[0] != first_us:
            self._times = first_us + SLOT_US * np.arange(AHEAD, dtype=np.int64)
            self._slots = week.slots(self._times)
        return self._times, self._slots

    def _ratio(self, things: Sequence[int], times: Int64, slots: Index, habits: Habits) -> Float32:
        """Return the mean usual speed of things over their free speed, by slot; NaN where nothing is known."""
        profiled = [thing for thing in things if thing < len(self._place) and self._place[thing] >= 0]
        if profiled:
            speed = self._usual.speed[np.ix_(slots, self._place[profiled])].astype(np.float32)
            free = np.array([self._free_kmh(thing) for thing in profiled], np.float32)
            ratio: Float32 = (speed / free).mean(axis=1)
            return ratio
        hourly = [found for thing in things if (found := self._hourly(thing, times, habits)) is not None]
        return np.mean(hourly, axis=0) if hourly else np.full(len(times), np.nan, np.float32)

    def _hourly(self, thing: int, times: Int64, habits: Habits) -> Float32 | None:
        """Return the same of one thing by the means of hours; None where nothing is known."""
        one = self._things[thing]
        if thing not in self._free or not isinstance(one.kind.level, SpeedRatio):
            return None
        usual = habits.all_at(one.id, one.kind.level.speed, times)
        return None if usual is None else usual / np.float32(self._free[thing])

    def _free_kmh(self, thing: int) -> float:
        if thing not in self._free:
            speeds = self._usual.speed[:, self._place[thing]].astype(np.float32)
            known = speeds[np.isfinite(speeds)]
            self._free[thing] = float(np.quantile(known, FREE_SHARE)) if len(known) else float("nan")
        return self._free[thing]
