"""Which readings of a clock that is hours off are put right, and which are left."""

from __future__ import annotations

import numpy as np

from analytics.health.hours import HOUR_US, Hours, Wrong
from sensors.fault import Fault

MINUTE_US = 60_000_000
FAULT = Fault.CLOCK_OFFSET


def put(hours: Hours, *true_min: int, late_h: float) -> list[int | None]:
    """True times in minutes of readings that came so late; None where they are of no use."""
    late_us = np.full(len(true_min), round(late_h * HOUR_US))
    found, useful = hours.true_us(0, np.array(true_min) * MINUTE_US - late_us, late_us)
    minutes = (found // MINUTE_US).tolist()
    return [minute if use else None for minute, use in zip(minutes, useful.tolist(), strict=True)]


def test_only_what_is_as_late_as_the_clock_is_wrong_is_put_right_once_that_is_known() -> None:
    hours = Hours()
    hours.begin(0, Wrong(FAULT, -2 * HOUR_US, 600 * MINUTE_US))
    assert put(hours, 590, 600, 700, late_h=2) == [None, 600, 700]
    assert put(hours, 700, late_h=0) == [700]
    assert put(hours, 700, late_h=1) == [640]


def test_what_was_put_right_before_stays_so_when_the_clock_is_wrong_again() -> None:
    hours = Hours()
    hours.begin(0, Wrong(FAULT, -2 * HOUR_US, 600 * MINUTE_US))
    hours.end(0, FAULT, 800 * MINUTE_US)
    hours.begin(0, Wrong(FAULT, -2 * HOUR_US, 1000 * MINUTE_US))
    assert put(hours, 700, 1100, late_h=2) == [700, 1100]


def test_a_clock_that_ends_another_fault_is_not_left() -> None:
    hours = Hours()
    hours.begin(0, Wrong(FAULT, 3 * HOUR_US, 600 * MINUTE_US))
    hours.end(0, Fault.DAYLIGHT_SAVING, 700 * MINUTE_US)
    hours.end(1, FAULT, 700 * MINUTE_US)
    assert put(hours, 710, late_h=-3) == [710]
    assert hours.numbers == [0]


def test_a_clock_that_was_set_right_is_forgotten_a_day_later() -> None:
    hours = Hours()
    for number, until_min in ((0, 800), (1, None)):
        hours.begin(number, Wrong(FAULT, 3 * HOUR_US, 600 * MINUTE_US))
        if until_min is not None:
            hours.end(number, FAULT, until_min * MINUTE_US)
    hours.forget((800 + 24 * 60) * MINUTE_US)
    assert hours.numbers == [0, 1]
    hours.forget((801 + 24 * 60) * MINUTE_US)
    assert hours.numbers == [1]
