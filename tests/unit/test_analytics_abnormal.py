"""Unusual for the time of week, whatever the level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analytics.changes import Change
from analytics.engine import Engine
from analytics.readings import Readings
from analytics.usual import Profile
from analytics.week import SLOTS
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.level import Abnormality, Level

KINDS = load_kinds()
NAN = np.nan
START = 1_772_409_600_000_000


class Road:
    """One loop at 5 min, free at 100 km/h, where 60 km/h is usual with a spread of 4."""

    def __init__(self, usual: float = 60, spread: float = 4) -> None:
        site = Site(id="S", name="S", basin="S", clock="recording", timezone="UTC")
        loop = Sensor(id="A", site="S", kind="traffic", period_s=300, free_speed_kmh=100)
        self.engine, self.read = Engine(KINDS, Catalogue(sites=(site,), sensors=(loop,))), 0
        self.told: list[Change] = []
        self.use(usual, spread)

    def use(self, usual: float, spread: float) -> None:
        self.engine.use({"A": Profile(*(np.full(SLOTS, value, np.float32) for value in (usual, spread)))})

    def shows(self, speeds: Sequence[float]) -> list[Abnormality]:
        return [self._read(speed) for speed in speeds]

    def _read(self, speed: float) -> Abnormality:
        values = np.full((1, len(KINDS["traffic"].fields)), NAN, np.float32)
        values[0, KINDS["traffic"].field_names.index("speed_kmh")] = speed
        time_us = np.array([START + self.read * 300_000_000])
        self.read += 1
        self.told += self.engine.absorb([Readings("traffic", ["A"], time_us, np.zeros(1, np.int16), values)])
        return Abnormality(self.engine.judged(["A"]).unusual[0])


@pytest.fixture
def road() -> Road:
    return Road()


def test_congestion_of_every_day_is_usual(road: Road) -> None:
    assert road.shows([58, 61, 50, 55]) == [Abnormality.USUAL] * 4
    assert road.engine.judged(["A"]).level[0] == Level.CONGESTED


def test_road_that_is_free_for_others_may_be_unusually_slow() -> None:
    road = Road(usual=130)
    assert road.shows([130, 131, 85, 82, 84])[-1] is Abnormality.UNUSUAL
    assert road.engine.judged(["A"]).alarm[0] == 0


def test_unusual_after_two_low_readings_and_usual_after_four_high_ones(road: Road) -> None:
    shown = road.shows([60, 61, 38, 37, 36, 60, 59, 61, 60, 62, 60])
    assert [k for k, each in enumerate(shown) if each is Abnormality.UNUSUAL] == [4, 5, 6, 7]


def test_road_that_varies_much_needs_more(road: Road) -> None:
    road.use(60, 12)
    assert road.shows([60, 36, 37, 36, 35]) == [Abnormality.USUAL] * 5


def test_missing_readings_hold_it_for_three_steps(road: Road) -> None:
    shown = road.shows([60, 30, 31, 30, *[NAN] * 4])
    assert shown[2:] == [Abnormality.UNUSUAL] * 5 + [Abnormality.UNKNOWN]


def test_without_a_usual_speed_it_is_unknown() -> None:
    road = Road(usual=NAN)
    assert road.shows([60, 20, 20]) == [Abnormality.UNKNOWN] * 3
    assert road.engine.judged(["A"]).alarm[0] > 0


def test_scatter_of_its_own_stands_in_for_a_missing_spread() -> None:
    calm, wild = Road(spread=NAN), Road(spread=NAN)
    generator = np.random.default_rng(1)
    calm.shows((60 + generator.normal(0, 1, 600)).tolist())
    wild.shows((60 + generator.normal(0, 30, 600)).clip(0.5).tolist())
    fall = [60.0, 60.0, 40.0, 40.0, 40.0]
    assert (calm.shows(fall)[-1], wild.shows(fall)[-1]) == (Abnormality.UNUSUAL, Abnormality.USUAL)


def test_alerts_say_how_unusual_it_was(road: Road) -> None:
    road.shows([60, 61, 20, 19])
    began = road.told[-1]
    assert (began.evidence["abnormality"], began.evidence["usual_speed_kmh"]) == ("unusual", 60)
    assert began.evidence["deviations"] == pytest.approx(5.8, abs=0.1)


def test_alerts_of_a_road_without_usual_speeds_say_unknown() -> None:
    road = Road(usual=NAN)
    road.shows([60, 61, 20, 19])
    assert road.told[-1].evidence["abnormality"] == "unknown"
    assert road.told[-1].evidence["usual_speed_kmh"] is None
