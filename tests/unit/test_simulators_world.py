from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.container import is_container
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec, Rejected
from simulators.family import Meter, Values
from simulators.interventions import Interventions
from simulators.profile import PORT_TIME, moment
from simulators.quay import Cranes, Wind
from simulators.world import Event, World

KINDS = load_kinds()
CATALOGUE = shipped_catalogue()
MIDNIGHT = datetime(2026, 3, 2, tzinfo=PORT_TIME).timestamp()  # a Monday
EVERY_S = 300


class Day:
    """A Monday, or its first hours, read every five minutes."""

    def __init__(self, seed: int, hours: int = 24) -> None:
        self.world = World(CATALOGUE, KINDS, seed)
        self.world.start(MIDNIGHT + EVERY_S)
        self.readings: dict[tuple[str, str], list[tuple[float, Values]]] = defaultdict(list)
        self.events: list[Event] = []
        for at_s in range(2 * EVERY_S, hours * 3600, EVERY_S):
            self.world.advance(MIDNIGHT + at_s)
            for place, thing in enumerate(self.world.things):
                self.readings[thing.kind, thing.id].append((at_s / 3600, self.world.measure(place)))
            self.events += self.world.take_events()

    def series(self, kind: str, thing: str, field: str) -> list[tuple[float, float]]:
        return [(hour, float(v[field] or 0)) for hour, v in self.readings[kind, thing]]

    def mean(self, kind: str, thing: str, field: str, start: float, end: float) -> float:
        return float(np.mean([value for hour, value in self.series(kind, thing, field) if start <= hour < end]))


@pytest.fixture(scope="module")
def day() -> Day:
    return Day(seed=1)


def test_all_ninety_sensors_are_simulated() -> None:
    world = World(CATALOGUE, KINDS, 1)
    things = {thing.id for thing in world.things}
    readers = {corridor.reader for corridor in CATALOGUE.corridors}
    assert {sensor.id for sensor in CATALOGUE.sensors} - readers <= things
    assert {corridor.id for corridor in CATALOGUE.corridors} <= things


def test_every_traffic_reading_is_consistent_with_itself(day: Day) -> None:
    for (kind, thing), readings in day.readings.items():
        for _, values in readings if kind == "traffic" else ():
            count, flow, share = values["count"], values["flow_veh_h"], values["hgv_share"]
            if not count:
                assert values["speed_kmh"] is None
                continue
            length_m = 4.5 * (1 - float(share or 0)) + 16.5 * float(share or 0) + 2
            occupancy = 100 * float(flow or 0) / float(values["speed_kmh"] or 0) * length_m / 1000
            assert values["occupancy_pct"] == pytest.approx(occupancy, rel=0.002, abs=0.02), thing


def test_every_value_is_plausible_and_every_payload_is_accepted(day: Day) -> None:
    codecs = {name: PayloadCodec(kind) for name, kind in KINDS.items()}
    messages = [(kind, values) for (kind, _), readings in day.readings.items() for _, values in readings]
    for kind, values in messages + [("passage", event.values) for event in day.events]:
        payload = codecs[kind].encode(datetime(2026, 3, 2, tzinfo=UTC), values, boot=1, seq=2)
        decoded = codecs[kind].decode(payload)
        assert not isinstance(decoded, Rejected), decoded
        for field in KINDS[kind].fields:
            value = getattr(decoded, field.name)
            assert value is None or (field.low is None or value >= field.low), (kind, field.name, value)
            assert value is None or (field.high is None or value <= field.high), (kind, field.name, value)


def test_roads_have_their_peaks_and_a_quiet_night(day: Day) -> None:
    peak = day.mean("traffic", "W12-F1", "flow_veh_h", 7, 9)
    assert peak > 1.4 * day.mean("traffic", "W12-F1", "flow_veh_h", 10, 15)
    assert peak > 8 * day.mean("traffic", "W12-F1", "flow_veh_h", 1, 4)


def test_the_right_lane_of_rn568_counts_its_part_of_forty_thousand_vehicles(day: Day) -> None:
    per_lane = [sum(v for _, v in day.series("traffic", f"W16-F{lane}", "count")) for lane in (1, 2)]
    assert np.mean(per_lane) == pytest.approx(10_000, rel=0.1)


def test_lorries_avoid_the_ban_between_saint_gervais_and_la_fenouillere(day: Day) -> None:
    banned, port_road = (day.mean("traffic", sensor, "hgv_share", 8, 18) for sensor in ("W12-F2", "W14-F1"))
    assert banned < 0.15
    assert port_road > 0.4


def test_the_ordinary_peak_congests_the_known_bottleneck_only(day: Day) -> None:
    slowest = {
        thing: min(float(values["speed_kmh"] or 99) for hour, values in readings if 7 <= hour < 10)
        for (kind, thing), readings in day.readings.items()
        if kind == "traffic"
    }
    assert slowest["W01-F1"] < 0.6 * 90
    assert slowest["W12-F3"] > 0.75 * 90
    assert sum(speed < 30 for speed in slowest.values()) < 8


def test_a_queue_on_the_road_lengthens_its_corridor(day: Day) -> None:
    assert day.mean("travel_time", "W12-W01", "median_s", 8, 9) > 1.3 * day.mean(
        "travel_time", "W12-W01", "median_s", 12, 14
    )


def test_gates_are_closed_at_night_and_empty_their_queues(day: Day) -> None:
    for gate in ("W05-G1", "W07-G2", "E01-G1"):
        assert day.mean("gate", gate, "lanes_open", 0, 5.9) == 0
        assert day.mean("gate", gate, "lanes_open", 6.5, 20) >= 1
        assert day.mean("gate", gate, "queue_trucks", 22.5, 24) == 0


def test_a_gates_queue_is_its_arrivals_minus_its_departures(day: Day) -> None:
    for sensor in CATALOGUE.sensors:
        if sensor.kind == "gate":
            for (_, before), (_, after) in pairwise(day.readings["gate", sensor.id]):
                change = float(after["arrivals"] or 0) - float(after["departures"] or 0)
                assert float(after["queue_trucks"] or 0) == float(before["queue_trucks"] or 0) + change


def test_eurofos_handles_its_thirteen_hundred_lorries(day: Day) -> None:
    entered = [event for event in day.events if event.thing.site == "W05" and event.values["direction"] == "in"]
    assert len(entered) == pytest.approx(1300, rel=0.1)
    before_four = [event for event in entered if event.at_s < MIDNIGHT + 16 * 3600]
    assert len(before_four) / 10 == pytest.approx(100, rel=0.1)


def test_every_lorry_that_leaves_has_come_in_with_the_same_container(day: Day) -> None:
    inside: dict[object, object] = {}
    read = 0
    for event in sorted(day.events, key=lambda event: event.at_s):
        visit, container = event.values["visit"], event.values["container"]
        if event.values["direction"] == "in":
            assert visit not in inside
            inside[visit] = container
            read += container is not None
            assert container is None or is_container(str(container))
        else:
            assert inside.pop(visit) == container
    assert not inside
    assert 0.95 <= read / (len(day.events) / 2) <= 0.99


def test_no_two_passages_share_their_key(day: Day) -> None:
    keys = {(e.thing.id, e.values["lane"], e.values["direction"], e.at_s) for e in day.events}
    assert len(keys) == len(day.events)


def test_a_car_park_holds_what_entered_and_did_not_leave(day: Day) -> None:
    for park in ("W09-P1", "W20-P1"):
        for (_, before), (_, after) in pairwise(day.readings["parking", park]):
            change = float(after["entries"] or 0) - float(after["exits"] or 0)
            assert float(after["occupied"] or 0) == float(before["occupied"] or 0) + change


def test_yards_move_by_what_their_moves_can_carry(day: Day) -> None:
    for (_, before), (_, after) in pairwise(day.readings["yard", "W06-Y1"]):
        step = float(after["teu_used"] or 0) - float(before["teu_used"] or 0)
        assert step <= 2 * float(after["moves_in"] or 0)
        assert -step <= 2 * float(after["moves_out"] or 0)
    assert 0.4 < day.mean("yard", "W06-Y1", "teu_used", 0, 24) / 4500 < 0.85


def test_cranes_stop_in_a_mistral_and_work_without() -> None:
    seen, wind = set(), Wind(CATALOGUE, 3, Interventions())
    cranes = Cranes(CATALOGUE, wind, 3)
    for hours in range(0, 24 * 60, 3):
        now, rng = moment(MIDNIGHT + hours * 3600), np.random.default_rng(1)
        wind.step(now, 60, rng)
        cranes.step(now, 60, rng)
        working = Meter(cranes, 4).measure(0)
        seen.add(working["state"])
        if working["state"] == "working":
            assert 20 <= float(working["moves_h"] or 0) <= 36
            assert float(Meter(wind, 2).measure(0)["mean_ms"] or 0) < 25
    assert seen == {"working", "idle", "wind_stop"}


def test_a_mistral_blows_for_hours_from_the_north_west() -> None:
    wind, days = Wind(CATALOGUE, 3, Interventions()), []
    for hour in range(24 * 60):
        wind.step(moment(MIDNIGHT + hour * 3600), 60, np.random.default_rng(1))
        days.append(Meter(wind, 2).measure(0))
    strong = [values for values in days if float(values["mean_ms"] or 0) >= 12]
    assert 0.05 < len(strong) / len(days) < 0.4
    assert all(280 <= float(values["direction_deg"] or 0) <= 360 for values in strong)
    assert all(float(values["gust_ms"] or 0) >= float(values["mean_ms"] or 0) for values in days)


def test_the_same_seed_gives_the_same_readings_and_another_seed_others(day: Day) -> None:
    again = Day(seed=1)
    assert again.readings == day.readings
    assert again.events == day.events
    one, other = Day(seed=1, hours=1), Day(seed=2, hours=1)
    assert one.readings.keys() == other.readings.keys()
    assert one.readings != other.readings


def test_a_world_started_at_noon_is_the_one_that_has_run_since_midnight() -> None:
    noon = MIDNIGHT + 12 * 3600
    running, fresh = World(CATALOGUE, KINDS, 5), World(CATALOGUE, KINDS, 5)
    running.start(MIDNIGHT + 60)
    running.advance(noon)
    fresh.start(noon)
    for place, thing in enumerate(fresh.things):
        ours, theirs = fresh.measure(place), running.measure(place)
        if thing.kind in {"gate", "parking", "yard"}:
            state = next(iter(ours))
            assert ours[state] == theirs[state]


def test_a_world_started_at_midnight_has_a_past() -> None:
    world = World(CATALOGUE, KINDS, 1)
    world.start(MIDNIGHT + 10)
    values = {thing.id: world.measure(place) for place, thing in enumerate(world.things)}
    assert float(values["W09-P1"]["occupied"] or 0) > 100
    assert float(values["W06-Y1"]["teu_used"] or 0) > 1000
    assert sum(float(v["count"] or 0) for v in values.values() if "count" in v) > 10


def test_a_catalogue_without_sensors_is_a_quiet_world() -> None:
    world = World(Catalogue(sites=(), sensors=()), KINDS, 1)
    world.start(MIDNIGHT + 7200)
    assert world.things == ()
    assert world.take_events() == []
