"""Who is whose neighbour in the shipped port, and among the stations of a recording."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.situations.graph import Graph, build
from sensors.catalogue import Catalogue, Sensor, Site, shipped_catalogue


def things_of(catalogue: Catalogue) -> list[tuple[str, str, str]]:
    sensors = [(s.id, s.kind, s.site) for s in catalogue.sensors if s.kind != "travel_time"]
    return sensors + [(c.id, "travel_time", c.to_site) for c in catalogue.corridors]


@pytest.fixture(scope="module")
def port() -> Graph:
    catalogue = shipped_catalogue()
    return build(catalogue, things_of(catalogue))


def near(graph: Graph, kind: str, name: str) -> set[str]:
    return {graph.places[other].id for other in graph.beside.at(graph.index[kind, name])}


def below(graph: Graph, name: str) -> set[str]:
    return {graph.places[other].id for other in graph.down.at(graph.index["road", name])}


def place_of(graph: Graph, thing: str) -> str:
    catalogue = shipped_catalogue()
    number = [name for name, _, _ in things_of(catalogue)].index(thing)
    return graph.places[graph.place[number]].id


def test_sections_follow_each_other_in_one_direction(port: Graph) -> None:
    assert "W12-W01" in below(port, "W15-W12")
    assert "W15-W12" not in below(port, "W12-W01")
    assert "W12-W15" not in near(port, "road", "W15-W12")


def test_sections_that_nobody_watches_are_driven_through(port: Graph) -> None:
    assert ("road", "W13-W01") not in port.index
    assert {"W01-W02", "W01-W11"} <= below(port, "W14-W13")


def test_gate_is_a_situation_of_its_own_beside_its_access(port: Graph) -> None:
    assert near(port, "gate", "W07") == set()
    assert port.index["access", "W03-W07"] in port.down.at(port.index["road", "W02-W03"])


def test_lanes_of_a_section_and_gates_of_a_site_are_one_place(port: Graph) -> None:
    assert place_of(port, "W12-F1") == place_of(port, "W12-F2") == "W15-W12"
    assert place_of(port, "W07-G1") == place_of(port, "W07-G3") == "W07"
    assert place_of(port, "W06-R1") == "W06-R1"


def test_sensor_at_the_beginning_of_a_section_is_known_as_such(port: Graph) -> None:
    numbers = {name: k for k, (name, _, _) in enumerate(things_of(shipped_catalogue()))}
    assert place_of(port, "W17-F1") == "W17-W16"
    assert port.begins[numbers["W17-F1"]]
    assert not port.begins[numbers["W16-F1"]]


def test_corridor_lies_beside_its_sections(port: Graph) -> None:
    place = port.index["corridor", "W01-W03"]
    assert port.spans[place]
    assert {"W01-W02", "W02-W03"} <= near(port, "corridor", "W01-W03")


def test_cranes_of_a_basin_share_its_wind(port: Graph) -> None:
    assert near(port, "wind", "west") == {"W06", "W08"}
    assert ("wind", "east") not in port.index


def test_places_keep_their_numbers_when_the_port_grows(port: Graph) -> None:
    catalogue = shipped_catalogue()
    grown = build(catalogue, [("NEW-G1", "gate", "NEW"), *things_of(catalogue)], known=port.places)
    assert grown.places[: len(port.places)] == port.places
    assert grown.places[-1].id == "NEW"


def recording(*positions: float | None) -> Catalogue:
    site = Site(id="R", name="R", basin="R", clock="recording")
    stations = [
        Sensor(id=f"s{k}", site="R", kind="traffic", position_km=position) for k, position in enumerate(positions)
    ]
    return Catalogue(sites=(site,), sensors=tuple(stations))


def test_stations_are_neighbours_by_closeness() -> None:
    catalogue = recording(None, None, None)
    graph = build(catalogue, things_of(catalogue), [("s0", "s1", 0.3), ("s1", "s2", 0.29)])
    assert near(graph, "road", "s0") == {"s1"}
    assert near(graph, "road", "s2") == set()


def test_stations_along_a_carriageway_follow_by_kilometre() -> None:
    catalogue = recording(3.0, 1.0, 2.5)
    graph = build(catalogue, things_of(catalogue))
    assert below(graph, "s1") == {"s2"}
    assert below(graph, "s2") == {"s0"}
    assert graph.length_m.tolist() == pytest.approx([500, 1500, 1500])


def test_edges_among_some_places_come_once(port: Graph) -> None:
    some = np.array(sorted(port.index["road", name] for name in ("W15-W12", "W12-W01", "W01-W11")), np.intp)
    first, second = port.among(some)
    names = {frozenset((port.places[some[a]].id, port.places[some[b]].id)) for a, b in zip(first, second, strict=True)}
    assert names == {frozenset(("W15-W12", "W12-W01")), frozenset(("W12-W01", "W01-W11"))}
    assert len(first) == 2
