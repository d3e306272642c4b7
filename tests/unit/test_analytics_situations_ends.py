"""Expected ends: what is learnt, what is known of this one, and the range."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.settings import Thing
from analytics.situations.ends import Ends, Life, Outset, read_life, written_life
from analytics.situations.habits import NONE, Habits
from analytics.situations.situation import Expectation
from analytics.situations.usually import Usually
from analytics.usual import Profile, Usual
from analytics.week import SLOTS, Week
from sensors.kind import load_kinds

MINUTE = 60_000_000
KINDS = load_kinds()
MONDAY_US = 1_772_406_000 * 1_000_000
"""Monday 2 March 2026, 00:00 in Paris."""


def outset(minute: int = 0, hour: float = 1.0, foreseen: int | None = None) -> Outset:
    from_us = (minute if foreseen is None else foreseen) * MINUTE
    return Outset("road", from_us, foreseen=foreseen is not None, hour=hour)


def lived(ends: Ends, begun: Outset, end: int, onset: int = 0) -> Expectation:
    told = ends.expect(begun, min(begun.from_us, onset * MINUTE) if begun.foreseen else begun.from_us)
    ends.learn(Life(first=(begun, told)), end * MINUTE)
    return told


def minutes(end: Expectation) -> tuple[float, float, float]:
    return end.low_us / MINUTE, end.median_us / MINUTE, end.high_us / MINUTE


def test_lives_of_the_past_are_expected_of_the_next() -> None:
    ends = Ends()
    for k in range(100):
        lived(ends, outset(k), k + 50)
    low, median, high = minutes(ends.expect(outset(), 0))
    assert low <= median == 50 <= high


def test_the_longer_it_has_lasted_the_longer_it_will() -> None:
    ends = Ends()
    left = [minutes(ends.expect(outset(), age * MINUTE))[1] - age for age in (0, 30, 120, 600)]
    assert left == sorted(left)
    assert left[0] < 25
    assert left[2] > 60


def test_where_an_end_is_foreseen_the_misses_of_the_past_are_expected() -> None:
    ends = Ends()
    for k in range(60):
        lived(ends, outset(foreseen=1000 * k + 180), 1000 * k + 190, onset=1000 * k)
    assert minutes(ends.expect(outset(foreseen=100), 0))[1] == pytest.approx(110)
    assert minutes(ends.expect(outset(foreseen=100), 200 * MINUTE))[0] >= 200


def test_what_is_foreseen_by_the_hour_is_learnt_apart() -> None:
    ends = Ends()
    for k in range(60):
        lived(ends, outset(foreseen=1000 * k + 180), 1000 * k + 240, onset=1000 * k)
    by_hour = replace(outset(foreseen=100), by_hour=True)
    assert minutes(ends.expect(by_hour, 0)) == pytest.approx(minutes(Ends().expect(by_hour, 0)))


def test_four_of_five_things_that_somebody_sees_to_are_over_within_twice_the_median_more_or_less() -> None:
    low, median, high = minutes(Ends().expect(Outset("gate", 0), 0))
    assert median == pytest.approx(50, abs=2)
    assert (low, high) == pytest.approx((median / 2.1, median * 2.1), rel=0.1)
    left = [minutes(Ends().expect(Outset("gate", 0), age * MINUTE))[1] - age for age in (60, 120, 600)]
    assert left == sorted(left)


def test_lives_that_began_at_such_an_hour_count_most() -> None:
    ends = Ends()
    for k in range(60):
        lived(ends, outset(k, 0.95), k + 10)
        lived(ends, outset(k, 0.75), k + 200)
    assert minutes(ends.expect(outset(hour=0.95), 0))[1] == pytest.approx(10, abs=5)
    assert minutes(ends.expect(outset(hour=0.75), 0))[1] == pytest.approx(200, abs=5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_four_of_five_ranges_hold_the_end_also_when_lives_change(seed: int) -> None:
    """Lives of two hours after lives of half an hour: the first ranges miss, later ones do not."""
    ends, generator = Ends(), np.random.default_rng(seed)
    held = []
    for k in range(600):
        end = k + int(generator.lognormal(np.log(30 if k < 200 else 120), 0.8))
        first = lived(ends, outset(k), end)
        held.append(first.low_us <= end * MINUTE <= first.high_us)
    assert 0.75 <= np.mean(held) <= 0.85


def test_part_of_another_is_over_when_that_is() -> None:
    ends, first = Ends(), (outset(), Ends().expect(outset(), 0))
    whole = Life(first=first, inherited=[Life(first=first)])
    ends.learn(whole, 300 * MINUTE)
    assert [minutes for minutes, _ in ends.memory()["lives"]["road"]] == [300, 300]


def test_memory_brings_everything_back() -> None:
    ends, again = Ends(), Ends()
    for k in range(20):
        lived(ends, outset(k, 0.9, k + 60 if k % 2 else None), k + 37 * (k % 5), onset=k)
    again.restore(json.loads(json.dumps(ends.memory())))
    assert again.expect(outset(), 0) == ends.expect(outset(), 0)
    assert again.expect(outset(foreseen=70), 0) == ends.expect(outset(foreseen=70), 0)
    told = ends.expect(outset(), 5 * MINUTE)
    one = Life((40 * MINUTE, True), 7 * MINUTE, told, (outset(3, 0.8, 40), told), [Life()])
    assert read_life(json.loads(json.dumps(written_life(one)))) == one


@pytest.fixture
def usually() -> Usually:
    """One thing that is usually congested on Mondays from 07:00 to 09:00."""
    speed = np.full(SLOTS, 90, np.float32)
    speed[28:36] = 40
    thing = Thing("s", "S", KINDS["traffic"], 30, free_speed_kmh=100)
    usual = Usual.of({0: Profile(speed, np.full(SLOTS, 3, np.float32))}, ["Europe/Paris"])
    return Usually(usual, np.array([0]), [thing])


@pytest.mark.parametrize(
    ("minute", "least", "end"),
    [(7 * 60 + 10, 0.4, 9 * 60), (6 * 60 + 40, 0.4, 9 * 60), (6 * 60, 0.9, None), (9 * 60 + 5, 0.9, None)],
)
def test_usual_congestion_counts_now_and_within_half_an_hour(
    usually: Usually, minute: int, least: float, end: int | None
) -> None:
    found = usually.look([0], MONDAY_US + minute * MINUTE, NONE)
    assert found.least == pytest.approx(least, abs=0.01)
    assert found.over_us == (None if end is None else MONDAY_US + end * MINUTE)


def test_usual_speeds_of_the_hour_stand_in_for_those_of_the_quarter() -> None:
    """What ends with the hour is half-way up between the middles of two, however near the end is."""
    thing = Thing("s", "S", KINDS["traffic"], 30, free_speed_kmh=100)
    unknown = Usually(Usual.of({}, ["Europe/Paris"]), np.array([0]), [thing])
    hours = np.full(168, 90, np.float32)
    hours[7:9] = 40
    habits = Habits({("s", "speed_kmh"): hours}, Week("Europe/Paris"))
    for minute in (7 * 60, 8 * 60 + 40):
        found = unknown.look([0], MONDAY_US + minute * MINUTE, habits)
        assert found.least < 0.68
        assert found.by_hour
        assert found.over_us is not None
        assert (found.over_us - MONDAY_US) / MINUTE == pytest.approx(9 * 60, abs=1)
    assert unknown.look([0], MONDAY_US + 7 * 60 * MINUTE, NONE).over_us is None
