"""What creeps away from what it was: a clock that gains half a minute a day, a calibration that loses 3 %.

Of each thing a quantity that ought to stay where it is, a value a bin: how late its readings come beside those of the
others; how its own fields fit together. It is compared with what it was, which is learnt in the first hours and follows
over two weeks: what a season changes is no fault. It takes days to show, so it is handed out to be kept, once an hour.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from analytics.table import Float32, Mask

CLOCK_BINS: Final = 36
"""Bins over which delays are averaged, 3 h. Fewer: the minutes that an instant of a fast replay stands for are a clock;
more: a clock that was set right shows late."""

CLOSE_ENOUGH_S: Final = 60.0
"""Seconds by which a clock may have come away: the tolerance of ingest, and the window for late readings. Lower: the
noise of a replay (15 s an hour, own measurement); higher: 30 s a day take longer."""

DAY: Final = 288
"""Bins over which it is averaged how fields fit together: nights have other vehicles than days."""

FITS: Final = 0.08
"""How far that may have come away, as a share: 3 % a day take about four days, 1 % about ten. Lower: weather and
season are faults; higher: the level of congestion (60 %) is off by as much before anybody knows."""

FOLLOWS: Final = 14 * 288
"""Bins in which what it was follows, two weeks. Fewer: 1 % a day is never 8 % behind; more: a season is a fault."""


KEPT_EVERY_US: Final = 3600 * 1_000_000
"""Event time after which it is handed out anew. More: after a restart of a service of more things than it reads again,
so much is missing; less: many things are written for a little each."""


AGAIN_US: Final = 3 * KEPT_EVERY_US
"""How far back bins come again after a restart, and are not learnt twice; more than the rules look back. What is older
is of a site whose clock was set to another time."""


class Learnt(NamedTuple):
    """Of one quantity of one thing: what it is now, what it was before, and from how many bins that is known."""

    now: float
    before: float
    bins: int


class Kept(NamedTuple):
    """What was learnt of a thing up to the end of a bin (us): how late its readings come, how its fields fit."""

    thing: str
    until_us: int
    late_s: Learnt
    fits: Learnt


class Creep:
    """Vectors over things, one value a bin; `limit` (things,) is how far it may be from what it was."""

    def __init__(self, limit: Float32, bins: int) -> None:
        """Take over how many bins it is averaged: what comes and goes within them does not count."""
        self._limit, self._bins = limit, bins
        self._now = np.zeros(len(limit))
        self._was = np.zeros(len(limit))
        self._seen = np.zeros(len(limit), np.int64)

    @property
    def creeps(self) -> Mask:
        """Who has gone too far."""
        found: Mask = (self._seen > 2 * self._bins) & (np.abs(self._now - self._was) > self._limit)
        return found

    def learn(self, value: Float32) -> None:
        """Take over the newest bin, (things,), NaN where there is no value."""
        there, creeps = np.isfinite(value), self.creeps
        self._seen += there
        change = np.where(there, value - self._now, 0)
        self._now += change / np.clip(self._seen, 1, self._bins)
        first = self._seen <= self._bins
        follows = np.where(there & ~creeps, value - self._was, 0) / FOLLOWS
        self._was = np.where(first, self._now, self._was + follows)

    def learnt(self) -> list[Learnt]:
        """What to keep, by thing."""
        columns = (self._now.tolist(), self._was.tolist(), self._seen.tolist())
        return [Learnt(*each) for each in zip(*columns, strict=True)]

    def recall(self, number: int, learnt: Learnt) -> None:
        """Go on from what was kept of a thing."""
        self._now[number], self._was[number], self._seen[number] = learnt


def beside(delay_s: Float32) -> Float32:
    """How much later the readings of each thing come than those of most; NaN where none came."""
    there = np.isfinite(delay_s)
    late_s: Float32 = delay_s - (_median(delay_s[there]) if there.any() else np.float32(0))
    return late_s


def _median(values: Float32) -> np.float32:
    """Return the median of finite numbers; `np.median` looks for NaN, and imports a package the first time."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (low, high))
    middle: np.float32 = (ordered[low] + ordered[high]) / np.float32(2)
    return middle
