"""The summary of one bin from its readings, sorted by thing and time. Vectorised over rows, a loop over kinds only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from analytics.detector import COVERED_PCT
from analytics.health.columns import Columns, RoadColumns
from analytics.health.parts import A_TIME, Part
from analytics.health.rows import Before, Latest, Preceding, Rows, starts
from analytics.health.rules import SLOW_S
from analytics.health.summary import Summary
from analytics.health.things import Things
from analytics.remains import CAR_M, DETECTOR_M
from analytics.table import Float32, Float64, Index, Mask, run_of
from sensors.level import DISTRUSTED, Quality

LEAP: Final = 0.25
"""Share of a field's range by which a spike leaves its neighbours. Lower: a lone racer at night is one (own
measurement: simulated traffic leaves 20 % by chance, a few times in 50 hours); higher: half of the leaps are missed."""

BACK: Final = 0.4
"""Share of the leap within which the readings around a spike agree. Higher: the onset of a jam is half a spike."""

SWING_DEG: Final = 15.0
STEADY_MS: Final = 2.0
"""A vane swings by half a turn, give or take, only in a wind that hardly blows (Beaufort 2 begins at 1.6 m/s)."""

SLOW: Final = 0.5
"""Speed over free speed below which traffic queues. Higher: a broken loop on a busy road is believed."""

NEAR_PERIODS: Final = 1.5
"""Periods between two readings from which there was one between them, and those whom it counted are not known."""

MOST_OVER: Final = 5.0
"""Pieces by which a stock may differ in one reading from what came and went, to be added up: more is a leap, not a
drift. Fewer: the drift of a quay that works fast is not seen; more: a leap that comes back late is one."""

EMPTY_PCT: Final = 1.0
"""Occupancy under which a lane counts as empty."""

SHORTEST_M: Final = CAR_M + DETECTOR_M
BARE_PCT: Final = 1.0
"""Occupancy that cars alone make by their flow and speed, from which a loop that tells exactly 0 contradicts itself.
Lower: one that rounds down to whole percents does; higher: fast roads are never found out at night."""


class Features:
    """Turns the rows of a bin into its summary; remembers the last readings of every thing."""

    def __init__(self, things: Things, columns: Sequence[Columns], kind: Index, width: int) -> None:
        """Take the things, the columns of all kinds, and each thing's place among these."""
        self._things, self._columns, self._kind = things, columns, kind
        self.before = Before(len(things), width)
        self._averted = np.zeros(len(things), np.bool_)
        self._parts = Part.all_of(things)

    def summary(self, arrived: Sequence[Rows]) -> Summary:
        """Sum up a bin by its readings in order of arrival."""
        found = Summary.blank(len(self._things))
        pieces = [(rows, bool((np.diff(rows.thing) >= 0).all())) for rows in arrived if len(rows.thing)]
        for part in self._parts if pieces else ():
            rows = part.gather(pieces)
            latest, own = Latest(rows), rows.look(part.own(rows))
            if len(own.thing):
                self._sum_up(_Sums(found, own.thing, part.first), own, latest)
        found.frozen_s[:] = self.before.frozen_us / 1e6
        return found

    def _sum_up(self, sums: _Sums, rows: Rows, latest: Latest) -> None:
        before = self.before.preceding(rows)
        same = np.zeros(len(rows.thing), np.bool_)
        kind = self._kind[rows.thing]
        for place in np.flatnonzero(np.bincount(kind)).tolist():
            some = run_of(np.flatnonzero(kind == place))
            of_kind = sums.of(some)
            same[some] = self._of_kind(of_kind, self._columns[place], rows.look(some), before.look(some), latest)
        self.before.freeze(rows, before, same)
        self._of_all(sums, rows, before)

    def _of_all(self, sums: _Sums, rows: Rows, before: Preceding) -> None:
        sums.add("heard", np.ones(len(rows.thing), np.bool_))
        sums.add("sentinel", (rows.quality & Quality.SENTINEL) != 0)
        sums.add("mismatch", (rows.quality & Quality.MISMATCH) != 0)
        sums.put_mean("delay_s", rows.delay_s)
        sums.add("behind", (rows.quality & Quality.OUT_OF_ORDER) != 0)
        known = (before.time_us >= 0) & (rows.seq >= 0) & (before.seq >= 0)
        sums.add("restarts", known & ((rows.boot != before.boot) | (rows.seq < before.seq)))

    def _of_kind(self, sums: _Sums, columns: Columns, rows: Rows, before: Preceding, latest: Latest) -> Mask:
        """Add what depends on the kind; return which rows repeat the one before to the digit."""
        values = rows.values[:, : len(columns.low)]
        one, two = before.one[:, : len(columns.low)], before.two[:, : len(columns.low)]
        impossible = _impossible(columns, values)
        sums.add("missing", _missing(columns, values) & ~impossible)  # Nobody knows whether there was anything to tell.
        sums.add("chatter", impossible & ((rows.quality & Quality.SENTINEL) == 0))
        sums.sum("spikes", _spikes(columns, values, one, two))
        lively = _alive(values[:, columns.restless]) & _alive(values[:, columns.main])
        lively &= (rows.quality & DISTRUSTED) == 0
        same: Mask = lively & ((values == one) | (np.isnan(values) & np.isnan(one))).all(axis=1)
        sums.add("lively", lively)
        for name, partner in (("borrowed", self._things.lane), ("returned", self._things.opposite)):
            sums.add(name, latest.repeated(rows.time_us, values, partner[rows.thing], lively))
        if columns.road is not None:
            _road(sums, columns.road, rows.values, self._things.free_kmh[rows.thing])
        elif columns.scaled >= 0:
            sums.put_mean("middle", values[:, columns.scaled])
        if columns.balance is not None:
            near = rows.time_us - before.time_us < NEAR_PERIODS * 1e6 * self._things.period_s[rows.thing]
            _balance(sums, columns.balance, columns.each, np.where(near[:, None], values, np.nan), one)
        if columns.work is not None:
            sums.put_mean("fits", columns.work.off_scale(rows.values))
        if columns.cold is not None:
            sums.put_mean("fits", columns.cold.too_cold(rows.values))
        if columns.vane is not None:
            self._vane(sums, columns.vane, rows, one)
        return same

    def _vane(self, sums: _Sums, vane: tuple[int, int], rows: Rows, one: Float32) -> None:
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
        sums.add("averted", averted)


class _Sums:
    """Adds counts, sums and means of rows to the columns of a summary."""

    def __init__(self, found: Summary, thing: Index, first: int) -> None:
        """Take whose the rows are, of A_TIME things from `first` on."""
        self._found, self._thing, self._first = found, thing - first, first

    def of(self, some: Mask | Index | slice) -> _Sums:
        """The same for some of the rows."""
        return _Sums(self._found, self._thing[some] + self._first, self._first)

    def add(self, name: str, which: Mask) -> None:
        if which.any():
            self._mine(name)[:] += self._count(self._thing if which.all() else self._thing[which])

    def sum(self, name: str, values: Float32) -> None:
        if values.any():
            column = self._mine(name)
            column += np.bincount(self._thing, values, len(column)).astype(np.float32)

    def put_mean(self, name: str, values: Float32) -> None:
        """Write the mean of the finite values of each thing; things without any stay as they are."""
        there, total, count = self._finite(values)
        self._mine(name)[there] = (total[there] / count[there]).astype(np.float32)

    def put_total(self, name: str, values: Float32) -> None:
        """Write the sum of the finite values of each thing; things without any stay as they are."""
        there, total, _ = self._finite(values)
        self._mine(name)[there] = total[there].astype(np.float32)

    def _finite(self, values: Float32) -> tuple[Mask, Float64, Index]:
        """Who has finite values, their sum, and how many they are."""
        fit, thing = np.isfinite(values), self._thing
        if not fit.all():
            thing, values = thing[fit], values[fit]
        count = self._count(thing)
        return count > 0, np.bincount(thing, values, len(count)).astype(np.float64, copy=False), count

    def _mine(self, name: str) -> Float32:
        column: Float32 = getattr(self._found, name)[self._first : self._first + A_TIME]
        return column

    def _count(self, thing: Index) -> Index:
        return np.bincount(thing, minlength=len(self._mine("heard")))


def _balance(sums: _Sums, balance: tuple[int, int, int], each: float, values: Float32, one: Float32) -> None:
    stock, inflow, outflow = balance
    change, net = values[:, stock] - one[:, stock], each * (values[:, inflow] - values[:, outflow])
    told = np.isfinite(change + net)
    if each == 1:  # where pieces differ in size nothing is equal
        sums.add("straight", told & (net != 0) & (change == net))
        sums.add("turned", told & (net != 0) & (change == -net))
    over = (change - net) / each
    small = told & (np.abs(over) <= MOST_OVER)
    sums.put_total("fits", np.where(small, over, np.nan))
    sums.sum("flow", np.where(small, (values[:, inflow] + values[:, outflow]) / 2, 0))


def _road(sums: _Sums, columns: RoadColumns, values: Float32, free_kmh: Float32) -> None:
    flow, occupancy, speed = (values[:, at] for at in (columns.flow, columns.occupancy, columns.speed))
    sums.add("full", (flow == 0) & (occupancy >= COVERED_PCT))
    sums.add("empty", (flow == 0) & (occupancy < EMPTY_PCT))
    moving = np.isfinite(speed) & (speed > 0) & (flow > 0)
    sums.add("moving", moving)
    sums.add("slow", moving & (speed < SLOW * free_kmh))
    sums.add("bare", moving & (occupancy == 0) & (flow * SHORTEST_M >= 10 * BARE_PCT * speed))
    sums.sum("flow", np.where(np.isfinite(flow), flow, 0))
    sums.sum("speed", np.where(moving, speed, 0))
    sums.put_mean("fits", columns.off_scale(values))


def _alive(values: Float32) -> Mask:
    found: Mask = np.logical_or.reduce((values != 0) & np.isfinite(values), axis=1)
    return found


def _impossible(columns: Columns, values: Float32) -> Mask:
    counts = columns.counts
    outside = (values[:, counts] < columns.low[counts]) | (values[:, counts] > columns.high[counts])
    found: Mask = np.logical_or.reduce(outside, axis=1)
    return found


def _missing(columns: Columns, values: Float32) -> Mask:
    """None of the main values, although nothing says that there is nothing to tell of: an empty road has no speed."""
    if not len(columns.main):
        return np.zeros(len(values), np.bool_)
    none: Mask = np.isnan(values[:, columns.main]).all(axis=1) & ~(values[:, columns.excuses] == 0).any(axis=1)
    return none


def _spikes(columns: Columns, values: Float32, one: Float32, two: Float32) -> Float32:
    """Whether the reading before left its neighbours, on both sides, by a leap, and came back.

    Of a kind that reads every few minutes each leap counts by half, too: what went by one and came back by another is a
    spike of several readings, and few readings come.
    """
    main = columns.main
    span = np.where(np.isfinite(columns.high[main]), columns.high[main] - columns.low[main], np.nan)
    usable = (values >= columns.low) & (values <= columns.high)
    up, down = one[:, main] - two[:, main], one[:, main] - np.where(usable, values, np.nan)[:, main]
    leap = np.minimum(np.abs(up), np.abs(down))
    around = np.abs(down - up)
    found: Mask = ((up * down > 0) & (leap > LEAP * span) & (around < BACK * leap)).any(axis=1)
    spikes: Float32 = found.astype(np.float32)
    if columns.kind.period_s > SLOW_S:
        leapt: Mask = np.logical_or.reduce(np.abs(down) > LEAP * span, axis=1)
        spikes += np.float32(0.5) * leapt
    return spikes
