"""The traffic of the simulated roads: its fundamental diagram, its figures on an ordinary day, and its queues."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from simulators.family import Values
from simulators.interventions import Intervention
from simulators.profile import PORT_TIME
from simulators.world import World

KINDS = load_kinds()
CATALOGUE = shipped_catalogue()
MIDNIGHT = datetime(2026, 3, 3, tzinfo=PORT_TIME).timestamp()  # a Tuesday
HOUR = 3600


def world_with(*happens: Intervention, at_s: float) -> World:
    world = World(CATALOGUE, KINDS, 1, interventions=happens)
    world.start(at_s)
    return world


def readings(world: World, sensor: str, from_s: float, to_s: float, every_s: float = 60) -> list[Values]:
    place = next(index for index, thing in enumerate(world.things) if thing.id == sensor)
    found = []
    for at_s in np.arange(from_s, to_s, every_s).tolist():
        world.advance(at_s)
        found.append(world.measure(place))
    return found[1:]


def car_units(readings: list[Values]) -> tuple[np.ndarray, np.ndarray]:
    """Flow and density in cars, of readings with vehicles."""
    some = [(v["flow_veh_h"], v["speed_kmh"], v["hgv_share"]) for v in readings if v["count"]]
    flow, speed, lorries = np.array(some, float).T
    flow *= 1 + lorries * (120 / 70 - 1)
    return flow, flow / speed


def test_readings_show_the_fundamental_diagram_of_their_road() -> None:
    """RP544 has one lane, 60 km/h, 1,400 cars an hour; just behind its sensor it gets narrow, then wider and wider."""
    start, shut_s, each_s = MIDNIGHT + 7 * HOUR, 9000, 780
    ends = [start + shut_s + k * each_s for k in range(5)]
    narrow = [Intervention("incident", "W14-W13", start, ends[0], 1.0, 0.0)] + [
        Intervention("incident", "W14-W13", ends[k], ends[k + 1], 1 - part, 0.0)
        for k, part in enumerate((0.4, 0.5, 0.6, 0.75))
    ]
    world = world_with(*narrow, at_s=MIDNIGHT + 5 * HOUR)
    free_flow, free_density = car_units(readings(world, "W14-F1", MIDNIGHT + 5 * HOUR, start, 300))
    assert (free_flow / free_density).mean() == pytest.approx(60, rel=0.03)
    queued = [readings(world, "W14-F1", end + 180, end + each_s, 599)[0] for end in ends[:-1]]
    flow, density = car_units(queued)
    wave, at_jam = np.polyfit(density, flow, 1)
    assert -at_jam / wave == pytest.approx(120, rel=0.1)
    # With free speed and jam density, the speed of the wave gives the capacity.
    assert -wave == pytest.approx(1400 / (120 - 1400 / 60), rel=0.1)


@pytest.fixture(scope="module")
def tuesday() -> World:
    """The ordinary Tuesday at its end."""
    world = World(CATALOGUE, KINDS, 4)
    world.start(MIDNIGHT + 60)
    world.before = world.view()  # type: ignore[attr-defined]  what the hour before midnight brought
    world.advance(MIDNIGHT + 24 * HOUR)
    return world


def volumes(world: World) -> dict[str, tuple[float, float]]:
    """Cars and lorries of the day by section, both ways together."""
    view, before = world.view(), world.before  # type: ignore[attr-defined]
    cars, lorries = view.cars_passed - before.cars_passed, view.lorries_passed - before.lorries_passed
    place = {name: index for index, name in enumerate(view.sections)}
    back = {name: place["-".join(reversed(name.split("-")))] for name in view.sections}
    return {name: (cars[i] + cars[back[name]], lorries[i] + lorries[back[name]]) for name, i in place.items()}


def test_rn568_carries_forty_thousand_vehicles_and_a_fifth_are_lorries(tuesday: World) -> None:
    cars, lorries = volumes(tuesday)["W16-W15"]
    assert cars + lorries == pytest.approx(40_000, rel=0.1)
    assert lorries / (cars + lorries) == pytest.approx(0.20, rel=0.1)


def test_six_thousand_lorries_a_day_drive_on_rn568_and_rn569(tuesday: World) -> None:
    by_section = volumes(tuesday)
    assert by_section["W12-W01"][1] + by_section["W18-W01"][1] == pytest.approx(6_000, rel=0.1)


def test_the_ban_keeps_three_lorries_of_five_off_rn568(tuesday: World) -> None:
    by_section = volumes(tuesday)
    assert by_section["W15-W12"][1] == pytest.approx(0.4 * by_section["W16-W15"][1], rel=0.1)


def test_eurofos_serves_its_appointments(tuesday: World) -> None:
    balance = tuesday.balance()
    assert balance.no_shows / balance.appointments == pytest.approx(0.035, rel=0.35)
    assert balance.admitted == pytest.approx(1300 + 1000 + 420 + 240 + 260, rel=0.1)
    assert balance.departed == balance.admitted - balance.inside - balance.leaving


def test_lorries_that_ignore_the_ban_are_seen_on_the_road_that_is_closed_to_them() -> None:
    noon = MIDNIGHT + 12 * HOUR
    ignored = world_with(Intervention("ban_ignored", "", noon - HOUR, noon + HOUR), at_s=noon)
    kept = world_with(at_s=noon)
    counted = []
    for world in (ignored, kept):
        before = world.view()
        world.advance(noon + HOUR)
        place = before.sections.index("W15-W12")
        counted.append(world.view().lorries_passed[place] - before.lorries_passed[place])
    assert counted[0] == pytest.approx(counted[1] / 0.4, rel=0.1)


def test_a_closed_gate_stops_the_road_before_it_and_lorries_stand_on_the_loops() -> None:
    nine = MIDNIGHT + 9 * HOUR
    world = world_with(Intervention("gate_outage", "W07", nine, nine + 2 * HOUR), at_s=nine)
    world.advance(nine + 90 * 60)
    view = world.view()
    ratio = dict(zip(view.sections, view.speed_ratio.tolist(), strict=True))
    assert ratio["W03-W07"] < 0.1
    assert ratio["W02-W03"] < 0.2
    assert view.gate_wait_s[view.gates.index("W07-G1")] > 1800
    stands = readings(world, "W03-F1", nine + 91 * 60, nine + 100 * 60)
    assert all(values["count"] == 0 and float(values["occupancy_pct"] or 0) > 85 for values in stands)


def test_standing_lorries_cover_the_loop_and_let_nobody_pass() -> None:
    noon = MIDNIGHT + 12 * HOUR
    world = world_with(Intervention("standing_lorries", "W02-W03", noon, noon + 1200), at_s=noon)
    seen = readings(world, "W03-F1", noon, noon + 1200)
    assert [(v["count"], v["occupancy_pct"], v["speed_kmh"]) for v in seen[2:]] == [(0, 100.0, None)] * len(seen[2:])
    later = readings(world, "W03-F1", noon + 1320, noon + 1500)
    assert all(values["count"] for values in later)


def test_a_closed_lane_counts_nobody_and_the_other_takes_them() -> None:
    noon = MIDNIGHT + 12 * HOUR
    world = world_with(Intervention("lane_closure", "W15-W12", noon, noon + 1800, 1.0, 1.0), at_s=noon + 300)
    assert sum(float(v["count"] or 0) for v in readings(world, "W12-F2", noon + 300, noon + 900)) == 0
    assert all(values["count"] for values in readings(world, "W12-F1", noon + 900, noon + 1200))


def test_an_accident_queues_upstream_and_lengthens_the_trips() -> None:
    eight = MIDNIGHT + 8 * HOUR
    world = world_with(Intervention("incident", "W15-W12", eight, eight + HOUR, 0.8), at_s=eight)
    before = readings(world, "W15-W12", eight, eight + 240)
    after = readings(world, "W15-W12", eight + 1800, eight + 3000)
    assert np.mean([v["median_s"] for v in after if v["median_s"]]) > 2 * float(before[0]["median_s"] or 0)
    assert world.view().speed_ratio[world.view().sections.index("W16-W15")] < 0.6


def test_a_late_ship_fills_the_yard_and_its_turns_take_longer() -> None:
    start = MIDNIGHT + 7 * HOUR
    world = world_with(Intervention("ship_late", "W08", start, start + 12 * HOUR, 6.0), at_s=start)
    place = world.view().yards.index("W08-Y1")
    before = world.view().yard_fill[place]
    world.advance(start + 10 * HOUR)
    assert world.view().yard_fill[place] > max(before + 0.1, 0.85)


def test_a_gate_sees_the_lorries_that_queue_for_it_on_the_road() -> None:
    """There is room for three a lane beside the road; while the road stands, the queue is longer than that."""
    start = MIDNIGHT + 6 * HOUR
    world = world_with(Intervention("surge", "W05", start, start + 2 * HOUR, 3.0), at_s=start)
    road = world.view().sections.index("W02-W05")
    beside = 3 * sum(sensor.lanes or 0 for sensor in CATALOGUE.sensors if sensor.id in ("W05-G1", "W05-G2"))
    seen = []
    for at_s in np.arange(start + 60, start + 2 * HOUR, 60).tolist():
        world.advance(at_s)
        if world.view().speed_ratio[road] < 0.5:
            seen.append(sum(world.view().gate_queue[world.view().gates.index(gate)] for gate in ("W05-G1", "W05-G2")))
    assert len(seen) > 10
    assert min(seen) > beside
