"""What is wrong with a thing by its own readings: each rule one condition over the last bins, for all things at once.

Every rule asks for several readings and, where chance could do it, for a share of them. Thresholds are own
measurements on the simulated port unless a source is named (docs/detection.md has the table of rules and figures).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np

from analytics.health.scale import Scale
from analytics.health.summary import BIN_US, Past
from analytics.table import Float32, Mask
from sensors.fault import Fault

QUARTER, HALF, HOUR, TWO_HOURS = 3, 6, 12, 24
"""Bins of a quarter of an hour, of half an hour, of an hour, of two."""

SLOW_S: Final = 100.0
"""Period from which a quarter of an hour has too few readings: those are looked at for four times as long."""

SOME: Final = 3.0
"""Bad readings or messages before anything is said. Fewer: a flash of lightning is a fault; more: slow kinds wait."""

SHARE: Final = 0.2
"""Share of the readings that must be bad for what chance also does now and then."""

MOST: Final = 0.8
"""Share that stands for all of them: the first readings of a fault share a bin with the last good ones."""

MAINLY: Final = 0.6
"""Share of the refused messages that must have one cause for it to be named; a mixture is `invalid`."""

FROZEN_S: Final = 900.0
"""Seconds of the same digits. IRIS and PeMS wait for 24 h or 50 samples, on values that may repeat by chance; speeds
and temperatures with two decimals do not (domain section 3)."""

REPEATS: Final = 3
COUNTED_REPEATS: Final = 8
"""Periods of the same digits at least. What is counted in small numbers repeats by chance: a block that reads every
5 min told one in and one out three times running (once in ten days of twelve blocks). Fewer: a quiet block is stuck;
more: a stuck one is found later."""

ENOUGH: Final = 0.6
"""Share of the expected samples under which a thing is insufficient (PeMS, domain section 3)."""

HOUR_OFF_S: Final = 3600.0
CLOSE_S: Final = 150.0
CLOSE_PERIODS: Final = 1.2
"""How far from each other the delays of one wrong clock may lie, in seconds or in periods: what a network adds, half of
what arrives in one instant. Lower: in a fast replay it looks like the future; higher: short backlogs like a clock."""

MUCH_LATER_S: Final = 600.0
MUCH_LATER_PERIODS: Final = 7.0
"""Beyond both a late reading was kept back, or its clock is wrong; below it only overtook others."""


class Lately:
    """Sums over the last quarter of an hour, or over the last hour for things whose readings are rare."""

    def __init__(self, past: Past, period_s: Float32) -> None:
        self._past, self._slow = past, period_s > SLOW_S

    def __call__(self, name: str, bins: int = QUARTER) -> Float32:
        return self._either(partial(self._past.sum, name), bins)

    def in_bins(self, name: str, bins: int) -> Float32:
        return self._either(lambda count: self._past.in_bins(name, count).astype(np.float32), bins)

    def least(self, name: str) -> Float32:
        return self._either(partial(self._past.least, name), QUARTER)

    def most(self, name: str) -> Float32:
        return self._either(partial(self._past.most, name), QUARTER)

    def _either(self, over: Callable[[int], Float32], bins: int) -> Float32:
        quick = over(bins)
        return np.where(self._slow, over(min(4 * bins, TWO_HOURS)), quick) if self._slow.any() else quick


def frozen_s(period_s: Float32, counted: Mask) -> Float32:
    """For how long all of a reading must repeat, (things,); `counted`: what never rests is counted in pieces."""
    found: Float32 = np.fmax(FROZEN_S, np.where(counted, COUNTED_REPEATS, REPEATS).astype(np.float32) * period_s)
    return found


def own_faults(past: Past, period_s: Float32, patience_s: Float32, scale: Scale) -> Mapping[Fault, Mask]:
    """Say which things have which fault by the bins so far.

    period_s (things,) is NaN where nobody expects readings; patience_s is what `frozen_s` tells.
    """
    lately = Lately(past, period_s)
    heard = lately("heard")
    came = heard + lately("late") + lately("ahead")
    again, spikes = lately("again", HALF), lately("spikes", HOUR)
    return {
        **_clocks(past, lately, came, period_s),
        **_refused(lately, came),
        Fault.SENTINEL: _many(lately("sentinel") + lately("missing"), heard),
        Fault.CHATTER: _many(lately("chatter"), heard),
        Fault.MISMATCH: (_many(lately("mismatch"), heard) & ~_queues(lately)) | _bare(past, lately),
        Fault.STUCK: (past.newest.frozen_s >= patience_s) & (heard > 0),
        Fault.SPIKE: np.where(period_s > SLOW_S, spikes >= 1, (spikes >= SOME) & (past.in_bins("spikes", HOUR) > 1)),
        Fault.INSUFFICIENT: _insufficient(past, period_s),
        Fault.UNIT_SWAPPED: scale.mistaken,
        Fault.DIRECTION_SWAPPED: _turned(lately),
        Fault.DUPLICATE: (again >= SOME) & (lately.in_bins("again", HALF) >= QUARTER) & (again >= SHARE * heard),
        Fault.STALE_RETAINED: _stale(past),
        Fault.OUT_OF_ORDER: _overtaken(lately),
        Fault.COUNTER_RESET: _restarted(past),
    }


def _many(bad: Float32, of: Float32) -> Mask:
    found: Mask = (bad >= SOME) & (bad >= SHARE * of)
    return found


def _bare(past: Past, lately: Lately) -> Mask:
    """Over whom vehicles drive and cover nothing: on a busy road soon, and on a quiet one after some dozen of them."""
    dozen = past.sum("bare", TWO_HOURS)
    found: Mask = _many(lately("bare"), lately("heard")) | (
        (dozen >= DOZEN) & (dozen >= past.sum("moving", TWO_HOURS) / 2)
    )
    return found


DOZEN: Final = 12.0
"""Readings in two hours of which half or more contradict themselves. Fewer: what one device rounds on one night is a
fault; more: quiet roads are found out in the morning."""


def _queues(lately: Lately) -> Mask:
    """Who sees a queue: vehicles that stand on the loop between two that pass are a contradiction that is none.

    The last that passed before a queue came to stand were slow.
    """
    found: Mask = (lately("slow") > 0) | (lately("full") > 0)
    return found


def _stale(past: Past) -> Mask:
    """Old messages that come again; once is a broker that repeats itself, and who repeats all is late with some."""
    found: Mask = past.in_bins("stale", TWO_HOURS) > 1
    return found & (past.sum("stale", TWO_HOURS) > past.sum("again", TWO_HOURS))


def _turned(lately: Lately) -> Mask:
    """What comes in lowers the stock, hour after hour: in and out are exchanged. Or a vane points the other way."""
    turned, straight = lately("turned", HOUR), lately("straight", HOUR)
    found: Mask = ((turned >= SOME) & (turned >= MOST * (turned + straight))) | (lately("averted") >= SOME)
    return found


def _restarted(past: Past) -> Mask:
    """Whose numbers began anew; where many did, their gateway started again, and only who does so more often is odd."""
    bins = past.in_bins("restarts", HALF)
    many = max(SOME, TOGETHER * np.count_nonzero(past.sum("heard", HALF)))
    often = next(times for times in range(1, HALF + 2) if np.count_nonzero(bins >= times) <= many)
    found: Mask = bins >= often
    return found


TOGETHER: Final = 0.25
"""Share of a group that restarts within half an hour and has one cause. Lower: two faults are none; higher: the restart
of a site is a fault of each of its sensors."""


def _overtaken(lately: Lately) -> Mask:
    """Some of the last hour came behind newer ones; those that a reading from the future overtook do not count."""
    behind = lately("behind", HOUR)
    came = lately("heard", HOUR) + lately("late", HOUR)
    found: Mask = (behind >= SOME) & (behind >= SHARE / 2 * came) & (lately("ahead", HOUR) == 0)
    return found


def _refused(lately: Lately, came: Float32) -> Mapping[Fault, Mask]:
    """What the quarantine tells: the cause that most of a thing's refused messages share."""
    cut, garbled, typed, large = (lately(name) for name in ("cut", "garbled", "typed", "large"))
    total = cut + garbled + typed + large
    many = _many(total, came + total)
    mainly = {
        Fault.TRUNCATED: cut >= MOST * total,
        Fault.WRONG_TYPE: typed >= MOST * total,
        Fault.OVERSIZED: large >= MAINLY * total,
    }
    other = ~np.logical_or.reduce(list(mainly.values()))
    named = {fault: many & which for fault, which in mainly.items()}
    return {**named, Fault.INVALID: many & other, Fault.IDENTITY_SWAPPED: _many(lately("renamed"), came)}


def speaks(past: Past, bins: int = 2) -> Mask:
    """Who sent anything in the last bins, whatever became of it."""
    found: Mask = _came(past, bins) > 0
    return found


_CAME: Final = ("heard", "late", "ahead", "cut", "garbled", "typed", "large", "renamed", "early", "again")
"""Counts that add up to all that a thing sent."""


def _insufficient(past: Past, period_s: Float32) -> Mask:
    """Under 60 % of the samples, and speaking all the while: neither silent, nor just switched on or off.

    What arrived late or could not be used was sent all the same.
    """
    slow = period_s > SLOW_S
    found = np.zeros(len(period_s), np.bool_)
    for bins, parts_of, which in ((HOUR, QUARTER, ~slow), (HOUR + HALF, HALF, slow)):
        if len(past) >= bins and which.any():
            parts = np.stack([_came(past, parts_of, skip) for skip in range(0, bins, parts_of)])
            expected = bins * BIN_US / 1e6 / period_s
            found |= which & (parts > 0).all(axis=0) & (parts.sum(axis=0) < ENOUGH * expected)
    return found


def _came(past: Past, bins: int, skip: int = 0) -> Float32:
    """How much each thing sent in so many bins, whatever became of it."""
    total = past.sum(_CAME[0], bins, skip)
    for name in _CAME[1:]:
        total += past.sum(name, bins, skip)
    return total


def _clocks(past: Past, lately: Lately, came: Float32, period_s: Float32) -> Mapping[Fault, Mask]:
    """What delays tell: one that stays is a clock, one that shrinks a backlog, one that leaps ahead the future."""
    much_later_s = np.fmax(MUCH_LATER_S, MUCH_LATER_PERIODS * period_s)
    late, ahead, early = lately("late"), lately("ahead"), lately("early")
    low, high = _lateness(lately)
    wrong = (late + ahead >= SOME) & (late + ahead >= MOST * came)
    close_s = np.fmax(CLOSE_S, CLOSE_PERIODS * period_s)
    steady = wrong & (high - low <= close_s) & (np.abs(high) > MUCH_LATER_S)
    hour = np.abs(np.abs((high + low) / 2) - HOUR_OFF_S) <= CLOSE_S
    drifting = wrong & ~steady & (ahead == 0) & (high <= MUCH_LATER_S) & (past.in_bins("late", HOUR) == HOUR)
    set_ahead = (early >= SOME) & (early >= MOST * (early + came))
    return {
        Fault.DAYLIGHT_SAVING: steady & hour,
        Fault.CLOCK_OFFSET: (steady & ~hour) | set_ahead,
        Fault.CLOCK_DRIFT: drifting,
        Fault.FUTURE: ((ahead >= SOME) & (high - low > close_s)) | (_many(early, came + early) & ~set_ahead),
        Fault.LATE_BATCH: (late >= SOME) & (high - low > 2 * close_s) & (high > much_later_s) & (ahead == 0),
    }


def _lateness(lately: Lately) -> tuple[Float32, Float32]:
    """How late (ahead below 0) what is outside its bin came, in seconds: at least and at most."""
    low = np.fmin(lately.least("late_low_s"), lately.least("ahead_low_s"))
    high = np.fmax(lately.most("late_high_s"), lately.most("ahead_high_s"))
    return low, high


def late_s(past: Past, period_s: Float32) -> Float32:
    """How late each thing's readings came that are outside their bin, in the middle; NaN where none are."""
    low, high = _lateness(Lately(past, period_s))
    middle: Float32 = ((low + high) / 2).astype(np.float32)
    return middle
