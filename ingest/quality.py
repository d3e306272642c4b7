"""Remarks on the readings of one kind, by column: what each value can be, what it was before, and whose clock is off.

The limits come from the kind's definition; `docs/quality.md` lists every check with its formula. A reading is stored
whatever is remarked on it. Memory is one row for every known thing that ever spoke here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from ingest.clock import Clocks
from ingest.columns import ClockOffset, Columns
from ingest.previous import Mask, Places, Previous
from sensors.checks import Below, Mismatch, ZeroWhile
from sensors.kind import Kind
from sensors.level import Quality

LATE = "late"
"""Counted beside the bits: the stored times say it of every reading."""
OUT_OF_ORDER = Quality.OUT_OF_ORDER.label


def without_repeats(remarks: Mapping[str, int], duplicates: int) -> Mapping[str, int]:
    """Counts by remark, `duplicates` of them known by now: a repeated reading is a duplicate and not out of order."""
    return {**remarks, OUT_OF_ORDER: max(0, remarks.get(OUT_OF_ORDER, 0) - duplicates)}


class Arrivals(NamedTuple):
    """Readings as they arrived, (n,) each: who, is the clock known to be off, does ours count at its site."""

    places: Places
    off: Mask
    wall: Mask

    def only(self, keep: Mask) -> Arrivals:
        return Arrivals(self.places[keep], self.off[keep], self.wall[keep])


class Checks:
    """The checks of one kind, with what they remember."""

    def __init__(self, kind: Kind) -> None:
        self._values = ValueChecks(kind)
        self._previous = Previous(kind)
        self._clocks = Clocks(kind.clock_tolerance_s)
        self._late_after_us = kind.late_after_s * 1e6
        # What a part publishes shares the clock of its sensor: it is marked by its own arrivals but not told twice.
        self._tells = not kind.part_of
        self._places: dict[str, int] = {}
        self._things: list[str] = []

    @property
    def clocks_off(self) -> int:
        return self._clocks.off if self._tells else 0

    def arrived(
        self, things: list[str], time_us: NDArray[np.int64], received_us: NDArray[np.int64], wall: Mask
    ) -> Arrivals:
        """Take note of arrivals, those from the future included: they tell most about a clock."""
        places, off = self._place(things), np.zeros(len(things), np.bool_)
        delay_us = received_us - time_us
        if wall.all():
            off = self._clocks.observe(places, delay_us, received_us)
        elif wall.any():
            off[wall] = self._clocks.observe(places[wall], delay_us[wall], received_us[wall])
        return Arrivals(places, off, wall)

    def remark(self, columns: Columns, arrivals: Arrivals, counts: Counter[str]) -> None:
        """Set the quality of the columns, in place, and count readings by remark."""
        quality, usable = self._values.check(columns.values)
        too_fast, older = self._previous.follow(arrivals.places, columns.time_us, usable)
        _mark(quality, too_fast, Quality.RATE)
        _mark(quality, arrivals.off, Quality.CLOCK)
        _mark(quality, older, Quality.OUT_OF_ORDER)
        columns.quality[:] = quality
        late = arrivals.wall & (columns.received_us - columns.time_us > self._late_after_us)
        counts[LATE] += int(np.count_nonzero(late))
        if quality.any():
            counts.update({bit.label: int(np.count_nonzero(quality & bit)) for bit in Quality})

    def take_clocks(self, limit: int) -> Iterator[ClockOffset]:
        """Clock offsets to store, at most `limit` of them."""
        return self._clocks.take(self._things, limit) if self._tells else iter(())

    def _place(self, things: list[str]) -> Places:
        try:
            return np.fromiter(map(self._places.__getitem__, things), np.intp, len(things))
        except KeyError:
            for thing in dict.fromkeys(things).keys() - self._places.keys():
                self._places[thing] = len(self._things)
                self._things.append(thing)
        self._previous.grow(len(self._places))
        self._clocks.grow(len(self._places))
        return self._place(things)


class ValueChecks:
    """What can be said of a reading without any other: range, sentinel values, contradictions."""

    def __init__(self, kind: Kind) -> None:
        self._low = np.array([-np.inf if f.low is None else f.low for f in kind.fields], np.float32)
        self._high = np.array([np.inf if f.high is None else f.high for f in kind.fields], np.float32)
        self._sentinels = [
            (column, np.float32(value))
            for column, field in enumerate(kind.fields)
            for value in {*field.sentinels, *(common for common in kind.sentinels if not field.covers(common))}
        ]
        # Most sentinels are out of range: only the others need a look at every reading.
        low, high = self._low, self._high
        self._inside = [(at, value) for at, value in self._sentinels if low[at] <= value <= high[at]]
        self._mismatches = [
            (rule, kind.field_names.index(rule.field), kind.field_names.index(rule.other)) for rule in kind.mismatches
        ]

    def check(self, values: NDArray[np.float32]) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """The bits (n,) of values (n, fields), and the values with NaN for what cannot be. NaN gets no remark."""
        quality = np.zeros(len(values), np.int16)
        wrong: Mask = (values < self._low) | (values > self._high)
        sentinels = self._inside
        if wrong.any():
            sentinels = self._sentinels
            _mark(quality, np.logical_or.reduce(wrong, axis=1), Quality.OUT_OF_RANGE)
        for column, value in sentinels:
            said: Mask = values[:, column] == value
            wrong[:, column] |= said
            _mark(quality, said, Quality.SENTINEL)
        usable = np.where(wrong, np.float32(np.nan), values) if quality.any() else values
        for rule, field, other in self._mismatches:
            _mark(quality, _contradicts(rule, usable[:, field], usable[:, other]), Quality.MISMATCH)
        return quality, usable


def _mark(quality: NDArray[np.int16], where: Mask, bit: Quality) -> None:
    if where.any():
        quality[where] |= np.int16(bit)


def _contradicts(rule: Mismatch, value: NDArray[np.float32], other: NDArray[np.float32]) -> Mask:
    match rule:
        case ZeroWhile(above=above, until=until):
            contradicts: Mask = (value == 0) & (other > above) & (other < (np.inf if until is None else until))
        case Below():
            contradicts = value < other
        case _:
            assert_never(rule)
    return contradicts
