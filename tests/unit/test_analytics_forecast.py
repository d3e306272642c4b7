"""Where speeds are going, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.engine import Engine
from analytics.forecast import (
    HORIZONS,
    KEEP_ABOVE,
    KEEP_BELOW,
    PAST,
    PRIOR,
    SLOT_S,
    Outlooks,
    Settled,
    forecast,
    learn,
    packed,
    point,
    unpacked,
)
from analytics.readings import Readings
from analytics.usual import Profile
from analytics.week import SLOTS
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds

KINDS = load_kinds()
NAN = np.nan
SLOT_US = SLOT_S * 1_000_000


def row(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def blank(count: int) -> Outlooks:
    return Outlooks.blank(np.zeros(count, np.int64))


def teach(outlooks: Outlooks, speeds: np.ndarray, *, usual: np.ndarray | float = NAN, every_s: int = SLOT_S) -> None:
    """`speeds` (times, things), taken as smoothed too; free speed 100."""
    count = speeds.shape[1]
    for k, speed in enumerate(speeds.astype(np.float32)):
        usual_now = np.broadcast_to(np.asarray(usual, np.float32)[..., k : k + 1] if np.ndim(usual) else usual, count)
        times = np.full(count, k * every_s * 1_000_000)
        free = np.full(count, 100, np.float32)
        learn(outlooks, Settled(np.arange(count), times, speed, speed, usual_now.astype(np.float32), free))


def test_deviation_from_usual_dies_away_faster_above_than_below() -> None:
    ahead = point(row(40, 90, 60), row(60, 60, 60), row(70, 70, 70), 3)
    np.testing.assert_allclose(ahead, [70 - 20 * KEEP_BELOW**3, 70 + 30 * KEEP_ABOVE**3, 70])


@pytest.mark.parametrize(("usual_now", "usual_then"), [(NAN, 70), (60, NAN), (NAN, NAN)])
def test_last_value_is_kept_where_nothing_is_usual(usual_now: float, usual_then: float) -> None:
    then = np.full((1, 3), usual_then, np.float32)
    found = forecast(row(42), row(usual_now), then, row(100), np.tile(PRIOR.reshape(1, -1), (1, 1)))
    assert found.speed.tolist() == [[42, 42, 42]]
    assert np.isnan(found.usual).all()
    assert (found.low < 42).all()
    assert (found.high > 42).all()


def test_no_speed_no_forecast() -> None:
    found = forecast(row(NAN), row(60), np.full((1, 3), 60, np.float32), row(100), PRIOR.reshape(1, -1))
    assert np.isnan(found.speed).all()


@pytest.mark.parametrize("spread", [1.0, 12.0])
def test_interval_comes_to_hold_four_of_five_outcomes(spread: float) -> None:
    generator, count = np.random.default_rng(1), 40
    speeds = 95 + spread * generator.standard_t(4, (2000, count))
    outlooks = blank(count)
    teach(outlooks, speeds[:1500], usual=np.full(1500, 95.0))
    usual = np.full(count, 95, np.float32)
    inside = []
    for k in range(1500, 1900):
        now, then = speeds[k].astype(np.float32), np.repeat(usual[:, None], 3, axis=1)
        found = forecast(now, usual, then, np.full(count, 100, np.float32), outlooks.margins)
        came = np.stack([speeds[k + slots] for slots in HORIZONS], axis=1)
        inside.append((came >= found.low) & (came <= found.high))
        teach_one = Settled(
            np.arange(count), np.full(count, k * SLOT_US), now, now, usual, np.full(count, 100, np.float32)
        )
        learn(outlooks, teach_one)
    np.testing.assert_allclose(np.mean(inside, axis=(0, 1)), 0.8, atol=0.03)


def test_congested_and_free_roads_have_margins_of_their_own() -> None:
    generator = np.random.default_rng(2)
    calm, wild = 99 + generator.normal(0, 0.5, (800, 1)), 50 + generator.normal(0, 15, (800, 1))
    outlooks = blank(1)
    teach(outlooks, np.concatenate((calm, wild)), usual=np.concatenate((calm, np.full((800, 1), 50)))[:, 0])
    margins = outlooks.margins.reshape(PRIOR.shape)
    assert margins[0, 0, 0] < 0.02
    assert margins[0, 0, -1] > 0.15


def test_several_readings_of_a_slot_teach_once() -> None:
    speeds = np.random.default_rng(3).uniform(50, 100, (600, 1))
    first, all_of_them = blank(1), blank(1)
    teach(first, speeds[::10], usual=80.0)
    teach(all_of_them, speeds, usual=80.0, every_s=30)
    np.testing.assert_array_equal(first.margins, all_of_them.margins)


def test_sensor_that_reads_every_ten_minutes_is_taught_at_every_horizon() -> None:
    outlooks = blank(1)
    teach(outlooks, np.random.default_rng(4).uniform(20, 100, (300, 1)), usual=80.0, every_s=600)
    assert (outlooks.margins.reshape(PRIOR.shape) != PRIOR).any(axis=(1, 2)).all()


def test_gap_of_an_hour_is_not_bridged() -> None:
    outlooks = blank(1)
    teach(outlooks, np.full((5, 1), 80.0), usual=80.0)
    before = outlooks.margins.copy()
    at = np.array([(5 + 12) * SLOT_US])
    learn(outlooks, Settled(np.array([0]), at, row(10), row(10), row(80), row(100)))
    np.testing.assert_array_equal(outlooks.margins, before)
    assert np.isfinite(outlooks.speed[0]).nonzero()[0].tolist() == [1, 2, 3, 4]


def test_memory_is_exact() -> None:
    outlooks = blank(3)
    teach(outlooks, np.random.default_rng(5).uniform(20, 100, (PAST + 3, 3)), usual=70.0)
    again = unpacked(packed(outlooks), outlooks.phase_us)
    for some, others in zip(outlooks.columns(), again.columns(), strict=True):
        np.testing.assert_array_equal(some, others)
        assert some.dtype == others.dtype


def test_engine_forecasts_towards_what_is_usual_at_that_hour() -> None:
    site = Site(id="S", name="S", basin="S", clock="recording", timezone="UTC")
    loop = Sensor(id="A", site="S", kind="traffic", period_s=300, free_speed_kmh=100)
    engine = Engine(KINDS, Catalogue(sites=(site,), sensors=(loop,)))
    speed = np.full(SLOTS, 90, np.float32)
    speed[4:] = 40
    engine.use({"A": Profile(speed, np.full(SLOTS, NAN, np.float32))})
    monday = 1_772_409_600_000_000
    values = np.full((10, len(KINDS["traffic"].fields)), NAN, np.float32)
    values[:, KINDS["traffic"].field_names.index("speed_kmh")] = 90 + np.arange(10) / 10
    times = monday + SLOT_US * np.arange(10)
    engine.absorb([Readings("traffic", ["A"] * 10, times, np.zeros(10, np.int16), values)])
    found = engine.forecast(["A"])
    assert found.usual.tolist() == [[65, 40, 40]]
    assert found.speed[0, 2] == pytest.approx(40, abs=2)
    assert (found.low < found.speed).all()
    assert (found.speed < found.high).all()
