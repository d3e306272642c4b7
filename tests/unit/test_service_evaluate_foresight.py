"""Scores of forecasts, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from service.evaluate.foresight import Interval, calibrated, errors, later

NAN = np.nan


def column(*speeds: float) -> np.ndarray:
    return np.array([speeds], np.float32).T


def test_errors_coverage_and_winkler() -> None:
    """Two steps ahead: 60 for 64 inside 50..70; 80 for 50, 20 below 70..90; none for 40; 30 for 41, 1 above 20..40."""
    speed = column(0, 0, 64, 50, 40, 41)
    ahead = column(60, 80, NAN, 30, 99, 99)
    found = errors(Interval(ahead, ahead - 10, ahead + 10), speed, column(0, 0, 0, 1, 1, 1) == 1, 2)
    assert found == pytest.approx(
        {
            "mae": (4 + 30 + 11) / 3,
            "mae_congested": (30 + 11) / 2,
            "coverage": 1 / 3,
            "coverage_congested": 0.0,
            "winkler": 20 + 10 * (20 + 1) / 3,
        }
    )


def test_without_truth_nothing_is_congested() -> None:
    speed = column(50, 50, 50)
    found = errors(Interval(speed, speed, speed), speed, None, 1)
    assert (found["mae"], found["coverage"]) == (0, 1)
    assert np.isnan([found["mae_congested"], found["coverage_congested"]]).all()


def test_calibrated_interval_knows_only_what_has_come() -> None:
    speed = np.random.default_rng(1).normal(80, 10, (500, 3)).astype(np.float32)
    changed = speed.copy()
    changed[300:] = 5
    one, other = (calibrated(each, each, 6) for each in (speed, changed))
    np.testing.assert_array_equal(one.low[:300], other.low[:300])
    np.testing.assert_array_equal(one.high[:300], other.high[:300])


def test_calibrated_interval_comes_to_hold_four_of_five() -> None:
    speed = np.random.default_rng(2).normal(80, 3, (4000, 20)).astype(np.float32)
    usual = np.full_like(speed, 80)
    made = calibrated(usual, speed, 3)
    inside = (speed[3:] >= made.low[:-3]) & (speed[3:] <= made.high[:-3])
    assert inside[2000:].mean() == pytest.approx(0.8, abs=0.01)


def test_later_is_what_is_said_of_then() -> None:
    np.testing.assert_array_equal(later(column(1, 2, 3), 1), column(2, 3, NAN))
