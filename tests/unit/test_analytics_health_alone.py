"""Who contradicts itself is found out without anybody near; who is empty, when those near have nothing to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from analytics.health.watch import Health
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Sensor, Site, Way
from sensors.fault import Fault
from sensors.kind import load_kinds
from sensors.level import Quality

KINDS = load_kinds()
START_US = 1_772_409_600_000_000
NONE = float("nan")
ROAD = tuple(
    Sensor(id=name, site=name[0], kind="traffic", road="RD1", direction="south", lane=1, free_speed_kmh=90, period_s=60)
    for name in ("A1", "B1", "C1")
)
OTHERS = tuple(Sensor(id=kind, site="A", kind=kind) for kind in ("crane", "reefer", "yard"))
PORT = Catalogue(
    sites=tuple(Site(id=name, name=name, basin="west", clock="recording") for name in ("A", "B", "C")),
    sensors=ROAD + OTHERS,
    ways=(Way(id="w", road="RD1", direction="south", sites=("A", "B", "C")),),
)
Told = Callable[[int], Mapping[str, float] | None]
"""What a sensor tells in a minute since the beginning, if anything."""


def readings(thing: Sensor, at: list[int], told: Told) -> Readings:
    kind = KINDS[thing.kind]
    said = [(minute, row) for minute in at if (row := told(minute)) is not None]
    values = np.array([[row.get(name, NONE) for name in kind.field_names] for _, row in said], np.float32)
    times = np.array([START_US + minute * 60_000_000 for minute, _ in said], np.int64)
    quality = np.array([row.get("quality", 0) for _, row in said], np.int16)
    return Readings(kind.name, [thing.id] * len(said), times, quality, values)


def faults(minutes: int, **told: Told) -> dict[str, list[Fault]]:
    """Who is found to have which faults by then."""
    things = [thing for thing in PORT.sensors if thing.id in told]
    every = {thing.id: round((thing.period_s or KINDS[thing.kind].period_s) / 60) or 1 for thing in things}
    batch = [readings(thing, list(range(0, minutes, every[thing.id])), told[thing.id]) for thing in things]
    found: dict[str, list[Fault]] = {}
    for one in Health(KINDS, PORT).absorb([each for each in batch if len(each.thing)]):
        if one.began and one.fault is not Fault.SILENT:
            found.setdefault(one.place, []).append(one.fault)
    return found


def lane(veh_h: float, *, until: int = 10_000) -> Told:
    """A lane that flows, and is empty from a minute on."""

    def told(minute: int) -> Mapping[str, float]:
        passes = minute < until and (minute * veh_h) // 60 != ((minute + 1) * veh_h) // 60
        wobble, flow = minute % 3, max(veh_h, 60.0)
        if not passes:
            return {"count": 0, "flow_veh_h": 0, "occupancy_pct": 0}
        return {
            "count": flow / 60,
            "flow_veh_h": flow,
            "occupancy_pct": flow * 8 / (10 * (88 - wobble)),
            "speed_kmh": 88 - wobble,
        }

    return told


def covered(minute: int) -> Mapping[str, float]:
    """A lane that flows for an hour and is covered from then on."""
    return lane(240)(minute) if minute < 60 else {"count": 0, "flow_veh_h": 0, "occupancy_pct": 100}


def slow_once(minute: int) -> Mapping[str, float]:
    return {"count": 4, "flow_veh_h": 240, "occupancy_pct": 20, "speed_kmh": 10} if minute == 90 else lane(0)(minute)


def test_a_lane_that_is_covered_for_long_where_nobody_tells_anything_is_locked() -> None:
    assert faults(60 + 40, B1=lambda _: None, C1=covered) == {}
    assert faults(60 + 55, B1=lambda _: None, C1=covered) == {"C1": [Fault.LOCKED_ON]}


def test_an_only_lane_that_is_covered_for_an_hour_and_a_half_without_a_queue_near_is_locked() -> None:
    assert faults(60 + 80, B1=lane(0), C1=covered) == {}
    assert faults(60 + 100, B1=lane(0), C1=covered) == {"C1": [Fault.LOCKED_ON]}
    assert faults(60 + 100, B1=slow_once, C1=covered) == {}


@pytest.mark.parametrize(("cycle_s", "found"), [(2.0, {"crane": [Fault.UNIT_SWAPPED]}), (120.0, {})])
def test_a_crane_that_works_for_five_minutes_tells_its_unit(cycle_s: float, found: dict[str, list[Fault]]) -> None:
    def crane(minute: int) -> Mapping[str, float]:
        if not 10 <= minute < 15:
            return {"moves_h": 0, "idle_share": 1}
        return {"moves_h": 24, "cycle_s": cycle_s, "idle_share": 0.2}

    assert faults(30, crane=crane) == found


@pytest.mark.parametrize(("boxes", "found"), [(40, {"reefer": [Fault.SENTINEL]}), (0, {})])
def test_a_rack_of_boxes_without_air_measures_nothing(boxes: float, found: dict[str, list[Fault]]) -> None:
    def rack(minute: int) -> Mapping[str, float]:
        return {"setpoint_c": -20, "plugs_used": boxes, "plugs_failed": 0} | {"ambient_c": 12 + minute / 100}

    assert faults(60, reefer=rack) == found


@pytest.mark.parametrize(("high", "found"), [(range(60, 75), {"yard": [Fault.SPIKE]}), (range(60, 999), {})])
def test_a_stock_that_leaps_and_leaps_back_is_a_spike(high: range, found: dict[str, list[Fault]]) -> None:
    def yard(minute: int) -> Mapping[str, float]:
        stock = 2_500 + minute + 9_000 * (minute in high)
        return {"teu_used": stock, "teu_capacity": 19_000, "moves_in": 5 + minute % 3, "moves_out": 4}

    assert faults(120, yard=yard) == found


@pytest.mark.parametrize(("speed_kmh", "veh_h", "every"), [(9.0, 720.0, 1), (60.0, 120.0, 9)])
def test_a_loop_that_vehicles_pass_and_never_cover_is_a_mismatch(speed_kmh: float, veh_h: float, every: int) -> None:
    """In a queue, where others stand on the loop between two that pass; and on a road of few vehicles."""

    def bare(minute: int) -> Mapping[str, float]:
        passing = {"count": veh_h / 60, "flow_veh_h": veh_h + minute % 2, "speed_kmh": speed_kmh + minute % 3}
        return {"occupancy_pct": 0} | ({"count": 0, "flow_veh_h": 0} if minute % every else passing)

    assert faults(120, B1=bare) == {"B1": [Fault.MISMATCH]}


def test_vehicles_that_come_to_stand_on_a_loop_are_no_mismatch() -> None:
    """A queue that comes from ahead slows the loop for a minute, and then stands on it, not quite from end to end."""

    def queue(minute: int) -> Mapping[str, float]:
        if minute < 62:
            return {"count": 8, "flow_veh_h": 480, "occupancy_pct": 5 + minute % 3 / 10, "speed_kmh": 88 - minute % 3}
        if minute < 63:
            return {"count": 1, "flow_veh_h": 60, "occupancy_pct": 20, "speed_kmh": 8}
        return {"count": 0, "flow_veh_h": 0, "occupancy_pct": 40 + minute - 63, "quality": Quality.MISMATCH}

    assert faults(72, B1=queue) == {}


def test_a_lane_that_ends_beside_a_silent_one_is_off_when_it_is_empty() -> None:
    assert faults(150, B1=lambda _: None, C1=lane(240, until=70)) == {"C1": [Fault.CARD_OFF]}
    assert faults(150, B1=lane(0), C1=lane(240, until=70)) == {}  # nobody comes: the road is closed


def test_on_a_quiet_road_an_empty_lane_is_off_after_an_hour_and_a_half() -> None:
    both = {"A1": lane(45), "B1": lane(45)}
    assert faults(60 + 80, **both, C1=lane(45, until=60)) == {}
    assert faults(60 + 100, **both, C1=lane(45, until=60)) == {"C1": [Fault.CARD_OFF]}
    assert faults(60 + 100, **both, C1=lane(45)) == {}


def test_an_only_lane_between_two_that_flow_is_off_though_nobody_ever_passed_it() -> None:
    assert faults(60, A1=lane(240), B1=lane(0), C1=lane(240)) == {"B1": [Fault.CARD_OFF]}
    assert faults(60, A1=lane(0), B1=lane(0), C1=lane(240)) == {}
