"""The summary of one bin from its readings, sorted by thing and time. Vectorised over rows, a loop over kinds only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from analytics.detector import COVERED_PCT
from analytics.health.columns import Columns
from analytics.health.rows import Before, Preceding, Rows, starts
from analytics.health.summary import Summary
from analytics.health.things import Things
from analytics.near import NOBODY
from analytics.table import Float32, Index, Int64, Mask
from sensors.level import DISTRUSTED, Quality

LEAP: Final = 0.25
"""Share of a field's range by which a spike leaves its neighbours. Lower: a lone racer at night is one (own
measurement: simulated traffic leaves 20 % by chance, a few times in 50 hours); higher: half of the leaps are missed."""

BACK: Final = 0.4
"""Share of the leap within which the readings around a spike agree. Higher: the onset of a jam is half a spike."""

SWING_DEG: Final = 15.0
STEADY_MS: Final = 2.0
"""A vane swings by half a turn, give or take, only in a wind that hardly blows (Beaufort 2 begins at 1.6 m/s)."""

EMPTY_PCT: Final = 1.0
"""Occupancy under which a lane counts as empty."""


class Features:
    """Turns the rows of a bin into its summary; remembers the last readings of every thing."""

    def __init__(self, things: Things, columns: Sequence[Columns], kind: Index, width: int) -> None:
        """Take the things, the columns of all kinds, and each thing's place among these."""
        self._things, self._columns, self._kind = things, columns, kind
        self.before = Before(len(things), width)
        self._averted = np.zeros(len(things), np.bool_)

    def summary(self, rows: Rows) -> Summary:
        """Sum up a bin; `rows` are as `Rows.in_order` gives them."""
        count = len(self._things)
        found = Summary.blank(count)
        if not len(rows.thing):
            found.frozen_s[:] = self.before.frozen_us / 1e6
            return found
        before = self.before.preceding(rows)
        same = np.zeros(len(rows.thing), np.bool_)
        kind = self._kind[rows.thing]
        for place, columns in enumerate(self._columns):
            some = np.flatnonzero(kind == place)
            if len(some):
                same[some] = self._of_kind(found, columns, rows.take(some), _taken(before, some))
        self.before.freeze(rows, before, same)
        found.frozen_s[:] = self.before.frozen_us / 1e6
        self._of_all(found, rows, before)
        return found

    def _of_all(self, found: Summary, rows: Rows, before: Preceding) -> None:
        found.heard[:] = _count(rows.thing, np.ones(len(rows.thing), np.bool_), len(found.heard))
        for name, bit in (("sentinel", Quality.SENTINEL), ("mismatch", Quality.MISMATCH)):
            getattr(found, name)[:] = _count(rows.thing, (rows.quality & bit) != 0, len(found.heard))
        _put_mean(found.delay_s, rows.thing, rows.delay_s)
        behind = (rows.quality & Quality.OUT_OF_ORDER) != 0
        found.behind[:] = _count(rows.thing, behind, len(found.heard))
        known = (before.time_us >= 0) & (rows.seq >= 0) & (before.seq >= 0)
        anew = known & ((rows.boot != before.boot) | (rows.seq < before.seq))
        found.restarts[:] = _count(rows.thing, anew, len(found.heard))

    def _of_kind(self, found: Summary, columns: Columns, rows: Rows, before: Preceding) -> Mask:
        """Add what depends on the kind; return which rows repeat the one before to the digit."""
        values = rows.values[:, : len(columns.low)]
        one, two = before.one[:, : len(columns.low)], before.two[:, : len(columns.low)]
        add = _Adder(found, rows.thing)
        add("missing", _missing(columns, values))
        add("chatter", _impossible(columns, values) & ((rows.quality & Quality.SENTINEL) == 0))
        add("spikes", _spikes(columns, values, one, two))
        lively = _alive(values[:, columns.restless]) & _alive(values[:, columns.main])
        lively &= (rows.quality & DISTRUSTED) == 0
        same: Mask = lively & ((values == one) | (np.isnan(values) & np.isnan(one))).all(axis=1)
        add("lively", lively)
        for name, partner in (("borrowed", self._things.lane), ("returned", self._things.opposite)):
            add(name, lively & self._repeats(rows, values, partner))
        if columns.road is not None:
            self._road(found, columns, rows, add)
        elif columns.scaled >= 0:
            _put_mean(found.middle, rows.thing, values[:, columns.scaled])
        if columns.balance is not None:
            self._balance(columns.balance, values, one, add)
        if columns.work is not None:
            _put_mean(found.fits, rows.thing, columns.work.off_scale(rows.values))
        if columns.vane is not None:
            self._vane(columns.vane, rows, one, add)
        return same

    def _balance(self, balance: tuple[int, int, int], values: Float32, one: Float32, add: _Adder) -> None:
        stock, inflow, outflow = balance
        change, net = values[:, stock] - one[:, stock], values[:, inflow] - values[:, outflow]
        told = np.isfinite(change + net) & (net != 0)
        add("straight", told & (change == net))
        add("turned", told & (change == -net))

    def _vane(self, vane: tuple[int, int], rows: Rows, one: Float32, add: _Adder) -> None:
        """Count the readings of vanes that swung by half a turn between two readings and have not swung back."""
        degrees, wind = vane
        swing = np.abs(rows.values[:, degrees] - one[:, degrees])
        swung = (np.abs(swing - 180) < SWING_DEG) & (rows.values[:, wind] >= STEADY_MS) & (one[:, wind] >= STEADY_MS)
        turns = np.cumsum(swung)
        first = starts(rows.thing)
        begin = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
        averted = (turns - turns[begin] + swung[begin] + self._averted[rows.thing]) % 2 == 1
        ends = np.append(first[1:], True)[: len(first)]
        self._averted[rows.thing[ends]] = averted[ends]
        add("averted", averted)

    def _road(self, found: Summary, columns: Columns, rows: Rows, add: _Adder) -> None:
        assert columns.road is not None
        flow, occupancy, speed = (
            rows.values[:, at] for at in (columns.road.flow, columns.road.occupancy, columns.road.speed)
        )
        add("full", (flow == 0) & (occupancy >= COVERED_PCT))
        add("empty", (flow == 0) & (occupancy < EMPTY_PCT))
        moving = np.isfinite(speed) & (speed > 0) & (flow > 0)
        add("moving", moving)
        add.sum("flow", np.where(np.isfinite(flow), flow, 0))
        add.sum("speed", np.where(moving, speed, 0))
        off_scale = columns.road.off_scale(rows.values)
        _put_mean(found.off_scale, rows.thing, off_scale)
        _put_mean(found.fits, rows.thing, off_scale)

    def _repeats(self, rows: Rows, values: Float32, partner: Index) -> Mask:
        """Which rows are, to the digit, the latest reading of their thing's partner; `rows` are of one kind."""
        other = partner[rows.thing]
        key, wanted = _key(rows.thing, rows.time_us), _key(other, rows.time_us)
        at = np.searchsorted(key, wanted, "right") - 1
        near = (other != NOBODY) & (at >= 0)
        at = np.maximum(at, 0)
        here = near & (rows.thing[at] == other)
        latest = np.where(here[:, None], values[at], np.float32(np.nan))
        both = (values == latest) | (np.isnan(values) & np.isnan(latest))
        repeated: Mask = here & both.all(axis=1)
        return repeated


class _Adder:
    """Adds counts and sums of rows to the columns of a summary."""

    def __init__(self, found: Summary, thing: Index) -> None:
        self._found, self._thing = found, thing

    def __call__(self, name: str, which: Mask) -> None:
        self.sum(name, which.astype(np.float32))

    def sum(self, name: str, values: Float32) -> None:
        column = getattr(self._found, name)
        column += np.bincount(self._thing, values, len(column)).astype(np.float32)


def _alive(values: Float32) -> Mask:
    found: Mask = np.logical_or.reduce((values != 0) & np.isfinite(values), axis=1)
    return found


def _impossible(columns: Columns, values: Float32) -> Mask:
    counts = columns.counts
    outside = (values[:, counts] < columns.low[counts]) | (values[:, counts] > columns.high[counts])
    found: Mask = np.logical_or.reduce(outside, axis=1)
    return found


def _missing(columns: Columns, values: Float32) -> Mask:
    """None of the main values, although nothing says 0: with no vehicle there is no speed."""
    if not len(columns.main):
        return np.zeros(len(values), np.bool_)
    none: Mask = np.isnan(values[:, columns.main]).all(axis=1) & ~(values == 0).any(axis=1)
    return none


def _spikes(columns: Columns, values: Float32, one: Float32, two: Float32) -> Mask:
    """Whether the reading before left its neighbours, on both sides, by a leap, and came back."""
    main = columns.main
    span = np.where(np.isfinite(columns.high[main]), columns.high[main] - columns.low[main], np.nan)
    usable = (values >= columns.low) & (values <= columns.high)
    up, down = one[:, main] - two[:, main], one[:, main] - np.where(usable, values, np.nan)[:, main]
    leap = np.minimum(np.abs(up), np.abs(down))
    around = np.abs(down - up)
    found: Mask = ((up * down > 0) & (leap > LEAP * span) & (around < BACK * leap)).any(axis=1)
    return found


def _put_mean(column: Float32, thing: Index, values: Float32) -> None:
    """Write the mean of the finite values of each thing into a column; things without any stay as they are."""
    fit = np.isfinite(values)
    count = np.bincount(thing[fit], minlength=len(column))
    total = np.bincount(thing[fit], values[fit], len(column))
    there = count > 0
    column[there] = (total[there] / count[there]).astype(np.float32)


def _count(thing: Index, which: Mask, things: int) -> Float32:
    return np.bincount(thing[which], minlength=things).astype(np.float32)


def _key(thing: Index, time_us: Int64) -> Int64:
    """Thing and time in one number; times of one bin lie closer together than an hour."""
    low = time_us.min() if len(time_us) else 0
    key: Int64 = thing.astype(np.int64) * 3_600_000_000 + (time_us - low)
    return key


def _taken(before: Preceding, some: Index) -> Preceding:
    return Preceding(before.time_us[some], before.boot[some], before.seq[some], before.one[some], before.two[some])
