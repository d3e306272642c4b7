"""What a queue reaches next: of a gate by its metres, of a road by what comes and what leaves."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from math import ceil, nan
from statistics import median

import msgspec
import numpy as np
import pytest

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.situations.situation import Situation, Spillback
from analytics.situations.situations import Situations
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.score.ground import Event, ground_of
from simulators.interventions import Intervention
from simulators.truth import TruthRecorder
from simulators.world import STEP_S, World

KINDS, SHIPPED = load_kinds(), shipped_catalogue()
CATALOGUE = msgspec.structs.replace(
    SHIPPED, sites=tuple(msgspec.structs.replace(site, clock="recording") for site in SHIPPED.sites)
)
START_S = 1_772_434_800.0
"""Monday 2 March 2026, 08:00 in Paris."""
LOOPS = [sensor.id for sensor in CATALOGUE.sensors if sensor.kind == "traffic" and sensor.site.startswith("W")]
FREE_KMH = {sensor.id: sensor.free_speed_kmh or nan for sensor in CATALOGUE.sensors if sensor.id in LOOPS}
GATES = ["W07-G1", "W07-G2", "W07-G3"]
TOWARDS_RD268 = ("W02-W03", "W03", 690.0)


def readings(kind: str, things: list[str], number: int, **columns: list[float]) -> Readings:
    fields = KINDS[kind].field_names
    values = np.full((len(things), len(fields)), nan, np.float32)
    for name, column in columns.items():
        values[:, fields.index(name)] = column
    time_us = np.full(len(things), round((START_S + 30 * number) * 1e6), np.int64)
    words = np.zeros((len(things), len(KINDS[kind].choices)), np.float32)
    return Readings(kind, things, time_us, np.zeros(len(things), np.int16), values, words)


def gates(number: int, queue_m: float) -> Readings:
    lorries = queue_m / 18.5
    return readings(
        *("gate", GATES, number),
        queue_trucks=[lorries, lorries / 2, 0],
        queue_m=[queue_m, queue_m / 2, 0],
        wait_s=[60 + 20 * queue_m, 60 + 10 * queue_m, 0],
        lanes_open=[0, 0, 3],
        arrivals=[1, 1, 0],
        departures=[0, 0, 0],
        service_s=[nan, nan, 90],
    )


def loops(number: int, slow: dict[str, float], flow: dict[str, float]) -> Readings:
    return readings(
        *("traffic", LOOPS, number),
        # Never twice the same, which would be stuck.
        speed_kmh=[slow.get(loop, FREE_KMH[loop]) - number % 7 / 5 for loop in LOOPS],
        flow_veh_h=[flow.get(loop, 600.0) for loop in LOOPS],
        occupancy_pct=[40.0 if loop in slow else 9.0 for loop in LOOPS],
        count=[5.0] * len(LOOPS),
        hgv_share=[0.3] * len(LOOPS),
    )


class Port:
    def __init__(self) -> None:
        self.engine = Engine(KINDS, CATALOGUE)
        self.situations = Situations(self.engine.roster, CATALOGUE)
        self.engine.attach(self.situations.watch)

    def take(self, *some: Readings) -> list[Situation]:
        self.engine.absorb(some)
        self.situations.run()
        return self.situations.situations()


def of_kind(situations: list[Situation], kind: str) -> Spillback | None:
    return next((one.spillback for one in situations if one.kind == kind), None)


def test_gate_queue_reaches_the_road_when_it_fills_its_access_at_the_rate_it_grows() -> None:
    port = Port()
    steps = ((gates(number, min(10.0 * number, 690)), loops(number, {}, {})) for number in range(90))
    told = [of_kind(port.take(*step), "gate") for step in steps]
    known = [one for one in told if one is not None]
    growing = [one for one in known if one.reaches_us is not None]
    assert {(one.towards, one.site, one.storage_m) for one in known} == {TOWARDS_RD268}
    # 690 m are full after 34.5 min; five minutes later the road before is congested.
    assert all(abs(one.reaches_us / 1e6 - START_S - 39.5 * 60) < 60 for one in growing if one.reaches_us)
    assert [one.filled for one in known] == sorted(one.filled for one in known)
    assert (known[-1].filled, known[-1].reaches_us) == (1.0, None)


def test_queue_that_shrinks_reaches_nothing() -> None:
    port = Port()
    for number in range(60):
        last = port.take(gates(number, 690 - 5.0 * number), loops(number, {}, {}))
    assert [one.kind for one in last] == ["gate"]
    assert last[0].spillback is None


def test_tail_on_a_road_moves_with_what_comes_minus_what_leaves() -> None:
    port = Port()
    for number in range(90):
        slow = {"W03-F1": 8.0} if number >= 50 else {}
        last = port.take(loops(number, slow, {"W03-F1": 200.0} if slow else {}))
    road = of_kind(last, "road")
    assert road is not None
    assert (road.towards, road.site) == ("W01-W02", "W02")
    # A jam holds 99 veh/km; 200 leave and 600 come: 400 veh/h fill 81 of them a kilometre, at 4.9 km/h over 2.62 km.
    assert road.reaches_us is not None
    assert abs(road.reaches_us / 1e6 - (START_S + 1500) - 32 * 60) < 4 * 60


def test_gate_and_road_are_two_situations_each_with_its_own_reach() -> None:
    port = Port()
    for number in range(80):
        slow = {"W03-F1": 8.0} if number >= 50 else {}
        last = port.take(gates(number, min(14.0 * number, 690)), loops(number, slow, {"W03-F1": 200.0} if slow else {}))
    gate, road = (next(one for one in last if one.kind == kind) for kind in ("gate", "road"))
    assert road.parent == gate.id
    assert gate.spillback == Spillback(*TOWARDS_RD268, 1.0, None)
    assert road.spillback is not None
    assert road.spillback.site == "W02"


def simulated(seed: int) -> tuple[list[tuple[float, Situation]], list[Event]]:
    """A gate outage in the Monday peak: what is told at every step, and what is so."""
    outage = Intervention("gate_outage", "W07", START_S - 1800, START_S + 3600, 1.0)
    world = World(CATALOGUE, KINDS, seed, interventions=(outage,))
    truth = TruthRecorder(CATALOGUE, (outage,), scenario="outage", seed=seed, kinds=KINDS, ordinary=world.ordinary())
    start_s, port, told = START_S - 3600, Port(), []
    world.start(start_s)
    due = {
        index: start_s + thing.period_s for index, thing in enumerate(world.things) if thing.kind in ("traffic", "gate")
    }
    for step in range(ceil(start_s / STEP_S) + 1, ceil((START_S + 5400) / STEP_S)):
        world.advance(step * STEP_S)
        world.take_events()
        truth.observe(world.view())
        rows: dict[str, list[tuple[str, dict[str, float | str | None]]]] = defaultdict(list)
        for index in [index for index, at_s in due.items() if at_s <= step * STEP_S]:
            thing = world.things[index]
            due[index] += thing.period_s
            rows[thing.kind].append((thing.id, world.measure(index)))
        number = (step * STEP_S - START_S) / 30
        batch = [measured(kind, some, number) for kind, some in rows.items()]
        told += [(one.at_us / 1e6, one) for one in port.take(*batch) if one.spillback]
    return told, list(ground_of(truth.finish()).events)


def measured(kind: str, rows: list[tuple[str, dict[str, float | str | None]]], number: float) -> Readings:
    columns = {
        field.name: [nan if row[field.name] is None else row[field.name] for _, row in rows]
        for field in KINDS[kind].fields
    }
    return readings(kind, [name for name, _ in rows], number, **columns)  # type: ignore[arg-type]  floats


@pytest.mark.prove
def test_simulated_outages_reach_the_road_when_it_was_said() -> None:
    errors_min: list[float] = []
    for seed in (3, 4, 5, 6):
        told, events = simulated(seed)
        reached = [e.stretches["W02-W03"][0].start_s for e in events if e.cause and "W02-W03" in e.stretches]
        for (at_s, one), (later_s, _) in pairwise([each for each in told if each[1].head == "W07"]):
            found = one.spillback
            if reached and found and found.reaches_us and later_s > at_s and at_s < reached[0]:
                errors_min.append((found.reaches_us / 1e6 - reached[0]) / 60)
    assert len(errors_min) >= 100
    assert median(map(abs, errors_min)) <= 6, sorted(errors_min)
