"""What five minutes of readings show of each thing, as columns: all that the rules look at.

A bin is closed once, when the group's clock has passed its end by the window for late readings: readings come sorted by
time, whatever order and batches they arrived in. What arrives later, or is ahead of the clock, is a stray.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics.table import Float32, Table

BIN_US = 300 * 1_000_000
"""Microseconds of a bin. Shorter: too few readings of slow kinds in one; longer: every verdict comes later."""

BINS = 24
"""Bins that are kept, two hours: the longest that a rule looks back (domain: nothing is found later, but drift)."""


@dataclass(slots=True)
class Summary(Table):
    """One bin, columns of shape (things,), float32; counts of readings unless said otherwise.

    heard: stored in time. sentinel, missing: a value that stands for none; none of the main values. chatter: an
    impossible count. mismatch: contradictory. behind: older than one that came before. frozen_s: for how long all
    values repeat to the digit, seconds. spikes: leaps up and back. full, empty: a lane that passes nothing, covered or
    not. flow, speed, moving: sum of flows (of a stock: of who passed), sum of speeds, and of how many; slow: of these
    below half of free speed. bare: vehicles passed, and covered nothing. middle: mean of the value that betrays a
    mistaken unit. turned, straight: the stock fell by what came in, or rose by it. delay_s: how late readings came that
    came in time, mean. fits: log of one field over what others make of it, mean; of a stock, pieces over what came and
    went; of a rack, how much colder the air is than set, mean. averted: by a vane that swung by half a turn. borrowed,
    returned: repeat the latest of the other lane, of the other direction; lively: of how many. restarts: numbers that
    begin anew. late, late_low_s, late_high_s: arrived behind their bin, and how late; ahead, ahead_low_s, ahead_high_s:
    before the clock. again, stale: repeated soon, or long after. garbled, cut, large, typed, renamed, early: in
    quarantine, by reason.
    """

    heard: Float32
    sentinel: Float32
    missing: Float32
    chatter: Float32
    mismatch: Float32
    behind: Float32
    frozen_s: Float32
    spikes: Float32
    full: Float32
    empty: Float32
    flow: Float32
    speed: Float32
    moving: Float32
    slow: Float32
    bare: Float32
    borrowed: Float32
    returned: Float32
    lively: Float32
    restarts: Float32
    late: Float32
    late_low_s: Float32
    late_high_s: Float32
    ahead: Float32
    ahead_low_s: Float32
    ahead_high_s: Float32
    again: Float32
    stale: Float32
    garbled: Float32
    cut: Float32
    large: Float32
    typed: Float32
    renamed: Float32
    early: Float32
    middle: Float32
    turned: Float32
    straight: Float32
    averted: Float32
    delay_s: Float32
    fits: Float32

    @classmethod
    def blank(cls, count: int) -> Self:
        """Nothing was seen: counts of 0, NaN for what is no count."""
        nothing = {"middle", "delay_s", "fits", "late_low_s", "late_high_s", "ahead_low_s", "ahead_high_s"}
        names = (field.name for field in fields(cls))
        return cls(*(np.full(count, np.nan if name in nothing else 0, np.float32) for name in names))


class Past:
    """The last `BINS` summaries, the newest last; of each, in which columns there is anything but 0."""

    def __init__(self) -> None:
        self._bins: deque[Summary] = deque(maxlen=BINS)
        self._told: deque[frozenset[str]] = deque(maxlen=BINS)

    def __len__(self) -> int:
        return len(self._bins)

    @property
    def newest(self) -> Summary:
        return self._bins[-1]

    def add(self, summary: Summary) -> None:
        self._bins.append(summary)
        columns = zip(summary.names(), summary.columns(), strict=True)
        self._told.append(frozenset(name for name, column in columns if column.any()))

    def _of(self, name: str, bins: int, skip: int) -> Iterator[Float32]:
        """One column of so many bins, without the newest `skip` and without those in which there is nothing."""
        end = len(self._bins) - skip
        for at in range(max(0, end - bins), end):
            if name in self._told[at]:
                yield getattr(self._bins[at], name)

    def sum(self, name: str, bins: int, skip: int = 0) -> Float32:
        total = np.zeros(len(self.newest.heard), np.float32)
        for column in self._of(name, bins, skip):
            total += column
        return total

    def mean(self, name: str, bins: int, skip: int = 0) -> Float32:
        """The mean of a column that is NaN where there is nothing, NaN where there never is anything."""
        total, count = np.zeros((2, len(self.newest.heard)), np.float32)
        for column in self._of(name, bins, skip):
            there = np.isfinite(column)
            np.add(total, column, out=total, where=there)
            count += there
        return np.divide(total, count, out=np.full(len(total), np.nan, np.float32), where=count > 0)

    def least(self, name: str, bins: int) -> Float32:
        """The least of a column that is NaN where there is nothing."""
        return self._outermost(np.fmin, name, bins)

    def most(self, name: str, bins: int) -> Float32:
        return self._outermost(np.fmax, name, bins)

    def _outermost(self, choose: np.ufunc, name: str, bins: int) -> Float32:
        found = np.full(len(self.newest.heard), np.nan, np.float32)
        for column in self._of(name, bins, 0):
            choose(found, column, out=found)
        return found

    def forget(self, name: str, whose: NDArray[np.bool_]) -> None:
        """Set a count of some things back to 0 in all bins."""
        for summary in self._bins:
            getattr(summary, name)[whose] = 0

    def in_bins(self, name: str, bins: int, skip: int = 0) -> NDArray[np.int64]:
        """In how many of the bins there was any."""
        total = np.zeros(len(self.newest.heard), np.int64)
        for column in self._of(name, bins, skip):
            total += column > 0
        return total
