"""Readings on their way into a bin, and what is remembered of the reading before each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from analytics.near import NOBODY
from analytics.state import NEVER
from analytics.table import Float32, Index, Int64, Mask, Table


@dataclass(slots=True)
class Rows(Table):
    """Readings, columns of shape (n,), but `values` (n, width of the widest kind), NaN = missing.

    thing: number within the group. time_us, boot, seq: int64, -1 = absent. quality: bits of `Quality`. delay_s:
    float32, how long after measuring it came, most likely; 0 until the group's clock has told it.
    """

    thing: Index
    time_us: Int64
    boot: Int64
    seq: Int64
    quality: Int64
    values: Float32
    delay_s: Float32

    def in_order(self) -> Self:
        """Sorted by thing and time; of two readings of one instant the first that came stays.

        Values lie column by column then: a row is short, and whoever asks about it asks all rows at once.
        """
        rows = self.take(_ordered(self.thing, self.time_us))
        again = (np.diff(rows.thing) == 0) & (np.diff(rows.time_us) == 0)
        rows = rows.take(np.concatenate(([True], ~again))) if again.any() else rows
        return replace(rows, values=np.asfortranarray(rows.values))


def _ordered(thing: Index, time_us: Int64) -> Index:
    """Order by thing and time, what came first before: readings come in runs, which a stable sort of one key merges."""
    span = int(time_us.max(initial=0)) - int(time_us.min(initial=NEVER)) + 1
    if not 0 < span < NEVER // (int(thing.max(initial=0)) + 1):
        return np.lexsort((time_us, thing))
    return np.argsort(thing * span + (time_us - time_us.min()), kind="stable")


class Latest:
    """The readings of a bin, sorted by thing and time: which of them is the latest of another thing."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @cached_property
    def _key(self) -> Int64:
        return self._keys(self._rows.thing, self._rows.time_us)

    def _keys(self, thing: Index, time_us: Int64) -> Int64:
        """Thing and time in one number; times of one bin lie closer together than an hour."""
        key: Int64 = thing.astype(np.int64) * 3_600_000_000 + (time_us - self._rows.time_us.min())
        return key

    def repeated(self, time_us: Int64, values: Float32, other: Index, which: Mask) -> Mask:
        """Which of `which` are, to the digit, the latest reading of another thing, NOBODY where there is none."""
        repeated = np.zeros(len(which), np.bool_)
        asked = np.flatnonzero(which & (other != NOBODY))
        if len(asked):
            at = np.searchsorted(self._key, self._keys(other[asked], time_us[asked]), "right") - 1
            there = (at >= 0) & (self._rows.thing[np.maximum(at, 0)] == other[asked])
            asked, at = asked[there], at[there]
            for field in range(values.shape[1]):  # most differ in the first
                mine, theirs = values[asked, field], self._rows.values[at, field]
                alike = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
                asked, at = asked[alike], at[alike]
            repeated[asked] = True
        return repeated


class Before:
    """The last two readings of each thing, and for how long all of a reading has repeated."""

    def __init__(self, things: int, width: int) -> None:
        self.time_us = np.full(things, -1, np.int64)
        self.boot = np.full(things, -1, np.int64)
        self.seq = np.full(things, -1, np.int64)
        self.last = np.full((things, width), np.nan, np.float32)
        self.prior = np.full((things, width), np.nan, np.float32)
        self.frozen_us = np.zeros(things, np.int64)

    def preceding(self, rows: Rows) -> Preceding:
        """Tell of each row, sorted as `Rows.in_order`, what came before it of the same thing; then remember them."""
        first = np.flatnonzero(starts(rows.thing))
        heads = rows.thing[first]
        one = _shifted(rows.values, first, self.last[heads])
        two = _shifted(one, first, self.prior[heads])
        found = Preceding(
            time_us=_shifted(rows.time_us, first, self.time_us[heads]),
            boot=_shifted(rows.boot, first, self.boot[heads]),
            seq=_shifted(rows.seq, first, self.seq[heads]),
            one=one,
            two=two,
        )
        ends, last = np.append(first[1:] - 1, len(rows.thing) - 1), heads
        self.time_us[last], self.boot[last], self.seq[last] = rows.time_us[ends], rows.boot[ends], rows.seq[ends]
        self.last[last], self.prior[last] = rows.values[ends], one[ends]
        return found

    def freeze(self, rows: Rows, before: Preceding, same: Mask) -> None:
        """Add up for how long each thing has repeated itself, by the rows of one bin that are the `same` as before."""
        begin = np.flatnonzero(starts(rows.thing))
        last, thing = np.append(begin[1:] - 1, len(same) - 1), rows.thing[begin]
        broken = np.maximum.reduceat(np.where(same, -1, np.arange(len(same))), begin)
        anew = broken >= 0
        since = np.where(anew, rows.time_us[broken], before.time_us[begin])
        carried = np.where(anew, 0, self.frozen_us[thing])
        self.frozen_us[thing] = carried + rows.time_us[last] - since


@dataclass(slots=True)
class Preceding(Table):
    """Of each row: the reading before it (`one`), and the one before that (`two`)."""

    time_us: Int64
    boot: Int64
    seq: Int64
    one: Float32
    two: Float32


def starts(thing: Index) -> Mask:
    """Where another thing begins, in rows that are sorted by thing."""
    return np.concatenate(([True], np.diff(thing) != 0))[: len(thing)]


def _shifted(values: np.ndarray, first: Index, remembered: np.ndarray) -> np.ndarray:
    before = np.empty_like(values)
    before[1:] = values[:-1]
    before[first] = remembered
    return before
