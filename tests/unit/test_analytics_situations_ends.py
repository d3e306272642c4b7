"""Expected ends: what is learnt, what is known of this one, and the range."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.settings import Thing
from analytics.situations.ends import Ends, Life, read_life, written_life
from analytics.situations.situation import Expectation
from analytics.situations.usually import Usually
from analytics.usual import Profile, Usual
from analytics.week import SLOTS
from sensors.kind import load_kinds

MINUTE = 60_000_000
KINDS = load_kinds()
MONDAY_US = 1_772_406_000 * 1_000_000
"""Monday 2 March 2026, 00:00 in Paris."""


def life(minute: int = 0, hour: float = 1.0, usual: int | None = None) -> Life:
    return Life("road", minute * MINUTE, hour, None if usual is None else usual * MINUTE)


def lived(ends: Ends, begun: Life, end: int) -> Expectation:
    begun.first, begun.first_usual_us = ends.expect(begun, begun.onset_us), begun.usual_end_us
    ends.learn(begun, end * MINUTE)
    return begun.first


def minutes(end: Expectation) -> tuple[float, float, float]:
    return end.low_us / MINUTE, end.median_us / MINUTE, end.high_us / MINUTE


def test_lives_of_the_past_are_expected_of_the_next() -> None:
    ends = Ends()
    for k in range(100):
        lived(ends, life(k), k + 50)
    low, median, high = minutes(ends.expect(life(), 0))
    assert low <= median == 50 <= high


def test_the_longer_it_has_lasted_the_longer_it_will() -> None:
    ends = Ends()
    left = [minutes(ends.expect(life(), age * MINUTE))[1] - age for age in (0, 30, 120, 600)]
    assert left == sorted(left)
    assert left[0] < 25
    assert left[2] > 60


def test_what_is_usually_congested_ends_when_that_usually_ends() -> None:
    ends = Ends()
    for k in range(60):
        lived(ends, life(1000 * k, 0.5, 1000 * k + 180), 1000 * k + 190)
    assert minutes(ends.expect(life(0, 0.5, 100), 0))[1] == pytest.approx(110)
    assert minutes(ends.expect(life(0, 0.5, 100), 200 * MINUTE))[0] >= 200


def test_lives_that_began_at_such_an_hour_count_most() -> None:
    ends = Ends()
    for k in range(60):
        lived(ends, life(k, 0.95), k + 10)
        lived(ends, life(k, 0.75), k + 200)
    assert minutes(ends.expect(life(hour=0.95), 0))[1] == pytest.approx(10, abs=5)
    assert minutes(ends.expect(life(hour=0.75), 0))[1] == pytest.approx(200, abs=5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_four_of_five_ranges_hold_the_end_also_when_lives_change(seed: int) -> None:
    """Lives of two hours after lives of half an hour: the first ranges miss, later ones do not."""
    ends, generator = Ends(), np.random.default_rng(seed)
    held = []
    for k in range(600):
        end = k + int(generator.lognormal(np.log(30 if k < 200 else 120), 0.8))
        first = lived(ends, life(k), end)
        held.append(first.low_us <= end * MINUTE <= first.high_us)
    assert 0.75 <= np.mean(held) <= 0.85


def test_part_of_another_is_over_when_that_is() -> None:
    ends, part, whole = Ends(), life(0), life(0)
    part.first = whole.first = ends.expect(part, 0)
    whole.inherited.append(part)
    ends.learn(whole, 300 * MINUTE)
    assert [minutes for minutes, _ in ends.memory()["lives"]["road"]] == [300, 300]


def test_memory_brings_everything_back() -> None:
    ends, again = Ends(), Ends()
    for k in range(20):
        lived(ends, life(k, 0.9, k + 60 if k % 2 else None), k + 37 * (k % 5))
    again.restore(json.loads(json.dumps(ends.memory())))
    assert again.expect(life(), 0) == ends.expect(life(), 0)
    assert again.expect(life(0, 0.5, 70), 0) == ends.expect(life(0, 0.5, 70), 0)
    one = life(3, 0.8, 40)
    one.first, one.inherited = ends.expect(one, 5 * MINUTE), [life(9)]
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
    hour, end_us = usually.look([0], MONDAY_US + minute * MINUTE)
    assert hour == pytest.approx(least, abs=0.01)
    assert end_us == (None if end is None else MONDAY_US + end * MINUTE)
