"""What nobody should believe, and what looks as bad and is the worst jam of the year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analytics.changes import What
from analytics.engine import Engine
from analytics.plausible import LEAST_FROZEN, fingerprints
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.level import Level, Verdict

KINDS = load_kinds()
NAN = np.nan
FREE = [95.0, 97.0, 92.0, 96.0]
JAM = [55.0, 30.0, 22.0, 24.0]
Row = tuple[float, float, float]


class Road:
    """One loop that reads every 5 min: (flow, occupancy, speed)."""

    def __init__(self) -> None:
        site = Site(id="S", name="S", basin="S", clock="recording")
        loop = Sensor(id="A", site="S", kind="traffic", period_s=300, free_speed_kmh=100)
        self.engine, self.read = Engine(KINDS, Catalogue(sites=(site,), sensors=(loop,))), 0
        self.told: list[What] = []

    def pass_by(self, rows: Sequence[Row]) -> tuple[Level | None, Verdict]:
        values = np.full((len(rows), len(KINDS["traffic"].fields)), NAN, np.float32)
        values[:, 1:4] = rows
        times = (self.read + np.arange(len(rows))) * 300_000_000
        self.read += len(rows)
        quality = np.zeros(len(rows), np.int16)
        self.told += [
            c.what for c in self.engine.absorb([Readings("traffic", ["A"] * len(rows), times, quality, values)])
        ]
        (state,) = self.engine.states(["A"])
        return state.level, state.verdict

    def speeds(self, speeds: Sequence[float]) -> tuple[Level | None, Verdict]:
        return self.pass_by([(NAN, NAN, speed) for speed in speeds])


@pytest.fixture
def road() -> Road:
    return Road()


def test_reading_that_never_changes_is_held_then_unknown(road: Road) -> None:
    assert road.speeds([*FREE, *[80.0] * LEAST_FROZEN]) == (Level.FLUID, Verdict.TRAFFIC)
    assert road.speeds([80.0] * 3) == (Level.FLUID, Verdict.TRAFFIC)
    assert road.speeds([80.0]) == (Level.UNKNOWN, Verdict.SENSOR)
    assert road.speeds([81.0]) == (Level.FLUID, Verdict.TRAFFIC)


def test_jam_that_freezes_is_lost_and_not_ended(road: Road) -> None:
    road.speeds([*FREE, *JAM, *[24.0] * 30])
    assert road.told == [What.BEGAN, What.LOST]


def test_sensor_in_the_habit_of_repeating_itself_is_believed_longer(road: Road) -> None:
    generator = np.random.default_rng(1)
    rounded = np.repeat(generator.permutation(500) + 80.0, 2)
    road.speeds((rounded % 40 + 60).tolist())
    assert road.speeds([80.0] * (LEAST_FROZEN + 6)) == (Level.FLUID, Verdict.TRAFFIC)
    assert road.speeds([80.0] * 20) == (Level.UNKNOWN, Verdict.SENSOR)


def test_other_fields_that_change_tell_of_a_living_sensor(road: Road) -> None:
    assert road.pass_by([(1000.0 + k, 9.0, 90.0) for k in range(30)]) == (Level.FLUID, Verdict.TRAFFIC)


@pytest.mark.parametrize("row", [(0.0, 100.0, NAN), (0.0, 100.0, 0.0)])
def test_standing_traffic_is_a_jam_however_long_it_stays_the_same(road: Road, row: Row) -> None:
    assert road.pass_by([(1200.0, 9.0, 90.0), *[row] * 100]) == (Level.JAMMED, Verdict.TRAFFIC)


def test_empty_night_is_free_however_long_it_stays_the_same(road: Road) -> None:
    assert road.pass_by([(0.0, 0.0, NAN)] * 100) == (Level.FLUID, Verdict.TRAFFIC)


def test_sudden_fall_is_traffic(road: Road) -> None:
    road.speeds([*FREE, 20.0, 21.0])
    assert road.told[:1] == [What.BEGAN]


def test_single_zeros_open_no_alarm(road: Road) -> None:
    for _ in range(50):
        road.speeds([*FREE, 0.0, *FREE, 0.0, 0.0])
    assert road.told == []


def test_speed_stuck_at_zero_is_unknown_and_no_jam(road: Road) -> None:
    assert road.speeds([*FREE, *[0.0] * 4]) == (Level.UNKNOWN, Verdict.SENSOR)
    assert road.told == []


def test_zero_in_a_jam_follows_from_what_was_before(road: Road) -> None:
    assert road.speeds([*FREE, *JAM, 20.0, 0.0, 0.0, 0.0, 0.0]) == (Level.JAMMED, Verdict.TRAFFIC)


def test_fingerprint_is_of_every_field_and_of_what_is_missing() -> None:
    rows = np.array([[1, 2, NAN], [1, 2, NAN], [1, 2, 3], [2, 1, NAN], [NAN, NAN, NAN]], np.float32)
    prints = fingerprints(rows)
    assert prints[0] == prints[1]
    assert len(set(prints.tolist())) == 4
    assert prints.min() >= 0
    assert prints.max() < 2**53
