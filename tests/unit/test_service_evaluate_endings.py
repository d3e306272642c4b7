"""Expected ends against ends, as they were announced."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

import pytest
from making import some_situation

from analytics.situations.situation import Expectation, Notice, Situation, Step
from service.evaluate.drive import Shown
from service.evaluate.endings import endings

MINUTE = 60_000_000


def found(name: str, low: int, median: int, high: int) -> Situation:
    """Found at minute 0."""
    expected = Expectation(low * MINUTE, median * MINUTE, high * MINUTE)
    return some_situation(id=name, at_us=0, onset_us=0, expected_end=expected)


def shown(*lives: tuple[Situation, int | None, str | None]) -> Shown:
    told = Shown.nothing(0, [])
    for begun, end, parent in lives:
        told.notices.append(Notice(Step.BEGAN, begun))
        over = replace(begun, end_us=None if end is None else end * MINUTE, parent=parent, expected_end=None)
        told.situations.append(over)
    return told


def test_error_and_share_held_are_those_of_the_announcement() -> None:
    scored = endings(shown((found("a", 5, 20, 60), 50, None), (found("b", 5, 20, 60), 10, None)))
    assert (scored.end_error_median_min, scored.end_error_constant_min, scored.end_coverage_80) == (20, 20, 1)
    assert endings(shown((found("a", 30, 40, 60), 10, None))).end_coverage_80 == 0


def test_what_became_part_of_another_is_over_with_that() -> None:
    scored = endings(shown((found("a", 5, 20, 60), 100, None), (found("b", 5, 90, 120), 10, "a")))
    assert scored.end_error_median_min == pytest.approx((80 + 10) / 2)


def test_what_still_stands_is_not_scored() -> None:
    assert isnan(endings(shown((found("a", 5, 20, 60), None, None))).end_error_median_min)
