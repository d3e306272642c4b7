"""Neither a loop that begins to tell miles nor a spike is a jam: a jam is slow by flow and occupancy, too."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from analytics.changes import What
from analytics.engine import Engine
from analytics.health.watch import Health
from analytics.miles import MILES, Habits
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.level import Level

KINDS = load_kinds()
FIELDS = KINDS["traffic"].field_names
START_US = 1_772_409_600_000_000
PERIOD_US = 30_000_000
PORT = Catalogue(
    sites=(Site(id="S", name="S", basin="west", clock="recording"),),
    sensors=(Sensor(id="X", site="S", kind="traffic", free_speed_kmh=90),),
)
FREE: Mapping[str, float] = {"count": 6, "flow_veh_h": 720, "occupancy_pct": 6.78, "speed_kmh": 85, "hgv_share": 0.125}
MILES_AN_HOUR = FREE | {"speed_kmh": 52.8}
JAM = FREE | {"speed_kmh": 20, "occupancy_pct": 28.8}


def readings(row: Mapping[str, float], first: int, count: int) -> Readings:
    """So many readings of the loop, the numbers first to first + count - 1 of its day."""
    values = np.array([[row[name] for name in FIELDS]] * count, np.float32)
    values[:, FIELDS.index("flow_veh_h")] *= 1 + 0.001 * np.arange(count)
    times = START_US + (first + np.arange(count)) * PERIOD_US
    return Readings("traffic", ["X"] * count, times, np.zeros(count, np.int16), values)


def level(engine: Engine) -> Level | None:
    return engine.states(["X"])[0].level


@pytest.mark.parametrize("apart", [0.0, 0.3, -0.3])
def test_free_traffic_in_miles_is_unknown_and_no_jam(apart: float) -> None:
    engine = Engine(KINDS, PORT)
    engine.accustom(Habits("port", ("X",), START_US, np.array([apart], np.float32)))
    told = FREE | {"occupancy_pct": FREE["occupancy_pct"] * np.exp(apart)}
    changes = engine.absorb([readings(told, 0, 20), readings(told | {"speed_kmh": 52.8}, 20, 20)])
    assert What.BEGAN not in [change.what for change in changes]
    assert level(engine) is Level.UNKNOWN


@pytest.mark.parametrize("speed_kmh", [20, 20 / 1.609])
def test_a_jam_is_believed_at_once_in_any_unit(speed_kmh: float) -> None:
    engine = Engine(KINDS, PORT)
    engine.absorb([readings(FREE, 0, 20), readings(JAM | {"speed_kmh": speed_kmh}, 20, 5)])
    assert level(engine) is Level.JAMMED


def test_a_loop_that_always_tells_less_than_flow_and_occupancy_is_believed_in_a_jam() -> None:
    engine, less = Engine(KINDS, PORT), np.array([MILES], np.float32)
    engine.accustom(Habits("port", ("X",), START_US + 30 * PERIOD_US, less))
    engine.absorb([readings(MILES_AN_HOUR, 0, 30)])
    assert level(engine) is Level.UNKNOWN, "until its habit is known"
    engine.absorb([readings(MILES_AN_HOUR, 30, 10)])
    assert level(engine) is Level.CONGESTED
    engine.refresh(PORT)
    engine.absorb([readings(MILES_AN_HOUR, 40, 10)])
    assert level(engine) is Level.CONGESTED, "a new catalogue makes nobody forget it"


@pytest.mark.parametrize(("known", "expected"), [(True, What.ENDED), (False, What.BEGAN)])
def test_spikes_of_a_loop_whose_habit_is_known_keep_no_alarm_open(*, known: bool, expected: What) -> None:
    engine = Engine(KINDS, PORT)
    if known:
        engine.accustom(Habits("port", ("X",), START_US, np.zeros(1, np.float32)))
    freed = [readings(FREE | ({"speed_kmh": 10} if number % 8 == 0 else {}), number, 1) for number in range(30, 70)]
    changes = engine.absorb([readings(FREE, 0, 20), readings(JAM, 20, 10), *freed])
    assert [change.what for change in changes if change.what is not What.CHANGED][-1] is expected


def test_health_hands_out_the_habit_of_the_hour_before_the_last_quarter() -> None:
    health = Health(KINDS, PORT)
    for first in range(0, 240, 10):
        health.absorb([readings(FREE if first < 210 else MILES_AN_HOUR, first, 10)])
    told = health.habits()
    assert [round(float(habits.fits[0]), 2) for habits in told] == [0.0] * len(told)
    assert told[-1].from_us == START_US + 230 * PERIOD_US
    assert health.habits() == [], "each once"
