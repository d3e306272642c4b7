from __future__ import annotations

import msgspec
import pytest

from sensors.catalogue import Catalogue, Section, Sensor, Site, Way, shipped_catalogue
from sensors.roads import RoadGraph

PORT = shipped_catalogue()


@pytest.mark.parametrize(
    ("sensor", "section", "end"),
    [
        ("W12-F1", "W15-W12", "end"),
        ("W12-F4", "W01-W12", "end"),
        ("W17-F1", "W17-W16", "beginning"),
        ("W13-F2", "W01-W13", "end"),
        ("W03-F4", "W10-W03", "end"),
        ("E08-F2", "E08-E10", "beginning"),
    ],
)
def test_a_sensor_watches_the_section_before_its_site_else_the_one_behind(sensor: str, section: str, end: str) -> None:
    watched = RoadGraph(PORT).watched(PORT.sensor_by_id[sensor])
    assert watched is not None
    assert (watched.section.id, watched.at_end) == (section, end == "end")


def test_every_road_sensor_of_the_port_watches_a_section() -> None:
    graph = RoadGraph(PORT)
    assert [s.id for s in PORT.sensors if s.kind == "traffic" and graph.watched(s) is None] == []


def test_every_way_leads_along_sections() -> None:
    graph = RoadGraph(PORT)
    for way in PORT.ways:
        assert all(pair in graph.sections for pair in zip(way.sites, way.sites[1:], strict=False)), way.id


@pytest.mark.parametrize(
    ("corridor", "sections"),
    [
        ("W15-W12", ["W15-W12"]),
        ("W17-W15", ["W17-W16", "W16-W15"]),
        ("W15-W01", ["W15-W14", "W14-W13", "W13-W01"]),
        ("W01-W15", ["W01-W13", "W13-W14", "W14-W15"]),
        ("W01-W03", ["W01-W02", "W02-W03"]),
    ],
)
def test_a_corridor_leads_over_the_sections_whose_length_is_nearest_to_its_own(
    corridor: str, sections: list[str]
) -> None:
    graph = RoadGraph(PORT)
    assert [section.id for section in graph.along(PORT.corridor_by_id[corridor])] == sections


def test_a_corridor_between_sites_without_a_road_leads_over_nothing() -> None:
    corridor = msgspec.structs.replace(PORT.corridor_by_id["W15-W12"], to_site="E09")
    assert RoadGraph(PORT).along(corridor) == ()


def test_a_sensor_on_no_known_way_watches_nothing() -> None:
    sensor = PORT.sensor_by_id["W12-F1"]
    graph = RoadGraph(PORT)
    for change in ({"road": "A7"}, {"direction": "Lyon"}, {"site": "E09"}, {"road": None}):
        assert graph.watched(msgspec.structs.replace(sensor, **change)) is None


def test_a_way_without_sections_is_no_road() -> None:
    site = Site(id="A", name="A", basin="west")
    way = Way(id="A-B", road="R", direction="B", sites=("A", "B"))
    sensor = Sensor(id="A-F1", site="A", kind="traffic", road="R", direction="B")
    sections: tuple[Section, ...] = ()
    catalogue = Catalogue(sites=(site,), sensors=(sensor,), sections=sections, ways=(way,))
    assert RoadGraph(catalogue).watched(sensor) is None


def test_the_free_speed_of_a_corridor_is_that_of_its_sections_together() -> None:
    graph = RoadGraph(PORT)
    corridor = PORT.corridor_by_id["W01-W03"]
    assert [section.id for section in graph.along(corridor)] == ["W01-W02", "W02-W03"]
    assert graph.free_speed_kmh(corridor) == pytest.approx(70)
    nowhere = msgspec.structs.replace(corridor, to_site="E01")
    assert graph.free_speed_kmh(nowhere) is None


def test_corridors_are_witnesses_of_their_sections_in_their_direction() -> None:
    witnesses = RoadGraph(PORT).witnesses()
    assert witnesses["W12-W01"] == ("W12-W01",)
    assert witnesses["W14-W13"] == ("W15-W01",)
    assert witnesses["W13-W14"] == ("W01-W15",)
    assert witnesses["W03-W07"] == ()
