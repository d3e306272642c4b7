"""What creeps for days is named within its window, and nobody else is: a road of eight loops, told hour by hour."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from analytics.health.creep import Kept
from analytics.health.judge import FaultChange
from analytics.health.watch import Health
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.fault import Fault
from sensors.kind import load_kinds

EVERY_S, DAYS = 60, 6
KINDS = load_kinds()
KIND = KINDS["traffic"]
NAMES = [f"F{number}" for number in range(8)]
PORT = Catalogue(
    sites=(Site(id="S", name="S", basin="west", clock="recording"),),
    sensors=tuple(Sensor(id=name, site="S", kind="traffic", period_s=EVERY_S, free_speed_kmh=90) for name in NAMES),
)
START_US = 1_772_409_600_000_000
DAY = 86_400
WITHIN_D = {
    "F1": (Fault.CLOCK_DRIFT, 5),
    "F2": (Fault.CLOCK_DRIFT, 5),
    "F3": (Fault.DRIFT, 5),
    "F4": (Fault.DRIFT, 5),
    "F5": (Fault.DAYLIGHT_SAVING, 2),
}
"""Who has what from the second day on, and in how many days it has to be named."""


def told(hour: int, generator: np.random.Generator) -> Readings:
    """What is told in an hour: two clocks lose and gain 30 s a day, two speeds 3 %, one clock is an hour back."""
    at_s = np.repeat(np.arange(hour * 3600, (hour + 1) * 3600, EVERY_S), len(NAMES)).reshape(-1, len(NAMES))
    busy, days = 1 + 0.6 * np.sin(2 * np.pi * at_s / DAY), np.maximum(at_s / DAY - 1, 0)
    speed = generator.normal(88 - 6 * busy, 4)
    flow = np.maximum(60, 600 * busy + generator.normal(0, 60, at_s.shape)).round()
    share = np.clip(generator.normal(0.2, 0.05, at_s.shape), 0, 1)
    occupancy = flow / speed * (6.5 + 12 * share) / 10
    time_s = at_s + days * 30 * [0, -1, 1, 0, 0, 0, 0, 0] - 3600 * (days > 0) * [0, 0, 0, 0, 0, 1, 0, 0]
    speed *= 1 + 0.03 * days * [0, 0, 0, 1, -1, 0, 0, 0]
    values = np.full((at_s.size, len(KIND.fields)), np.nan, np.float32)
    for name, column in zip(KIND.field_names, (flow / 60, flow, occupancy, speed, share), strict=True):
        values[:, KIND.field_names.index(name)] = column.ravel()
    received = START_US + at_s.ravel().astype(np.int64) * 1_000_000 + 200_000
    times = START_US + (time_s.ravel() * 1e6).astype(np.int64)
    return Readings("traffic", NAMES * len(at_s), times, np.zeros(at_s.size, np.int16), values, received_us=received)


@pytest.fixture(scope="module")
def days() -> list[Readings]:
    """Readings hour by hour."""
    generator = np.random.default_rng(2)
    return [told(hour, generator) for hour in range(24 * DAYS)]


@pytest.fixture(scope="module")
def found(days: list[Readings]) -> list[FaultChange]:
    """What is told by a service that is started anew every day."""
    health, kept, changes = Health(KINDS, PORT), dict[str, Kept](), list[FaultChange]()
    for hour, readings in enumerate(days):
        if hour and hour % 24 == 0:
            health = Health(KINDS, PORT)
            health.recall(kept.values())
            health.restore([one for one in changes if one.began], days[hour - 3 : hour])
        changes += health.absorb([readings])
        kept |= {one.thing: one for one in health.keep()}
    return changes


def test_what_creeps_is_named_within_its_window_and_nobody_else_is(found: list[FaultChange]) -> None:
    began = [one for one in found if one.began]
    assert sorted((one.place, one.fault) for one in began) == [(name, fault) for name, (fault, _) in WITHIN_D.items()]
    for one in began:
        days = (one.time_us - START_US) / 1e6 / DAY
        assert 1 <= days <= 1 + WITHIN_D[one.place][1], one


@pytest.mark.prove
def test_what_creeps_is_named_at_the_same_time_without_restarts(days: list[Readings], found: list[FaultChange]) -> None:
    health = Health(KINDS, PORT)
    assert [change for readings in days for change in health.absorb([readings])] == found


def test_what_creeps_is_not_forgotten_when_a_sensor_is_installed(days: list[Readings]) -> None:
    health, further = Health(KINDS, PORT), Sensor(id="F9", site="S", kind="traffic", period_s=EVERY_S)
    for readings in days[:2]:
        health.absorb([readings])
    before = health.keep()
    health.refresh(msgspec.structs.replace(PORT, sensors=(*PORT.sensors, further)))
    for readings in days[2:4]:
        health.absorb([readings])
    assert all(late.late_s.bins > early.late_s.bins for early, late in zip(before, health.keep(), strict=True))


def test_who_restarts_alone_is_told_and_a_gateway_that_starts_all_anew_is_not() -> None:
    """A stack that is started again starts all its simulated sensors anew."""
    for restarting, expected in (([2], {"F2"}), (range(8), set[str]())):
        health, changes = Health(KINDS, PORT), []
        for hour in range(2):
            readings = told(hour, np.random.default_rng(hour))
            boot = np.array([int(hour > 0 and row % len(NAMES) in restarting) for row in range(len(readings.thing))])
            seq = (readings.time_us - START_US) // 1_000_000 // EVERY_S % 60
            changes += health.absorb([replace(readings, boot=boot, seq=np.where(boot > 0, seq, seq + 60 * hour))])
        assert {one.place for one in changes if one.fault is Fault.COUNTER_RESET} == expected
