"""Weeks, holidays and what is usual in them."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics import holidays
from analytics.holidays import easter, french_holidays
from analytics.usual import Profile, Usual, given, learn
from analytics.week import SLOTS, Week, within

PARIS = ZoneInfo("Europe/Paris")
NAN = np.nan


def us(*moment: int, zone: ZoneInfo | None = PARIS) -> int:
    return int(datetime(*moment, tzinfo=zone or UTC).timestamp()) * 1_000_000


def slot(day: int, hour: int, minute: int = 0) -> int:
    return (day * 24 + hour) * 4 + minute // 15


@pytest.mark.parametrize(
    ("year", "day"),
    [(2000, (4, 23)), (2008, (3, 23)), (2019, (4, 21)), (2024, (3, 31)), (2025, (4, 20)), (2038, (4, 25))],
)
def test_easter(year: int, day: tuple[int, int]) -> None:
    assert easter(year) == date(year, *day)


def test_example_of_easter_holds() -> None:
    assert doctest.testmod(holidays).failed == 0


def test_french_holidays_of_2026() -> None:
    expected = [(1, 1), (4, 6), (5, 1), (5, 8), (5, 14), (5, 25), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)]
    assert sorted(french_holidays(2026)) == [date(2026, *day) for day in expected]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ((2026, 3, 2, 0, 0), slot(0, 0)),
        ((2026, 3, 8, 23, 59), SLOTS - 1),
        ((2026, 7, 6, 8, 20), slot(0, 8, 15)),
        ((2026, 7, 14, 8, 20), slot(6, 8, 15)),
        ((2026, 5, 25, 17, 0), slot(6, 17)),
    ],
)
def test_slots_follow_the_clock_on_the_wall_and_holidays_are_sundays(moment: tuple[int, ...], expected: int) -> None:
    assert Week("Europe/Paris").slots(np.array([us(*moment)])).tolist() == [expected]


def test_holidays_are_french_where_the_clock_is() -> None:
    assert Week("UTC").slots(np.array([us(2026, 7, 14, 8, 20, zone=None)])).tolist() == [slot(1, 8, 15)]


def test_slots_of_many_instants_and_of_rubbish() -> None:
    times = np.array([us(2026, 3, 2, 0, 0), us(2026, 3, 2, 0, 15), -(2**62), 2**62])
    slots = Week("Europe/Paris").slots(times)
    assert slots[:2].tolist() == [0, 1]
    assert ((slots >= 0) & (slots < SLOTS)).all()
    assert within(times[:2] + 450_000_000).tolist() == [0.5, 0.5]


def weeks_of(count: int) -> tuple[np.ndarray, np.ndarray]:
    """5-min means: 90 km/h, 40 on Monday mornings at eight."""
    times = us(2026, 1, 12, 0, 0) + 300_000_000 * np.arange(2016 * count)
    local = np.array([datetime.fromtimestamp(t / 1e6, PARIS) for t in times])
    jam = np.array([moment.weekday() == 0 and moment.hour == 8 for moment in local])
    return times, np.where(jam, 40, 90).astype(np.float32)


def test_profile_is_median_and_spread_of_each_quarter_hour() -> None:
    times, speeds = weeks_of(4)
    speeds += np.repeat(np.arange(4), 2016)
    speeds[np.flatnonzero(speeds == 40)] = 5
    found = learn(times, speeds, Week("Europe/Paris"))
    assert found.speed_kmh[slot(0, 8)] == 41.5
    assert found.speed_kmh[slot(2, 8)] == 91.5
    assert found.spread_kmh[slot(2, 8)] == 1


def test_first_week_knows_only_what_it_has_seen_and_no_spread() -> None:
    times, speeds = weeks_of(1)
    found = learn(times[: 3 * 288], speeds[: 3 * 288], Week("Europe/Paris"))
    assert np.isnan(found.speed_kmh).sum() == SLOTS - 3 * 96
    assert np.isnan(found.spread_kmh).all()


def test_nothing_teaches_nothing() -> None:
    none = np.zeros(0, np.int64)
    assert np.isnan(learn(none, none.astype(np.float32), Week("UTC")).speed_kmh).all()


def test_given_speeds_are_condensed_and_may_begin_anywhere() -> None:
    found = given(300, 7 * 86_400 - 600, np.array([10, 20, 30, NAN, 50], np.float32))
    assert found.speed_kmh[[SLOTS - 1, 0, 1]].tolist()[:2] == [15, 40]
    assert np.isnan(found.speed_kmh[1])
    assert np.isnan(found.spread_kmh).all()


def test_usual_speed_is_interpolated_between_the_middles_of_quarter_hours() -> None:
    speed = np.full(SLOTS, NAN, np.float32)
    speed[[0, 1, SLOTS - 1]] = [60, 80, 40]
    usual = Usual.of({1: Profile(speed, np.full(SLOTS, 5, np.float32))}, ["Europe/Paris"] * 2)
    start = us(2026, 3, 2, 0, 0)
    minutes = np.array([0, 7.5, 15, 22.5, 29, 40])
    found, spread = usual.at(np.ones(6, np.intp), start + (60e6 * minutes).astype(np.int64))
    np.testing.assert_allclose(found, [50, 60, 70, 80, 80, NAN])
    assert spread.tolist() == [5] * 6


def test_thing_without_a_profile_has_nothing_usual() -> None:
    usual = Usual.of({}, ["UTC", "Europe/Paris"])
    assert np.isnan(usual.at(np.array([0, 1]), np.zeros(2, np.int64))).all()
