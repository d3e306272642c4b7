"""Situations of a road, from readings through the engine: what is announced, whatever the batches and the order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.situations.situation import Notice, Situation, State, Step, Trend
from analytics.situations.situations import Situations
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.level import Level

KINDS = load_kinds()
SECOND = 1_000_000
START = 1_700_000_100 * SECOND
FREE, SLOW, STANDING = 95.0, 45.0, 5.0


@dataclass(frozen=True)
class Reading:
    thing: str
    time_us: int
    speed_kmh: float


class Road:
    """Stations s0, s1, ... along one carriageway, s0 upstream; a reading every `period_s`."""

    def __init__(self, stations: int, *, period_s: int = 30, clock: str = "recording") -> None:
        self.period_us = period_s * SECOND
        site = Site(id="R", name="R", basin="B", clock="wall" if clock == "wall" else "recording")
        sensors = tuple(
            Sensor(id=f"s{k}", site="R", kind="traffic", position_km=float(k), period_s=period_s, free_speed_kmh=100)
            for k in range(stations)
        )
        catalogue = Catalogue(sites=(site,), sensors=sensors)
        self.names = [sensor.id for sensor in sensors]
        self.engine = Engine(KINDS, catalogue)
        self.situations = Situations(self.engine.roster, catalogue)

    def take(self, readings: Sequence[Reading]) -> list[Notice]:
        self.engine.attach(self.situations.watch)
        self.engine.absorb([columns(readings)])
        return self.situations.run()

    def rows(self, *rows: Sequence[float], first: int = 0) -> Iterator[Reading]:
        """One row of speeds a period, one speed a station; no two the same, or a sensor would be taken for frozen."""
        for k, row in enumerate(rows, first):
            for name, speed in zip(self.names, row, strict=True):
                yield Reading(name, START + k * self.period_us, speed + 0.5 * (k % 2))


def columns(readings: Sequence[Reading]) -> Readings:
    fields = KINDS["traffic"].field_names
    values = np.full((len(readings), len(fields)), np.nan, np.float32)
    values[:, fields.index("speed_kmh")] = [one.speed_kmh for one in readings]
    times = np.array([one.time_us for one in readings], np.int64)
    return Readings("traffic", [one.thing for one in readings], times, np.zeros(len(readings), np.int16), values)


class Store:
    """What outlives a process: readings, and memories as JSON."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.things: dict[str, str] = {}
        self.situations: dict[str, str] = {}

    def keep(self, road: Road, readings: Sequence[Reading]) -> None:
        self.readings += readings
        spoke = {one.thing for one in readings}
        self.things |= written(road.engine.memory(spoke))
        self.situations |= written(road.situations.memory(spoke, road.situations.stepped))
        road.situations.stepped.clear()

    def restart(self, road: Road) -> Road:
        things = {name: json.loads(memory) for name, memory in self.things.items()}
        recent = [one for one in self.readings if one.time_us >= things[one.thing]["settled_us"]]
        road.engine.restore(things, [columns(sorted(recent, key=lambda one: one.time_us))])
        road.situations.restore({name: json.loads(memory) for name, memory in self.situations.items()})
        return road


def written(memories: Mapping[str, object]) -> dict[str, str]:
    return {name: json.dumps(memory, allow_nan=False) for name, memory in memories.items()}


def told(notices: Sequence[Notice]) -> list[tuple[Step, str]]:
    return [(notice.step, notice.situation.id) for notice in notices]


def test_jam_is_one_situation_from_its_first_slow_reading_to_its_last() -> None:
    road = Road(3, period_s=300)
    free, jam = [FREE] * 3, [FREE, SLOW, SLOW]
    notices = road.take(list(road.rows(*[free] * 3, *[jam] * 6, *[free] * 12)))
    assert [notice.step for notice in notices] == [Step.BEGAN, Step.ENDED]
    began, ended = (notice.situation for notice in notices)
    assert began.id == "20231114T223000Z-s1"
    assert (began.kind, began.state, began.level) == ("road", State.OPEN, Level.CONGESTED)
    assert (began.places, began.sensors, began.head, began.tail) == (("s1", "s2"), ("s1", "s2"), "s2", "s1")
    assert began.onset_us == START + 3 * road.period_us
    assert (ended.id, ended.state, ended.end_us) == (began.id, State.ENDED, START + 8 * road.period_us)
    assert {(span.sensor, span.from_us, span.to_us) for span in ended.spans} == {
        (name, began.onset_us, ended.end_us) for name in ("s1", "s2")
    }


def test_queue_that_grows_upstream_is_announced_with_its_new_tail() -> None:
    road = Road(4)
    rows = [[FREE] * 4] * 3 + [[FREE] * 3 + [STANDING]] * 12 + [[FREE, FREE, STANDING, STANDING]] * 30
    notices = road.take(list(road.rows(*rows)))
    assert [(one.step, one.situation.tail, one.situation.trend) for one in notices] == [
        (Step.BEGAN, "s3", Trend.GROWING),
        (Step.CHANGED, "s2", Trend.GROWING),
    ]
    assert notices[0].situation.level is Level.JAMMED
    (now,) = road.situations.situations()
    assert (now.head, now.length_m) == ("s3", 1500)


def test_situation_without_congestion_is_clearing_before_it_ends() -> None:
    road = Road(1)
    road.take(list(road.rows(*[[FREE]] * 3, *[[STANDING]] * 20, *[[FREE]] * 40)))
    (now,) = road.situations.situations()
    assert (now.state, now.sensors, now.trend) == (State.CLEARING, (), Trend.SHRINKING)


def test_alarm_that_nobody_sees_any_more_ends_the_situation() -> None:
    road = Road(2)
    both = list(road.rows(*[[FREE, FREE]] * 3, *[[STANDING, FREE]] * 10))
    road.take(both)
    notices = road.take([one for one in road.rows(*[[FREE, FREE]] * 120, first=13) if one.thing == "s1"])
    assert [one.step for one in notices] == [Step.ENDED]
    assert notices[0].situation.end_us == START + 12 * road.period_us


def test_reading_from_the_future_does_not_turn_time_forward() -> None:
    road = Road(12)
    rows = list(road.rows(*[[FREE] * 12] * 3, *[[FREE] * 11 + [STANDING]] * 10))
    ahead = Reading("s0", START + 7200 * SECOND, FREE)
    assert told(road.take([*rows, ahead])) == told(Road(12).take(rows))
    assert road.situations.situations()[0].state is State.OPEN


def noisy(road: Road, steps: int, seed: int) -> list[Reading]:
    """Jams that come, move upstream and go at random."""
    generator = np.random.default_rng(seed)
    speeds = np.full((steps, len(road.names)), FREE)
    for _ in range(steps // 25):
        start, place = int(generator.integers(steps)), int(generator.integers(len(road.names)))
        for back in range(int(generator.integers(1, 5))):
            speeds[start + 8 * back : start + 8 * back + int(generator.integers(6, 40)), max(place - back, 0)] = (
                STANDING
            )
    speeds += generator.normal(0, 3, speeds.shape)
    return list(road.rows(*np.maximum(speeds, 1).round(1).tolist()))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_batches_and_order_within_a_minute_change_nothing(seed: int) -> None:
    generator = np.random.default_rng(seed)
    readings = noisy(Road(8), 400, seed)
    straight = Road(8)
    expected = straight.take(readings)
    assert sum(notice.step is Step.BEGAN for notice in expected) > 2
    late = sorted(readings, key=lambda one: one.time_us + int(generator.integers(60 * SECOND)))
    shuffled, notices = Road(8), list[Notice]()
    while late:
        size = int(generator.integers(1, 200))
        notices += shuffled.take(late[:size])
        late = late[size:]
    assert notices == expected
    assert shuffled.situations.situations() == straight.situations.situations()


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_restarts_in_the_middle_change_nothing(seed: int) -> None:
    generator = np.random.default_rng(seed)
    readings = noisy(Road(12), 400, seed)
    straight = Road(12)
    expected = straight.take(readings)
    assert sum(notice.step is Step.BEGAN for notice in expected) >= 2
    late = sorted(readings, key=lambda one: one.time_us + int(generator.integers(60 * SECOND)))
    road, store, notices = Road(12), Store(), list[Notice]()
    while late:
        size = int(generator.integers(1, 60))
        notices += road.take(late[:size])
        store.keep(road, late[:size])
        late = late[size:]
        if generator.random() < 0.3:
            road = store.restart(Road(12))
    assert notices == expected
    assert road.situations.situations() == straight.situations.situations()


def test_every_situation_is_connected_at_every_step() -> None:
    road = Road(10)
    readings = noisy(road, 250, 7)
    seen: list[Situation] = []
    for k in range(0, len(readings), 10):
        road.take(readings[k : k + 10])
        seen += road.situations.situations()
    inside = [sorted(int(place[1:]) for place in one.places) for one in seen if one.state is not State.PART]
    assert any(len(places) > 3 for places in inside)
    assert all(places == list(range(places[0], places[-1] + 1)) for places in inside if places)
