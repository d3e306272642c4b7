"""Situations against the components of a truth, on a row of four stations at six times."""

from __future__ import annotations

import numpy as np
import pytest
from making import some_situation

from analytics.situations.situation import Notice, Situation, Span, Step
from service.evaluate.drive import Shown
from service.evaluate.grouping import grouping, truth_components
from simulators.recording import Recording

STEP = 300
NAMES = ["a", "b", "c", "d"]


def recording(*rows: str) -> Recording:
    """One row a time, one sign a station: # congested, ~ slowed, . free."""
    truth = np.array([[{"#": 1, "~": -1, ".": 0}[sign] for sign in row] for row in rows], np.int8)
    return Recording(
        time=STEP * np.arange(len(rows)),
        station=np.array(NAMES),
        free_speed_kmh=np.full(4, 100, np.float32),
        speed_kmh=np.full(truth.shape, 50, np.float32),
        position_km=np.arange(4.0),
        truth=truth,
    )


def situation(name: str, *stays: tuple[str, int, int | None]) -> Situation:
    spans = tuple(
        Span(sensor, first * STEP * 1_000_000, None if last is None else last * STEP * 1_000_000)
        for sensor, first, last in stays
    )
    at_us = spans[0].from_us
    return some_situation(id=name, at_us=at_us, onset_us=at_us, spans=spans)


def shown(*situations: Situation) -> Shown:
    found = Shown.nothing(6, list(NAMES))
    found.notices.extend(Notice(Step.BEGAN, one) for one in situations)
    found.situations.extend(situations)
    return found


def test_truth_is_joined_by_neighbours_and_over_time() -> None:
    found = truth_components(recording("##..", "#..#", "...#", "#...", "#...", "#..."))
    assert len(np.unique(found[found >= 0])) == 3
    assert found[0, 0] == found[0, 1] == found[1, 0]
    assert len({found[1, 0], found[1, 3], found[3, 0]}) == 3


def test_situations_that_are_the_components_are_pure_and_complete() -> None:
    rows = recording("##..", "##..", "#...", "....", "...#", "...#")
    score = grouping(rows, shown(situation("one", ("a", 0, 2), ("b", 0, 1)), situation("two", ("d", 4, None))))
    assert (score.situations, score.purity, score.completeness) == (2, 1.0, 1.0)


def test_what_lies_outside_its_component_is_impure_but_not_what_is_slowed() -> None:
    rows = recording("##..", "##..", "~~..", "....", "....", "....")
    assert grouping(rows, shown(situation("one", ("a", 0, 2), ("b", 0, 2)))).purity == 1.0
    assert grouping(rows, shown(situation("one", ("a", 0, 3), ("b", 0, 2)))).purity == pytest.approx(4 / 5)


def test_component_in_two_situations_is_as_complete_as_the_larger() -> None:
    rows = recording("####", "....", "....", "....", "....", "....")
    one, other = situation("one", ("a", 0, 0), ("b", 0, 0), ("c", 0, 0)), situation("two", ("d", 0, 0))
    score = grouping(rows, shown(one, other))
    assert (score.purity, score.completeness) == (1.0, 0.75)


def test_load_is_the_most_that_began_within_ten_minutes() -> None:
    rows = recording(*["...."] * 6)
    begun = [situation(f"{k}", ("a", first, None)) for k, first in enumerate((0, 0, 1, 2, 4))]
    assert grouping(rows, shown(*begun)).max_new_per_10min == 3
