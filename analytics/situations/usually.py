"""When what is usually congested at this time of the week is usually free again.

By the usual speed of the quarter-hour, else by that of the hour. The mean of an hour in which congestion ends lies
between congested and free by as much as the hour was either, so it is over where such means are half-way up again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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

BEHIND = 8
"""Quarter-hours before it is free that are looked at for how low it was: usual congestion is lowest in its middle.
Fewer: it seems to end later the nearer that is; more: another congestion before it counts."""

SOON = 2
"""Quarter-hours within which usual congestion must begin for a jam to be its beginning. Fewer: a peak that comes early
is taken for an odd jam; more: odd jams that end long before the peak are taken for it (own measurement: 1 to 4 differ
by 3 min of 30)."""

CONGESTED, FREE = np.float32(0.68), np.float32(0.75)
"""Usual speed over free speed under which a time of the week is congested, and from which it is over: medians of weeks
are smoother than any day, so the first lies above the 0.60 of a reading; the second is the level fluid."""

FREE_SHARE = 0.85
"""Quantile of usual speeds that is the free speed where none is known (domain section 4)."""


class Look(NamedTuple):
    """What is usual around an instant.

    least: the least usual speed over free speed now or soon, 1 where unknown. over_us: when it is usually over, where
    that is congested. by_hour: only means of hours tell.
    """

    least: float = 1.0
    over_us: int | None = None
    by_hour: bool = False


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

    def look(self, things: Sequence[int], at_us: int, habits: Habits) -> Look:
        """Look at what is usual for some things around an instant."""
        if self._week is None:
            return Look()
        times, slots = self._ahead(self._week, at_us - at_us % SLOT_US)
        ratio, hourly = self._ratio(things, times, slots, habits)
        soon = ratio[BEHIND : BEHIND + SOON + 1]
        least = float(np.nanmin(soon)) if np.isfinite(soon).any() else 1.0
        congested = np.flatnonzero(soon < CONGESTED)
        free = np.flatnonzero(ratio[BEHIND + congested[0] :] >= FREE) if len(congested) else congested
        if not len(free):
            return Look(least)
        over = BEHIND + int(congested[0] + free[0])
        return Look(least, _half_way(ratio, over, times) if hourly else int(times[over]), hourly)

    def _ahead(self, week: Week, first_us: int) -> tuple[Int64, Index]:
        """Return the quarter-hours around one and their slots, the same for all situations of a step."""
        if self._times[-1] != first_us + SLOT_US * (AHEAD - 1):
            self._times = first_us + SLOT_US * np.arange(-BEHIND, AHEAD, dtype=np.int64)
            self._slots = week.slots(self._times)
        return self._times, self._slots

    def _ratio(self, things: Sequence[int], times: Int64, slots: Index, habits: Habits) -> tuple[Float32, bool]:
        """Return the mean usual speed of things over their free speed, by slot, and whether it is of means of hours.

        NaN where nothing is known.
        """
        profiled = [thing for thing in things if thing < len(self._place) and self._place[thing] >= 0]
        if profiled:
            speed = self._usual.speed[np.ix_(slots, self._place[profiled])].astype(np.float32)
            free = np.array([self._free_kmh(thing) for thing in profiled], np.float32)
            return (speed / free).mean(axis=1), False
        hourly = [found for thing in things if (found := self._hourly(thing, times, habits)) is not None]
        return np.mean(hourly, axis=0) if hourly else np.full(len(times), np.nan, np.float32), True

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


def _half_way(ratio: Float32, free: int, times: Int64) -> int:
    """Return when a usual speed that is free at a slot was half-way up from its lowest to its best."""
    lowest = free - BEHIND + int(np.nanargmin(ratio[free - BEHIND : free + 1]))
    half = (ratio[lowest] + np.nanmax(ratio[free:])) / 2
    up = lowest + int(np.argmax(ratio[lowest:] >= half))
    share = (half - ratio[up - 1]) / (ratio[up] - ratio[up - 1])
    return int(times[up] if np.isnan(share) else times[up - 1] + share * SLOT_US)
