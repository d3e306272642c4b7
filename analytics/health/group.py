"""Readings of one group of things, by its own clock, into closed bins; strays beside them.

A group is what shares a clock: the port's sites of the wall's time, the port's sites of a replay, a recording's site.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics.clock import GroupClock
from analytics.health.features import Features
from analytics.health.rows import Rows
from analytics.health.summary import BIN_US, BINS, Summary
from analytics.state import NEVER
from analytics.table import Float32, Index, Int64, Mask, Table, run_of
from analytics.window import WINDOW_US
from sensors.level import Quality

Texts = NDArray[np.str_]

AHEAD_US = 120 * 1_000_000
"""How far ahead of the group's clock a reading may be (as ingest, for sites of the wall's clock)."""

SOON_US = BIN_US
"""A message that is repeated within this is a repetition of the wire, behind it an old one that somebody kept."""


TROUBLES: Mapping[str, str] = {
    "duplicate": "again",
    "conflict": "clash",
    "malformed": "garbled",
    "truncated": "cut",
    "oversized": "large",
    "not_in_schema": "typed",
    "wrong_type": "typed",
    "empty": "typed",
    "unit": "typed",
    "time": "typed",
    "identity": "renamed",
    "future": "early",
}
"""By what became of a message (a reason of the quarantine, or duplicate): the column of `Summary` that counts it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Messages of one thing that did not become readings: what became of them, how many, when the first came.

    `time_us` is when it was measured, None where nobody can tell.
    """

    thing: str
    what: str
    times: int
    received_us: int
    time_us: int | None


@dataclass(slots=True)
class Trouble(Table):
    """Messages that did not become readings, columns of shape (m,).

    thing: number within the group. what: name of the column of `Summary` that counts it. times: how many. received_us:
    when the first came. time_us: when the first was measured, -NEVER where nobody can tell.
    """

    thing: Index
    what: Texts
    times: Int64
    received_us: Int64
    time_us: Int64

    @classmethod
    def of(cls, some: list[tuple[int, Refused]]) -> Self:
        """Take messages that did not become readings, each with the number of its thing."""
        return cls(
            thing=np.array([number for number, _ in some], np.intp),
            what=np.array([TROUBLES[one.what] for _, one in some], np.str_),
            times=np.array([one.times for _, one in some], np.int64),
            received_us=np.array([one.received_us for _, one in some], np.int64),
            time_us=np.array([-NEVER if one.time_us is None else one.time_us for _, one in some], np.int64),
        )


def closing(clock_us: Int64) -> Int64:
    """Until when bins are closed by a clock: late readings have the window."""
    return (clock_us - WINDOW_US) // BIN_US * BIN_US


@dataclass(slots=True)
class _Strays(Table):
    """What is outside its bin: the latest bin in which it may have come, whose, and how late it was (ahead below 0).

    Of what came in an instant that stands for minutes nobody knows how late exactly: at most, and at least, so that the
    lowest of the one and the highest of the other are as near to each other as they may have been.
    """

    bin: Int64
    thing: Index
    what: Texts
    times: Int64
    at_most_s: Float32
    at_least_s: Float32

    @classmethod
    def of(cls, thing: Index, what: Texts, times: Int64, latest_us: Int64, behind_us: tuple[Int64, Int64]) -> Self:
        most_s, least_s = ((behind / 1e6).astype(np.float32) for behind in behind_us)
        return cls(latest_us // BIN_US, thing, what, times, most_s, least_s)


class Group:
    """The open bins of one group. wild_until_us: up to when each thing's readings from the future reach."""

    def __init__(self, features: Features, clock: GroupClock, much_later_us: Int64) -> None:
        """Take the group's clock, and by how much a reading of each thing is late that overtook others."""
        self.clock, self._features, self._much_later_us = clock, features, much_later_us
        self.wild_until_us = np.full(len(much_later_us), -NEVER, np.int64)
        self._open: list[Rows] = []
        self._strays: list[_Strays] = []
        self._closed_us = -NEVER

    @property
    def begun(self) -> bool:
        return self._closed_us != -NEVER

    def take(self, rows: Rows, received_us: Int64) -> None:
        """Take readings in order of arrival."""
        if not len(rows.thing):
            return
        arrived = self.clock.follow(rows.thing, rows.time_us, received_us)
        if not self.begun:
            self._closed_us = int(closing(arrived.earliest_us[:1])[0])
        self._arrived = (rows, received_us, arrived)
        behind_us = arrived.likely_us - rows.time_us
        late = rows.time_us < np.maximum(closing(arrived.earliest_us), self._closed_us)
        ahead = rows.time_us > arrived.latest_us + AHEAD_US
        told, astray = replace(rows, delay_s=(behind_us / 1e6).astype(np.float32)), late | ahead
        if astray.any():
            ones, behind = np.ones(len(late), np.int64), (behind_us, behind_us)
            what = np.where(late, "late", "ahead")
            self._astray(rows, _Strays.of(rows.thing, what, ones, arrived.latest_us, behind), astray)
            told = told.take(~astray)
        if len(told.thing):
            self._open.append(told)

    def _astray(self, rows: Rows, strays: _Strays, which: Mask) -> None:
        """Note readings outside their bins, and apart those that others overtook."""
        late = strays.what == "late"
        self._stray(strays, which)
        ahead = which & ~late
        np.maximum.at(self.wild_until_us, rows.thing[ahead], rows.time_us[ahead])
        overtaken = which & late & ((rows.quality & Quality.OUT_OF_ORDER) != 0)
        overtaken &= strays.at_least_s * 1e6 < self._much_later_us[rows.thing]
        self._stray(replace(strays, what=np.full(len(late), "behind")), overtaken)

    def trouble(self, troubles: Trouble) -> None:
        """Take what did not become readings, which came among those of the last `take`."""
        if not self.begun or not len(troubles.thing):
            return
        _, received, arrived = self._arrived
        at = np.clip(np.searchsorted(received, troubles.received_us, "right") - 1, 0, len(received) - 1)
        known = troubles.time_us != -NEVER
        behind_us, most_us = (
            np.where(known, clock[at] - troubles.time_us, 0) for clock in (arrived.earliest_us, arrived.latest_us)
        )
        what = np.where((troubles.what == "again") & (behind_us > SOON_US), "stale", troubles.what)
        # Another reading of this time is there already: what a clock that was set back says again of the past.
        what = np.where(what == "clash", np.where(behind_us < 0, "ahead", "late"), what)
        counted = (troubles.what != "clash") | (np.abs(behind_us) > SOON_US)
        late = (most_us, behind_us)
        self._stray(_Strays.of(troubles.thing, what, troubles.times, arrived.latest_us[at], late), counted)

    def late_us(self, number: Index, time_us: Int64, received_us: Int64) -> Int64:
        """How late each of some readings of the last `take` came, most likely, (n,); ahead of the clock below 0."""
        rows, received, arrived = self._arrived
        some = np.flatnonzero(np.isin(rows.thing, number))
        keys = zip(rows.thing[some].tolist(), rows.time_us[some].tolist(), received[some].tolist(), strict=True)
        late = dict(zip(keys, (arrived.likely_us - rows.time_us)[some].tolist(), strict=True))
        asked = zip(number.tolist(), time_us.tolist(), received_us.tolist(), strict=True)
        return np.array([late[key] for key in asked], np.int64)

    def close(self) -> Iterator[tuple[int, Summary]]:
        """Close every bin that the clock has left behind; its end (us) and its summary.

        Of a silence longer than anything looks back, the rest is passed over.
        """
        until, empty = (int(closing(np.array([self.clock.now_us]))[0]) if self.begun else self._closed_us), 0
        while self._closed_us < until:
            next_us = self._next_us()
            empty = empty + 1 if next_us >= self._closed_us + BIN_US else 0
            if empty > BINS:
                self._closed_us, empty = min(until, next_us), 0
                continue
            self._closed_us += BIN_US
            yield self._closed_us, self._summary(self._closed_us)

    def _next_us(self) -> int:
        """The bin of the first reading or stray that waits."""
        waiting = [int(strays.bin.min()) * BIN_US for strays in self._strays]
        waiting += [int(rows.time_us.min()) // BIN_US * BIN_US for rows in self._open]
        return min(waiting, default=NEVER)

    def _summary(self, end_us: int) -> Summary:
        summary = self._features.summary(
            [rows.look(run_of(np.flatnonzero(rows.time_us < end_us))) for rows in self._open]
        )
        rest = [rows.take(run_of(np.flatnonzero(rows.time_us >= end_us))) for rows in self._open]
        self._open = [rows for rows in rest if len(rows.thing)]
        for strays in self._strays:
            _add(summary, strays, strays.bin * BIN_US < end_us)
        later = [strays.take(strays.bin * BIN_US >= end_us) for strays in self._strays]
        self._strays = [strays for strays in later if len(strays.thing)]
        return summary

    def _stray(self, strays: _Strays, which: Mask) -> None:
        if which.any():
            self._strays.append(strays.take(which))


def _add(summary: Summary, strays: _Strays, which: Mask) -> None:
    for name in np.unique(strays.what[which]).tolist():
        some = np.flatnonzero(which & (strays.what == name))
        thing = strays.thing[some]
        np.add.at(getattr(summary, name), thing, strays.times[some].astype(np.float32))
        if name in {"late", "ahead"}:
            np.fmin.at(getattr(summary, f"{name}_low_s"), thing, strays.at_most_s[some])
            np.fmax.at(getattr(summary, f"{name}_high_s"), thing, strays.at_least_s[some])
