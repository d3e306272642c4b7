"""Means of five minutes over the last hour, and what is usual at an hour of the week."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.situations.habits import HOURS, Habits
from analytics.situations.means import BIN_US, Means
from analytics.week import Week

MINUTE = 60_000_000
START = 1_772_409_600_000_000
"""Monday 2 March 2026, 00:00 UTC, 01:00 in Paris."""


def fed(minutes: int) -> Means:
    """Two things, a reading a minute: the minute, and ten times that with every second one missing."""
    means = Means(1)
    means.grow(2)
    for minute in range(minutes):
        second = 10.0 * minute if minute % 2 else np.nan
        values = np.array([[minute], [second]], np.float32)
        means.add(np.arange(2), np.full(2, START + minute * MINUTE), values)
    return means


def test_mean_is_over_the_bins_that_begin_inside() -> None:
    means, both = fed(30), np.arange(2)
    assert means.over(both, 0, START, START + BIN_US).tolist() == [2.0, 20.0]
    assert means.over(both, 0, START + BIN_US, START + 3 * BIN_US).tolist() == [9.5, 90.0]


def test_nothing_known_is_nan_and_what_is_old_is_forgotten() -> None:
    means = fed(120)
    assert np.isnan(means.over(np.array([0]), 0, START, START + BIN_US)[0])
    assert np.isnan(means.over(np.array([0]), 0, START + 120 * MINUTE, START + 125 * MINUTE)[0])
    assert means.over(np.array([0]), 0, START + 115 * MINUTE, START + 120 * MINUTE)[0] == 117.0


def test_what_is_written_comes_back() -> None:
    means, other = fed(50), Means(1)
    other.grow(2)
    other.read(1, means.written(1))
    assert other.over(np.array([1]), 0, START, START + 50 * MINUTE) == means.over(
        np.array([1]), 0, START, START + 50 * MINUTE
    )


def test_memory_of_another_width_is_left() -> None:
    other = Means(2)
    other.grow(1)
    other.read(0, fed(5).written(0))
    assert np.isnan(other.over(np.array([0]), 0, START, START + BIN_US)[0])


def test_usual_value_lies_between_the_middles_of_two_hours() -> None:
    table = np.arange(HOURS, dtype=np.float32)
    habits = Habits({("a", "flow"): table}, Week("Europe/Paris"))
    assert habits.at("a", "flow", START + 30 * MINUTE) == 1.0
    assert habits.at("a", "flow", START + 60 * MINUTE) == pytest.approx(1.5)
    assert np.isnan(habits.at("a", "speed", START))
    assert habits.most("a", "flow") == HOURS - 1
