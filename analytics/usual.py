"""What speed is usual at each quarter-hour of the week: learnt from recent weeks, kept compactly, looked up by time.

A profile is the median and the spread (median absolute deviation, MAD) of a thing's speeds in each quarter-hour of the
local week over the last `WEEKS` weeks, public holidays as Sundays (domain section 4: 4 to 6 weeks, the median beats the
mean). From the second week on every quarter-hour has been seen, and before it there is none: the usual speed is NaN.
Between the middles of two quarter-hours it is interpolated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics.table import Float32, Index, Int64, run_of
from analytics.week import SLOT_S, SLOTS, Week, within

WEEKS = 5
"""Weeks a profile rests on (domain section 4: 4 to 6). Fewer: one odd week shows; more: it is late to follow change."""

LEAST_VALUES = 2
"""Values in a quarter-hour (three 5-min means a week) from which it has a median. One: a single bad mean is usual."""

ONE_WEEK = 3
"""Values up to which a spread rests on a single week, which knows no difference between weeks: it is left unknown."""

_WEEK_S = SLOTS * SLOT_S
_HALF_US = SLOT_S * 500_000

Float16 = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Profile:
    """Usual speed and its spread (MAD) in km/h by quarter-hour of the local week: float32 (SLOTS,), NaN = unknown."""

    speed_kmh: Float32
    spread_kmh: Float32


def learn(time_us: Int64, speed_kmh: Float32, week: Week) -> Profile:
    """Make a profile of the means of 5 min (n,) of one thing; missing ones are NaN or left out."""
    known = np.isfinite(speed_kmh)
    slots, speeds = week.slots(time_us[known]), speed_kmh[known]
    table = _by_slot(slots, speeds)
    speed = _median(table)
    spread = _median(np.abs(table - speed[:, None]))
    count = np.isfinite(table).sum(axis=1)
    unknown = np.float32(np.nan)
    return Profile(np.where(count >= LEAST_VALUES, speed, unknown), np.where(count > ONE_WEEK, spread, unknown))


def _by_slot(slots: Index, speeds: Float32) -> Float32:
    """Lay values out as (SLOTS, most values of one slot), NaN where there are fewer."""
    order = np.argsort(slots, kind="stable")
    count = np.bincount(slots, minlength=SLOTS)
    table = np.full((SLOTS, max(int(count.max(initial=0)), 1)), np.nan, np.float32)
    rank = np.arange(len(slots)) - np.repeat(np.cumsum(count) - count, count)
    table[slots[order], rank] = speeds[order]
    return table


def _median(table: Float32) -> Float32:
    """The median of each row without its NaN; NaN for a row of nothing else."""
    ordered, count = np.sort(table, axis=1), np.isfinite(table).sum(axis=1)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, table.shape[1] - 1)
    rows = np.arange(len(table))
    middle: Float32 = (ordered[rows, low] + ordered[rows, high]) / 2
    return np.where(count > 0, middle, np.float32(np.nan))


def given(interval_s: int, start_s: int, speed_kmh: Float32) -> Profile:
    """Make a profile of usual speeds every `interval_s` from `start_s` on (second of the week), as recordings have."""
    slots = (start_s + interval_s * np.arange(len(speed_kmh))) % _WEEK_S // SLOT_S
    known = np.isfinite(speed_kmh)
    count = np.bincount(slots[known], minlength=SLOTS)
    total = np.bincount(slots[known], speed_kmh[known], minlength=SLOTS)
    speed = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return Profile(speed, np.full(SLOTS, np.nan, np.float32))


@dataclass(frozen=True, slots=True)
class Usual:
    """The profiles of many things, to be asked for instants.

    speed, spread: float16 (SLOTS, profiles), one quarter-hour of all things together in memory, because readings of one
    time are asked for together. place: intp (things,), the profile of each thing, -1 = none. weeks: one a time zone;
    zone: int8 (things,), the thing's.
    """

    speed: Float16
    spread: Float16
    place: Index
    weeks: tuple[Week, ...]
    zone: NDArray[np.int8]

    @classmethod
    def of(cls, profiles: Mapping[int, Profile], timezones: list[str]) -> Self:
        """Gather profiles by the number of their thing; `timezones` has one name a thing."""
        names = sorted(set(timezones))
        numbers = sorted(profiles)
        place = np.full(len(timezones), -1, np.intp)
        place[numbers] = np.arange(len(numbers))
        tables = [np.zeros((SLOTS, len(numbers)), np.float16) for _ in range(2)]
        for column, number in enumerate(numbers):
            tables[0][:, column] = profiles[number].speed_kmh
            tables[1][:, column] = profiles[number].spread_kmh
        zone = np.array([names.index(name) for name in timezones], np.int8)
        return cls(tables[0], tables[1], place, tuple(Week(name) for name in names), zone)

    def at(self, thing: Index, time_us: Int64) -> tuple[Float32, Float32]:
        """Return usual speed and spread (n,) of things (n,) at instants (n,), NaN = unknown."""
        speed = np.full(len(thing), np.nan, np.float32)
        spread = speed.copy()
        if self.speed.shape[1] and len(thing):
            place = self.place[run_of(thing)]
            if len(self.weeks) == 1 and (place >= 0).all():
                return self._interpolated(place, time_us, self.weeks[0])
            for number, week in enumerate(self.weeks):
                some = np.flatnonzero((self.zone[thing] == number) & (place >= 0))
                if len(some):
                    speed[some], spread[some] = self._interpolated(place[some], time_us[some], week)
        return speed, spread

    def _interpolated(self, place: Index, time_us: Int64, week: Week) -> tuple[Float32, Float32]:
        offset = within(time_us) - np.float32(0.5)
        first, last = (int(at_us) // _HALF_US for at_us in (time_us.min(), time_us.max()))
        early = np.array([first % 2 == 0]) if first == last else offset < 0  # most batches lie in one half of a quarter
        slot = week.slots(time_us[: len(early)])
        beside = (slot + np.where(early, -1, 1)) % SLOTS
        here, there, spread = (
            (table[k[0]][place] if len(k) == 1 else table[k, place]).astype(np.float32)
            for table, k in ((self.speed, slot), (self.speed, beside), (self.spread, slot))
        )
        mixed = here + np.abs(offset) * (there - here)
        return np.where(np.isnan(there), here, mixed), spread
