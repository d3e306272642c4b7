"""The rules by themselves: what a reading tells, what the interval decides, limits and learning."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from analytics import detector, free_speed, interval, limits
from analytics.fold import step
from analytics.readings import Arrivals
from analytics.settings import Rule, Settings, Thing
from analytics.state import States
from sensors.kind import load_kinds
from sensors.level import Level

NAN = np.nan
KINDS = load_kinds()


def row(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def arrival(time_us: int, observed: float, *, unsupported: bool = False) -> Arrivals:
    no = np.array([False])
    seen = (row(observed), row(NAN), no, np.array([time_us]), np.array([unsupported]), no)
    return Arrivals(np.array([0]), np.array([time_us]), *seen, np.array([0]), row(NAN), row(NAN))


def run(thing: Thing, observed: list[float]) -> tuple[States, list[Level], list[int]]:
    states, settings = States.blank(1), Settings.of([thing], {"S": 0})
    levels, alarms = [], []
    for k, value in enumerate(observed):
        step(thing.rule, states, settings, arrival(round(k * thing.period_s * 1e6), value))
        levels.append(Level(states.level[0]))
        alarms.append(int(states.alarm[0]))
    return states, levels, alarms


@pytest.mark.parametrize(
    ("period_s", "weight", "on", "off"), [(300, 0.6, 2, 4), (30, 0.35, 4, 20), (60, 0.412, 3, 12), (1, 0.158, 11, 216)]
)
def test_interval_decides_weight_and_confirmations(period_s: float, weight: float, on: int, off: int) -> None:
    derived = interval.derived(period_s)
    assert derived.weight == pytest.approx(weight, abs=0.001)
    assert (derived.confirm_on, derived.confirm_off) == (on, off)


def test_examples_of_the_interval_hold() -> None:
    assert doctest.testmod(interval).failed == 0


@pytest.mark.parametrize(
    ("speed", "occupancy", "flow", "tells"),
    [
        (80, 10, 1200, 80),
        (NAN, 100, 0, 0),
        (NAN, 80, NAN, 0),
        (NAN, 80, 60, NAN),
        (NAN, 0, 0, np.inf),
        (0, 0, 0, np.inf),
        (0, 100, 0, 0),
        (NAN, 40, 0, NAN),
        (NAN, NAN, 0, NAN),
        (NAN, 0, NAN, NAN),
        (np.inf, NAN, NAN, NAN),
        (-5, NAN, NAN, NAN),
        (NAN, np.inf, 0, NAN),
    ],
)
def test_what_a_reading_of_traffic_tells(speed: float, occupancy: float, flow: float, tells: float) -> None:
    observed = detector.observed(row(speed), row(occupancy), row(flow))
    np.testing.assert_array_equal(observed, row(tells))


def test_jammed_and_congested_do_not_alternate_around_their_limit() -> None:
    thing = Thing("A", "S", KINDS["traffic"], 300, free_speed_kmh=100)
    _, levels, _ = run(thing, [20.0] + [34.0, 38.0] * 10)
    assert levels == [Level.JAMMED] * 21


def test_open_alarm_stays_congested_until_its_off_rule() -> None:
    thing = Thing("A", "S", KINDS["traffic"], 300, free_speed_kmh=100)
    _, levels, _ = run(thing, [50.0] * 3 + [90.0] * 5)
    assert levels[2:] == [Level.CONGESTED] * 5 + [Level.FLUID]


def test_tail_of_one_deep_dip_does_not_confirm_it() -> None:
    thing = Thing("A", "S", KINDS["traffic"], 300, free_speed_kmh=100)
    _, _, alarms = run(thing, [80.0, 45.0, 66.0, 90.0])
    assert alarms == [0] * 4


@pytest.mark.parametrize(("period_s", "readings"), [(300, 1), (30, 2)])
def test_deep_fall_needs_half_the_confirmations(period_s: float, readings: int) -> None:
    thing = Thing("A", "S", KINDS["traffic"], period_s, free_speed_kmh=100)
    _, _, alarms = run(thing, [70.0, *[1.0] * 6])
    assert next(k for k, alarm in enumerate(alarms) if alarm) == readings


@pytest.mark.parametrize("period_s", [30, 60, 300])
def test_alarm_confirms_for_as_many_readings_as_the_interval_asks(period_s: float) -> None:
    thing = Thing("A", "S", KINDS["traffic"], period_s, free_speed_kmh=100)
    _, _, alarms = run(thing, [50.0] * 12)
    assert alarms.index(2) + 1 == interval.derived(period_s).confirm_on


@pytest.mark.parametrize(
    ("wait_min", "level"), [(14, "FLUID"), (15, "DENSE"), (30, "CONGESTED"), (60, "JAMMED"), (119, "JAMMED")]
)
def test_wait_at_a_gate_against_its_limits(wait_min: float, level: str) -> None:
    _, levels, alarms = run(Thing("G", "S", KINDS["gate"], 30), [wait_min * 60])
    assert levels == [Level[level]]
    assert alarms == [levels[0] if levels[0] >= Level.CONGESTED else 0]


def test_an_extreme_wait_that_is_the_first_reading_of_all_waits_for_the_next() -> None:
    gate = Thing("G", "S", KINDS["gate"], 30)
    for waits_min, expected in (((600, 600), "JAMMED"), ((600, 5), "FLUID"), ((5, 600), "JAMMED")):
        _, levels, _ = run(gate, [wait * 60 for wait in waits_min])
        assert levels == [Level.FLUID if waits_min[0] == 5 else Level.UNKNOWN, Level[expected]]


def test_level_by_limits_falls_only_clearly_under_its_limit() -> None:
    shares = [0.86, 0.84, 0.81, 0.80, 0.80, 0.81, 0.80, 0.80, 0.80, 0.74, 0.70, 0.70, 0.70]
    _, levels, alarms = run(Thing("P", "S", KINDS["parking"], 60), shares)
    assert [level.label for level in levels] == ["congested"] * 8 + ["dense"] * 4 + ["fluid"]
    assert alarms == [2] * 8 + [0] * 5


def test_share_needs_a_whole() -> None:
    share = limits.observed(row(10, 10, 10, NAN, 1e38), row(40, 0, NAN, 40, 1e-38))
    np.testing.assert_array_equal(share, row(0.25, NAN, NAN, NAN, NAN))


def test_kind_without_level_is_alive() -> None:
    _, levels, alarms = run(Thing("W", "S", KINDS["wind"], 60), [0.0, 0.0])
    assert Thing("W", "S", KINDS["wind"], 60).rule is Rule.ALIVE
    assert (levels, alarms) == ([Level.FLUID] * 2, [0, 0])


@pytest.mark.parametrize("seed", range(4))
def test_learnt_free_speed_is_near_the_85th_percentile(seed: int) -> None:
    speeds = np.random.default_rng(seed).gamma(30, 3, (2880, 20)).astype(np.float32)
    states, everyone = States.blank(20), np.ones(20, np.bool_)
    for speed in speeds:
        free_speed.learn(states, speed, everyone)
    np.testing.assert_allclose(states.free_kmh, np.percentile(speeds, 85, axis=0), atol=3)


def test_free_speed_is_learnt_and_the_level_unknown_until_then() -> None:
    day = np.random.default_rng(7).normal(90, 10, 287).tolist()
    states, levels, _ = run(Thing("A", "S", KINDS["traffic"], 300), [*day, 90.0, 90.0])
    assert levels == [Level.UNKNOWN] * 287 + [Level.FLUID] * 2
    assert states.free_kmh[0] == pytest.approx(100, abs=4)


def test_free_speed_of_a_yard_is_not_trusted() -> None:
    states, _, _ = run(Thing("A", "S", KINDS["traffic"], 300), [6.0] * 400)
    assert states.level[0] == Level.UNKNOWN
