"""The scorer on truths and alarms whose scores are worked out by hand."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from service.evaluate.runs import runs_of
from service.evaluate.scores import levels_exact, score, smoothed, widening

NAN = np.nan


def mask(*stations: str) -> np.ndarray:
    """One string a station, one sign a step; # is set."""
    return np.array([[sign == "#" for sign in station] for station in stations]).T


def quiet(event: np.ndarray) -> np.ndarray:
    return np.zeros_like(event)


def test_runs_of_several_stations_touch_only_their_own() -> None:
    runs = runs_of(mask("##..#", "....#", "#...."))
    assert len(runs) == 4
    assert runs.touched_by(runs_of(mask(".#.#.", ".....", ".####"))).tolist() == [1, 0, 0, 0]
    assert runs.widened(1).touched_by(runs_of(mask(".#.#.", ".....", ".####"))).tolist() == [1, 1, 0, 1]


def test_widening_is_15_min_at_5_min_and_5_min_at_30_s() -> None:
    assert [widening(300), widening(30), widening(60), widening(600)] == [3, 10, 5, 1]


def test_alarm_that_misses_by_15_min_is_true_and_one_step_more_is_false() -> None:
    event = mask("....##......", "....##......")
    found = score(mask("#...........", ".........#.."), event, quiet(event), 300)
    assert (found.detection_rate, found.precision) == (0.0, 0.0)
    found = score(mask(".#..........", "........#..."), event, quiet(event), 300)
    assert (found.events, found.detection_rate, found.precision, found.f1) == (2, 1.0, 1.0, 1.0)
    assert found.delay_mean_min == pytest.approx(5 * (-3 + 4) / 2)


def test_every_figure_of_a_small_day() -> None:
    """288 steps of 5 min make a day: two stations, so two station-days.

    Station one: event at 100-111, alarms at 101-104 and 108-115 (both true) and 200-201 (false). Station two: events at
    50-59 (alarm at 53) and 150-159 (none), slowed at 250-259 with a nuisance alarm.
    """
    event, slowed, alarm = (np.zeros((288, 2), np.bool_) for _ in range(3))
    event[100:112, 0] = event[50:60, 1] = event[150:160, 1] = True
    slowed[250:260, 1] = True
    for first, last, station in ((101, 104, 0), (108, 115, 0), (200, 201, 0), (53, 54, 1), (255, 262, 1)):
        alarm[first : last + 1, station] = True

    assert asdict(score(alarm, event, slowed, 300)) == pytest.approx(
        {
            "events": 3,
            "detection_rate": 2 / 3,
            "false_per_station_day": 0.5,
            "nuisance_per_station_day": 0.5,
            "precision": 3 / 4,
            "f1": 2 * (3 / 4) * (2 / 3) / (3 / 4 + 2 / 3),
            "delay_mean_min": 10.0,
            "delay_median_min": 10.0,
            "delay_p90_min": 14.0,
            "alarms_per_event": 3 / 2,
        }
    )


def test_alarm_over_two_events_finds_both_and_is_one_alarm_of_each() -> None:
    event = mask("..####........####......")
    found = score(mask("...###############......"), event, quiet(event), 300)
    assert (found.detection_rate, found.alarms_per_event) == (1.0, 1.0)
    assert found.delay_mean_min == pytest.approx(5 * (1 - 3) / 2)


def test_alarm_that_touches_event_and_slowed_time_is_true() -> None:
    event, slowed = mask("...###......"), mask("......##....")
    found = score(mask(".....###...."), event, slowed, 300)
    assert (found.precision, found.nuisance_per_station_day) == (1.0, 0.0)


def test_without_events_or_alarms_there_is_no_rate() -> None:
    none = mask("....")
    found = score(none, none, none, 300)
    assert found.events == 0
    assert np.isnan(
        [found.detection_rate, found.precision, found.f1, found.delay_mean_min, found.alarms_per_event]
    ).all()
    assert found.false_per_station_day == 0


def test_smoothing_is_a_centred_median_over_25_min() -> None:
    speeds = np.array([[10, 20, 90, 30, 40, NAN, NAN, NAN, NAN, NAN, 50]], np.float32).T
    expected = [20, 25, 30, 35, 40, 35, 40, NAN, 50, 50, 50]
    np.testing.assert_array_equal(smoothed(speeds, 300)[:, 0], np.array(expected, np.float32))


def test_smoothing_at_30_s_is_over_5_min() -> None:
    speeds = np.zeros((41, 1), np.float32)
    speeds[20:25] = 100
    assert smoothed(speeds, 30).max() == 0
    speeds[20:26] = 100
    assert smoothed(speeds, 30)[20:26].max() == 100


def test_level_is_exact_where_it_is_that_of_the_ratio() -> None:
    ratio = np.array([[0.75, 0.74, 0.60, 0.59, 0.35, 0.34, NAN, 1.2]], np.float32)
    assert levels_exact(np.array([[0, 1, 1, 2, 2, 3, 3, 0]], np.int8), ratio) == 1
    assert levels_exact(np.array([[0, 0, 1, 2, 2, 2, 0, -1]], np.int8), ratio) == pytest.approx(4 / 7)
