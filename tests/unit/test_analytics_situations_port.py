"""Causes in the simulated port, told from readings alone: the world is only used as a source of labelled situations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import ceil, nan

import msgspec
import numpy as np
import pytest

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.situations.situation import Notice, Step
from analytics.situations.situations import Situations
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from simulators.interventions import Intervention
from simulators.world import STEP_S, World

KINDS, CATALOGUE = load_kinds(), shipped_catalogue()
START_S = 1_772_528_400.0
"""Tuesday 3 March 2026, 10:00 in Paris."""

MINUTES = 75
HAPPENS = (
    Intervention("gate_outage", "W07", START_S + 900, START_S + 4500, 1.0),
    Intervention("wind", "", START_S + 1200, START_S + 4500, 24.0),
    Intervention("lane_closure", "W16-W15", START_S + 1200, START_S + 4500, 1.0, 0.99),
    Intervention("incident", "W11-W01", START_S + 1200, START_S + 4500, 0.9, 0.9),
    Intervention("reefer_trip", "W06", START_S + 1200, START_S + 4500, 0.2),
)


def readings() -> Iterator[list[Readings]]:
    """What all sensors send, step by step of the world."""
    world = World(CATALOGUE, KINDS, 1, interventions=HAPPENS)
    world.start(START_S)
    due = {index: START_S + thing.period_s for index, thing in enumerate(world.things) if thing.kind in KINDS}
    for step in range(ceil(START_S / STEP_S) + 1, ceil((START_S + MINUTES * 60) / STEP_S)):
        world.advance(step * STEP_S)
        world.take_events()
        rows: dict[str, list[tuple[str, dict[str, float | str | None]]]] = defaultdict(list)
        for index in [index for index, at_s in due.items() if at_s <= step * STEP_S]:
            thing = world.things[index]
            due[index] += thing.period_s
            rows[thing.kind].append((thing.id, world.measure(index)))
        yield [columns(kind, some, step * STEP_S) for kind, some in rows.items()]


def columns(kind: str, rows: list[tuple[str, dict[str, float | str | None]]], at_s: float) -> Readings:
    fields, texts = KINDS[kind].fields, KINDS[kind].choices
    values = [[nan if row[field.name] is None else row[field.name] for field in fields] for _, row in rows]
    words = [[text.choices.index(row[text.name]) if row[text.name] else nan for text in texts] for _, row in rows]
    return Readings(
        kind=kind,
        thing=[name for name, _ in rows],
        time_us=np.full(len(rows), round(at_s * 1e6), np.int64),
        quality=np.zeros(len(rows), np.int16),
        values=np.array(values, np.float32).reshape(len(rows), len(fields)),
        words=np.array(words, np.float32).reshape(len(rows), len(texts)),
    )


@pytest.fixture(scope="module")
def notices() -> list[Notice]:
    sites = tuple(msgspec.structs.replace(site, clock="recording") for site in CATALOGUE.sites)
    catalogue = msgspec.structs.replace(CATALOGUE, sites=sites)
    engine = Engine(KINDS, catalogue)
    situations = Situations(engine.roster, catalogue)
    engine.attach(situations.watch)
    found: list[Notice] = []
    for batch in readings():
        engine.absorb(batch)
        found += situations.run()
    return found


def named(notices: list[Notice], cause: str) -> Notice:
    return next(notice for notice in notices if notice.situation.cause == cause)


def minute(notice: Notice) -> float:
    return (notice.situation.at_us / 1e6 - START_S) / 60


def test_gate_outage_is_named_as_soon_as_the_wait_is_congested(notices: list[Notice]) -> None:
    outage = named(notices, "gate_outage")
    began = next(notice for notice in notices if notice.situation.kind == "gate" and notice.step is Step.BEGAN)
    assert outage.situation.kind == "gate"
    assert set(outage.situation.places) == {"W07-G1", "W07-G2", "W07-G3"}
    assert minute(outage) - minute(began) <= 1
    assert outage.situation.causes[0].evidence["lanes_open"] == 0


def test_one_wind_stops_the_cranes_of_both_quays_in_one_situation(notices: list[Notice]) -> None:
    stop = named(notices, "wind_stop")
    assert stop.situation.kind == "crane"
    assert {sensor[:3] for sensor in stop.situation.sensors} == {"W06", "W08"}
    assert minute(stop) <= 23


def test_closed_lane_is_named_before_there_is_a_queue(notices: list[Notice]) -> None:
    closed = named(notices, "lane_closed")
    assert (closed.situation.places, closed.situation.level.label) == (("W16-W15",), "dense")
    assert closed.situation.causes[0].evidence["sensor"] == "W15-F2"


def test_rack_without_power_has_tripped(notices: list[Notice]) -> None:
    tripped = named(notices, "reefer_trip")
    assert tripped.situation.places == ("W06-R1",)
    assert tripped.situation.causes[0].evidence["plugs_failed"] >= 3


def test_nothing_else_is_given_one_of_these_names(notices: list[Notice]) -> None:
    where = {(notice.situation.cause.value, place) for notice in notices for place in notice.situation.places}
    places = {place for cause, place in where if cause in ("gate_outage", "wind_stop", "lane_closed")}
    assert {place.split("-")[0] for place in places} <= {"W07", "W06", "W08", "W16", "W02", "W03"}
