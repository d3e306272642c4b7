"""Distrust is of quantities: a level that rests on what a fault does not spoil goes on; told through the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import pytest

from analytics.changes import What
from analytics.engine import Engine
from analytics.readings import Arrivals, Readings
from analytics.state import States
from analytics.table import Float32
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.fault import Fault
from sensors.kind import load_kinds
from sensors.level import Level, Quality, Verdict

KINDS = load_kinds()
START = 1_700_000_000_000_000
SITE = Site(id="A", name="A", basin="west", clock="recording")
Row = Mapping[str, float | str]
WORKS: Row = {"moves_h": 30, "cycle_s": 110, "state": "working"}
STANDS: Row = {"moves_h": 0, "state": "wind_stop"}
CHATTERS: Row = {"moves_h": 105}


class Thing:
    """One sensor that has a fault from its first reading on, as health tells it, or none."""

    def __init__(self, kind: str, fault: Fault | None = None, **settings: float) -> None:
        catalogue = Catalogue(sites=(SITE,), sensors=(Sensor(id="X", site="A", kind=kind, **settings),))
        self.kind, self.engine, self.now_us = KINDS[kind], Engine(KINDS, catalogue), START
        self.told = list[What]()
        self.believed = dict[str, float]()
        self.engine.attach(self._watch)
        if fault is not None:
            self.engine.distrust("X", fault, START)

    def feed(self, rows: Sequence[Row], quality: int = 0) -> Level | None:
        """The level after a reading a period."""
        for row in rows:
            fields = [[row.get(name, np.nan) for name in self.kind.field_names]]
            words = [[_place(text.choices, row.get(text.name)) for text in self.kind.choices]]
            values = np.array(fields, np.float32), np.array(words, np.float32)
            readings = Readings(self.kind.name, ["X"], np.array([self.now_us]), np.array([quality]), *values)
            self.told += [change.what for change in self.engine.absorb([readings])]
            self.now_us += round(self.kind.period_s * 1e6)
        return self.engine.states(["X"])[0].level

    def _watch(self, rows: Arrivals, _after: States, believed: Float32) -> None:
        self.believed = dict(zip(self.kind.field_names, believed[rows.source[-1]].tolist(), strict=False))

    @property
    def verdict(self) -> Verdict:
        return self.engine.states(["X"])[0].verdict


def _place(choices: Sequence[str], word: float | str | None) -> float:
    return float(choices.index(str(word))) if word is not None else np.nan


@pytest.mark.parametrize("fault", [None, Fault.CHATTER])
def test_a_crane_whose_counter_chatters_is_believed_on_that_it_stands(fault: Fault | None) -> None:
    crane = Thing("crane", fault)
    assert crane.feed([STANDS | CHATTERS], Quality.OUT_OF_RANGE) is Level.JAMMED
    assert crane.feed([WORKS | CHATTERS] * 15, Quality.OUT_OF_RANGE) is Level.UNKNOWN
    assert crane.verdict is Verdict.SENSOR
    assert crane.told == [What.BEGAN, What.ENDED], "the word ends it, too"


def test_a_crane_without_a_ship_is_free_whatever_its_counter_says() -> None:
    assert Thing("crane").feed([{"moves_h": -99, "state": "idle"}] * 5, Quality.SENTINEL) is Level.FLUID


@pytest.mark.parametrize(("quality", "level"), [(Quality.RATE, Level.FLUID), (0, Level.CONGESTED)])
def test_air_that_leaps_and_leaps_back_is_no_defrost_too_soon_before_the_next(quality: int, level: Level) -> None:
    rack = Thing("reefer")
    full: Row = {"setpoint_c": 5, "plugs_used": 50, "plugs_failed": 0}
    rows: list[Row] = [full | {"return_c": 5 + off} for off in (1, 45, 8)]
    as_set, leaps, defrosts = ([row] for row in rows)
    rack.feed(as_set)
    rack.feed(leaps + as_set, quality)
    assert rack.feed(as_set * 8 + defrosts * 3) is level


def test_cycle_times_in_minutes_do_not_touch_the_moves_of_a_crane() -> None:
    assert Thing("crane", Fault.UNIT_SWAPPED).feed([WORKS | {"cycle_s": 1.8}] * 5) is Level.FLUID


def test_a_crane_that_is_stuck_is_believed_in_nothing() -> None:
    assert Thing("crane", Fault.STUCK).feed([STANDS] * 5) is Level.UNKNOWN


def test_a_gate_that_tells_minutes_is_judged_by_its_queue() -> None:
    minutes: Row = {"wait_s": 30, "service_s": 1.5, "lanes_open": 2}
    assert Thing("gate", Fault.UNIT_SWAPPED).feed([minutes | {"queue_trucks": 10}]) is Level.FLUID
    assert Thing("gate", Fault.UNIT_SWAPPED).feed([minutes | {"queue_trucks": 44}]) is Level.CONGESTED


@pytest.mark.parametrize(("trucks", "level"), [(5, Level.FLUID), (20, Level.CONGESTED)])
def test_a_closed_gate_that_tells_minutes_waits_at_least_as_long_as_one_lane_takes(trucks: int, level: Level) -> None:
    closed: Row = {"wait_s": 40, "lanes_open": 0, "queue_trucks": trucks}
    assert Thing("gate", Fault.UNIT_SWAPPED).feed([closed] * 2) is level


def test_a_gate_that_counts_the_wrong_way_still_tells_its_wait() -> None:
    away: Row = {"queue_trucks": 40, "wait_s": 2000, "arrivals": 0, "departures": 3}
    assert Thing("gate", Fault.DIRECTION_SWAPPED).feed([away]) is Level.CONGESTED


CRAWLS: Row = {"count": 3, "flow_veh_h": 360, "occupancy_pct": 60, "speed_kmh": 8, "hgv_share": 0.3}
COVERED: Row = {"count": 0, "flow_veh_h": 0, "occupancy_pct": 100}
EMPTY: Row = {"count": 0, "flow_veh_h": 0, "occupancy_pct": 0}


@pytest.mark.parametrize("fault", [Fault.LOCKED_ON, Fault.CARD_OFF, Fault.MISMATCH])
@pytest.mark.parametrize(
    ("row", "level"),
    [
        (COVERED, Level.UNKNOWN),
        (EMPTY, Level.UNKNOWN),
        (CRAWLS, Level.JAMMED),
        (CRAWLS | {"occupancy_pct": 0}, Level.JAMMED),
    ],
)
def test_whom_a_loop_counts_was_there_whatever_its_occupancy(fault: Fault, row: Row, level: Level) -> None:
    assert Thing("traffic", fault, free_speed_kmh=90).feed([row] * 6) is level


@pytest.mark.parametrize(
    ("fault", "sound", "bad"),
    [
        (Fault.SENTINEL, {"occupied": 46, "capacity": 50}, {"occupied": -99, "capacity": 50}),
        (Fault.MISMATCH, {"occupied": 46, "capacity": 50}, {"occupied": 55, "capacity": 50}),
    ],
)
def test_readings_that_do_not_show_what_is_wrong_are_believed(fault: Fault, sound: Row, bad: Row) -> None:
    park = Thing("parking", fault)
    assert park.feed([sound]) is Level.CONGESTED
    assert park.feed([bad] * 5) is Level.UNKNOWN
    assert park.verdict is Verdict.SENSOR
    assert park.feed([sound] * 5) is Level.CONGESTED


@pytest.mark.parametrize(("occupancy_pct", "level"), [(10.0, Level.FLUID), (50.0, Level.JAMMED)])
def test_a_loop_that_tells_miles_is_judged_by_flow_and_occupancy(occupancy_pct: float, level: Level) -> None:
    miles: Row = {"flow_veh_h": 900, "occupancy_pct": occupancy_pct, "speed_kmh": 50, "hgv_share": 0.1}
    assert Thing("traffic", Fault.UNIT_SWAPPED, free_speed_kmh=70).feed([miles] * 6) is level


@pytest.mark.parametrize(("fault", "air_c"), [(Fault.UNIT_SWAPPED, 32.0), (Fault.DRIFT, -9.0)])
def test_air_that_is_not_believed_hides_no_loss_of_power(fault: Fault, air_c: float) -> None:
    told: Row = {"setpoint_c": -4, "return_c": air_c, "plugs_used": 60}
    assert Thing("reefer", fault).feed([told | {"plugs_failed": 0}] * 12) is Level.FLUID
    assert Thing("reefer", fault).feed([told | {"plugs_failed": 40}]) is Level.JAMMED


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("gate", {"queue_trucks": 90, "wait_s": 2700, "lanes_open": 3, "service_s": 90}),
        ("parking", {"occupied": 310, "capacity": 350}),
    ],
)
def test_a_stock_that_is_off_by_some_pieces_still_fills_up(kind: str, row: Row) -> None:
    assert Thing(kind, Fault.DRIFT).feed([row] * 5) is Level.CONGESTED


def test_one_fault_that_is_over_leaves_what_another_one_spoils() -> None:
    yard = Thing("yard", Fault.STUCK)
    yard.engine.distrust("X", Fault.UNIT_SWAPPED, START)
    yard.engine.trust("X", Fault.UNIT_SWAPPED, START)
    full: Row = {"teu_used": 900, "teu_capacity": 1000}
    assert yard.feed([full] * 5) is Level.UNKNOWN
    yard.engine.trust("X", Fault.STUCK, yard.now_us)
    assert yard.feed([full] * 5) is Level.CONGESTED


FLOWS: Row = {"speed_kmh": 50, "flow_veh_h": 600, "occupancy_pct": 9, "count": 5, "hgv_share": 0.25}


@pytest.mark.parametrize(
    ("kind", "fault", "quality", "row", "spoilt"),
    [
        ("traffic", None, 0, FLOWS, set()),
        ("traffic", Fault.STUCK, 0, FLOWS, FLOWS.keys()),
        ("traffic", Fault.UNIT_SWAPPED, 0, FLOWS, {"speed_kmh"}),
        ("traffic", None, Quality.OUT_OF_RANGE, FLOWS | {"count": -5}, FLOWS.keys()),
        ("traffic", Fault.UNIT_SWAPPED, Quality.OUT_OF_RANGE, FLOWS | {"count": -5}, FLOWS.keys()),
        ("crane", Fault.CHATTER, 0, WORKS, {"moves_h"}),
        ("crane", None, Quality.OUT_OF_RANGE, WORKS | {"moves_h": -3}, {"moves_h"}),
    ],
)
def test_whoever_watches_is_handed_what_a_fault_leaves(
    kind: str, fault: Fault | None, quality: int, row: Row, spoilt: AbstractSet[str]
) -> None:
    thing = Thing(kind, fault)
    thing.feed([row], quality)
    numbers = {name: value for name, value in row.items() if not isinstance(value, str)}
    assert {name for name in numbers if np.isnan(thing.believed[name])} == spoilt
    assert {name: thing.believed[name] for name in numbers if name not in spoilt} == {
        name: pytest.approx(value) for name, value in numbers.items() if name not in spoilt
    }
    assert thing.engine.states(["X"])[0].reading["speed_kmh" if kind == "traffic" else "moves_h"] is not None


def test_a_stock_that_is_not_believed_is_counted_on_by_what_comes_and_goes() -> None:
    park = Thing("parking", Fault.MISMATCH, capacity=50)
    broken: Row = {"occupied": 55, "capacity": 50}
    assert park.feed([{"occupied": 37, "capacity": 50, "entries": 1, "exits": 1}]) is Level.FLUID
    assert park.feed([broken | {"entries": 3, "exits": 0}] * 2) is Level.CONGESTED
    assert park.feed([broken | {"entries": 1, "exits": 1}] * 110) is Level.CONGESTED
    assert park.feed([broken | {"entries": 1, "exits": 1}] * 15) is Level.UNKNOWN, "for two hours"


def test_a_leap_of_a_stock_hides_nothing_that_was_counted() -> None:
    park = Thing("parking")
    assert park.feed([{"occupied": 42, "capacity": 50, "entries": 1, "exits": 1}] * 3) is Level.DENSE
    leaps: Row = {"occupied": 470, "capacity": 50, "entries": 1, "exits": 0}
    assert park.feed([leaps], Quality.RATE | Quality.MISMATCH) is Level.CONGESTED


def test_a_park_that_counts_the_wrong_way_is_not_counted_on() -> None:
    park = Thing("parking", Fault.DIRECTION_SWAPPED)
    park.feed([{"occupied": 37, "capacity": 50, "entries": 1, "exits": 1}])
    swapped: Row = {"occupied": -99, "capacity": 50, "entries": 9, "exits": 0}
    assert park.feed([swapped] * 5, Quality.SENTINEL) is Level.UNKNOWN
