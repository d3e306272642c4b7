"""Clocks that are whole hours off: how many, and their readings at the time at which they were measured.

Whoever set the clock chose a time zone, so whole hours are exact. A reading is one of the wrong clock when it came late
(or ahead of the clock of its group) by about as much; when the clock was set right meanwhile it is left as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from analytics.readings import Readings
from analytics.state import NEVER
from analytics.table import Index, Int64, Mask
from sensors.clock import HOUR_S, whole_hours
from sensors.fault import Fault

HOUR_US: Final = round(HOUR_S * 1e6)

NEAR_US: Final = HOUR_US // 2
"""How far from the hours a reading may have come. Lower: in a fast replay, where an instant stands for up to half an
hour, readings of a wrong clock are left behind; higher: those of a clock that was set right count as wrong."""


KEPT_US: Final = 24 * HOUR_US
"""How long it is remembered what a clock said that was set right. What it measured before comes `NEAR_US` after that at
most; less: in a fast replay it is left where it was; more: batches are looked through for nothing."""

AHEAD: Final = "ahead_h"
"""What the evidence of a fault calls it."""


class Wrong(NamedTuple):
    """A clock that is ahead, behind below 0, and from when until when, in true time, it is put right."""

    fault: Fault
    ahead_us: int
    from_us: int
    until_us: int = NEVER


class Hours:
    """Which clocks of one group are whole hours off, by number."""

    def __init__(self) -> None:
        self._wrong: dict[int, list[Wrong]] = {}

    @property
    def numbers(self) -> list[int]:
        """Whose clock is, or was lately, wrong."""
        return list(self._wrong)

    def begin(self, number: int, wrong: Wrong) -> None:
        """Put right what a clock says from an instant on."""
        self._wrong[number] = [*self._wrong.get(number, [])[-1:], wrong]

    def end(self, number: int, fault: Fault, until_us: int) -> None:
        """Leave what comes from an instant on as it is."""
        if number in self._wrong:
            self._wrong[number] = [
                one._replace(until_us=min(one.until_us, until_us)) if one.fault is fault else one
                for one in self._wrong[number]
            ]

    def forget(self, now_us: int) -> None:
        """Forget clocks that were set right long ago."""
        for number, wrong in list(self._wrong.items()):
            if all(one.until_us < now_us - KEPT_US for one in wrong):
                del self._wrong[number]

    def true_us(self, number: int, time_us: Int64, late_us: Int64) -> tuple[Int64, Mask]:
        """The true times of readings of one thing, (n,), and which of them can be of use.

        late_us: how long after its time each came. Of what came before its clock was put right, nothing is known at the
        right time, and its own time may be still to come.
        """
        true_us, known, early = time_us.copy(), *np.zeros((2, len(time_us)), np.bool_)
        for one in self._wrong[number]:
            like = np.abs(late_us + one.ahead_us) <= NEAR_US
            told_us = time_us - one.ahead_us
            put = like & (told_us >= one.from_us) & (told_us < one.until_us)
            true_us[put] = told_us[put]
            known |= put
            early |= like & (told_us < one.from_us)
        return true_us, known | ~early

    def put_right(self, readings: Readings, rows: Index, number: Index, late_us: Int64) -> Readings:
        """Return readings at their true times: `rows` are of those here, by number, and how late each came."""
        true_us, useful = readings.time_us.copy(), np.ones(len(readings.thing), np.bool_)
        for one in np.unique(number).tolist():
            mine, late = rows[number == one], late_us[number == one]
            true_us[mine], useful[mine] = self.true_us(one, readings.time_us[mine], late)
        return replace(readings, time_us=true_us).take(np.flatnonzero(useful))


def hours_ahead(late_s: float) -> int | None:
    """By how many whole hours a clock is ahead, behind below 0; None where it is not whole hours."""
    return whole_hours(-late_s) if np.isfinite(late_s) else None
