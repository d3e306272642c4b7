from collections import Counter
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

import pytest

from sensors.catalogue import Catalogue, Site, shipped_catalogue
from sensors.kind import load_kinds
from sensors.topics import is_topic_level

ROAD_GROUPS = (
    {"W01", "W02", "W03", "W04", "W05", "W07", "W09", "W10", "W11", "W12", "W13", "W14", "W15", "W16", "W17", "W18"}
    | {"W19"},
    {"E03", "E04", "E05", "E06", "E08", "E10"},
    {"E01", "E07"},
)
"""Sites that hang together by road; the others lie inside the terminals."""


@pytest.fixture(scope="module")
def port() -> Catalogue:
    return shipped_catalogue()


def _distance_km(start: Site, end: Site) -> float:
    lat1, lon1, lat2, lon2 = (radians(x or 0.0) for x in (start.latitude, start.longitude, end.latitude, end.longitude))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(half))


def test_the_port_has_30_sites_and_90_sensors(port: Catalogue) -> None:
    assert [site.id for site in port.sites] == [f"W{n:02}" for n in range(1, 21)] + [f"E{n:02}" for n in range(1, 11)]
    assert Counter(sensor.kind for sensor in port.sensors) == {
        "traffic": 46,
        "travel_time": 8,
        "gate": 10,
        "parking": 4,
        "yard": 12,
        "reefer": 4,
        "crane": 4,
        "wind": 2,
    }


@pytest.mark.parametrize(
    ("site", "letters"),
    [
        ("W01", "FFFFB"),
        ("W03", "FFFFB"),
        ("W05", "GGG"),
        ("W06", "YYYYRSSW"),
        ("W09", "PP"),
        ("W15", "FFFFB"),
        ("W20", "PYY"),
        ("E03", "GP"),
        ("E09", "W"),
    ],
)
def test_a_site_has_the_sensors_of_the_plan(port: Catalogue, site: str, letters: str) -> None:
    assert [s.id.split("-")[1][0] for s in port.sensors if s.site == site] == list(letters)


def test_ids_are_site_letter_and_number_counted_up(port: Catalogue) -> None:
    kinds = load_kinds()
    seen: Counter[tuple[str, str]] = Counter()
    for sensor in port.sensors:
        seen[sensor.site, sensor.kind] += 1
        assert sensor.id == f"{sensor.site}-{kinds[sensor.kind].letter}{seen[sensor.site, sensor.kind]}"
        assert sensor.site in port.site_by_id
        assert sensor.name


def test_every_id_can_be_part_of_a_topic_and_is_used_once(port: Catalogue) -> None:
    things = [thing.id for group in (port.sites, port.sensors, port.corridors) for thing in group]
    assert all(map(is_topic_level, things))
    assert len(set(things)) == len(things)
    sections = [section.id for section in port.sections]
    assert len(set(sections)) == len(sections)


def test_sites_are_placed_with_their_accuracy(port: Catalogue) -> None:
    for site in port.sites:
        assert site.latitude is not None
        assert site.longitude is not None
        assert site.basin == ("west" if site.id.startswith("W") else "east")
        assert site.position_accuracy_m in ((1500, 100) if site.basin == "west" else (500, 100))
        assert site.clock == "wall"


def test_road_sensors_watch_one_lane_each_of_a_named_direction(port: Catalogue) -> None:
    road = [sensor for sensor in port.sensors if sensor.kind == "traffic"]
    lanes = {(sensor.site, sensor.road, sensor.direction, sensor.lane) for sensor in road}
    assert len(lanes) == len(road)
    for sensor in road:
        assert sensor.road
        assert sensor.direction
        assert sensor.lane is not None
        assert sensor.free_speed_kmh is not None
        low, high = (90, 110) if sensor.road.startswith("RN") else (50, 90)
        assert low <= sensor.free_speed_kmh <= high, sensor.id


@pytest.mark.parametrize(
    ("site", "directions", "lanes"),
    [("W12", 2, 2), ("W15", 2, 2), ("W01", 4, 1), ("W03", 4, 1), ("W02", 2, 1), ("E05", 2, 1)],
)
def test_a_site_watches_both_ways_of_its_roads(port: Catalogue, site: str, directions: int, lanes: int) -> None:
    road = [sensor for sensor in port.sensors if sensor.site == site and sensor.kind == "traffic"]
    ways = Counter((sensor.road, sensor.direction) for sensor in road)
    assert len(ways) == directions
    assert set(ways.values()) == {lanes}


def test_what_is_judged_by_its_share_has_a_capacity(port: Catalogue) -> None:
    for sensor in port.sensors:
        assert (sensor.capacity is not None) == (sensor.kind in {"yard", "parking"}), sensor.id
    assert {s.capacity for s in port.sensors if s.kind == "parking"} == {350, 50}


def test_a_gate_has_lanes_and_its_entrance_the_storage_of_the_section_before_it(port: Catalogue) -> None:
    before = {
        section.to_site: {s.storage_m for s in port.sections if s.to_site == section.to_site}
        for section in port.sections
    }
    for gate in (sensor for sensor in port.sensors if sensor.kind == "gate"):
        assert gate.lanes
        assert gate.lanes >= 2
        assert gate.direction in {"in", "out", None}
        assert (gate.storage_m is None) == (gate.direction == "out")
        assert gate.storage_m is None or gate.storage_m in before[gate.site]


def test_a_corridor_is_published_by_the_reader_at_its_end(port: Catalogue) -> None:
    assert len(port.corridors) == 14
    for corridor in port.corridors:
        assert corridor.id == f"{corridor.from_site}-{corridor.to_site}"
        assert f"{corridor.to_site}-{corridor.from_site}" in port.corridor_by_id
        reader = port.sensor_by_id[corridor.reader]
        assert (reader.kind, reader.site) == ("travel_time", corridor.to_site)
    readers = {sensor.id for sensor in port.sensors if sensor.kind == "travel_time"}
    assert {corridor.reader for corridor in port.corridors} == readers


@pytest.mark.parametrize(
    "way",
    [
        "W17 W16 W15",
        "W15 W12",
        "W15 W14 W13 W01",
        "W12 W01",
        "W01 W02 W03",
        "W18 W01",
        "E05 E06",
    ],
)
def test_a_corridor_is_as_long_as_its_sections(port: Catalogue, way: str) -> None:
    length = {(section.from_site, section.to_site): section.length_km for section in port.sections}
    sites = way.split()
    for there in (sites, sites[::-1]):
        corridor = port.corridor_by_id[f"{there[0]}-{there[-1]}"]
        assert corridor.length_km == pytest.approx(sum(length[pair] for pair in pairwise(there)), abs=0.005)


def test_every_section_runs_both_ways_and_is_as_long_as_its_sites_are_apart(port: Catalogue) -> None:
    sections = {section.id: section for section in port.sections}
    for section in port.sections:
        back = sections[f"{section.to_site}-{section.from_site}"]
        assert section.id == f"{section.from_site}-{section.to_site}"
        assert (back.road, back.length_km, back.lanes) == (section.road, section.length_km, section.lanes)
        apart = _distance_km(port.site_by_id[section.from_site], port.site_by_id[section.to_site])
        assert section.length_km == pytest.approx(apart, abs=0.01)
        assert section.storage_m == pytest.approx(section.length_km * 1000 * section.lanes)


def test_the_road_graph_hangs_together_in_each_basin(port: Catalogue) -> None:
    neighbours: dict[str, set[str]] = {}
    for section in port.sections:
        neighbours.setdefault(section.from_site, set()).add(section.to_site)
    for group in ROAD_GROUPS:
        reached, frontier = set[str](), {min(group)}
        while frontier:
            reached |= frontier
            frontier = {site for here in frontier for site in neighbours[here]} - reached
        assert reached == group
    assert set(neighbours) == set().union(*ROAD_GROUPS)


def test_every_road_sensor_stands_on_the_road_graph(port: Catalogue) -> None:
    roads = {site: {s.road for s in port.sections if s.from_site == site} for site in port.site_by_id}
    for sensor in port.sensors:
        if sensor.kind == "traffic":
            assert sensor.road in roads[sensor.site], sensor.id


def test_terminals_carry_their_published_codes_and_own_sites(port: Catalogue) -> None:
    assert {terminal.code: terminal.locode for terminal in port.terminals} == {
        "EURFO": "FRFOS",
        "SEYA": "FRFOS",
        "MET": "FRMRS",
        "TCP": "FRMRS",
        "TRS": "FRMRS",
    }
    assert {site.terminal for site in port.sites} == {terminal.code for terminal in port.terminals} | {None}
    gates = {sensor.site for sensor in port.sensors if sensor.kind == "gate"}
    assert all(port.site_by_id[site].terminal for site in gates)
