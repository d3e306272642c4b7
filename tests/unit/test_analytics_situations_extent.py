"""Head, tail and length of what is inside, on the shipped port's roads."""

from __future__ import annotations

import pytest

from analytics.situations.extent import extent
from analytics.situations.graph import Graph, build
from sensors.catalogue import Catalogue, Sensor, Site, shipped_catalogue

LENGTH = {"W17-W16": 4420, "W16-W15": 2030, "W15-W12": 2500}


@pytest.fixture(scope="module")
def port() -> Graph:
    catalogue = shipped_catalogue()
    return build(catalogue, [(s.id, s.kind, s.site) for s in catalogue.sensors])


def measured(graph: Graph, *sections: str, seen: tuple[tuple[str, bool], ...] = ()) -> tuple[str, str, float | None]:
    places = [graph.index["road", name] for name in sections]
    since_us = {place: k for k, place in enumerate(places)}
    ends = {(graph.index["road", name], begins) for name, begins in seen}
    found = extent(graph, places, since_us, ends or {(place, False) for place in places})
    return graph.places[found.head].id, graph.places[found.tail].id, found.length_m


def test_queue_reaches_from_its_head_downstream_to_its_tail_upstream(port: Graph) -> None:
    head, tail, length_m = measured(port, "W16-W15", "W15-W12")
    assert (head, tail) == ("W15-W12", "W16-W15")
    assert length_m == pytest.approx(LENGTH["W15-W12"] + LENGTH["W16-W15"] / 2)


def test_section_that_is_congested_at_both_ends_counts_in_full(port: Graph) -> None:
    seen = (("W17-W16", True), ("W17-W16", False))
    assert measured(port, "W17-W16", seen=seen)[2] == pytest.approx(LENGTH["W17-W16"])
    assert measured(port, "W17-W16")[2] == pytest.approx(LENGTH["W17-W16"] / 2)


def test_of_several_tails_the_farthest_is_told(port: Graph) -> None:
    head, tail, length_m = measured(port, "W01-W02", "W11-W01", "W12-W01")
    assert (head, tail) == ("W01-W02", "W12-W01")
    assert length_m == pytest.approx(2430 + 5890 / 2)


def test_stations_without_direction_begin_where_they_began() -> None:
    site = Site(id="R", name="R", basin="R", clock="recording")
    names = ["a", "b", "c", "d"]
    catalogue = Catalogue(sites=(site,), sensors=tuple(Sensor(id=n, site="R", kind="traffic") for n in names))
    pairs = [("a", "b", 1.0), ("b", "c", 1.0), ("c", "d", 1.0)]
    graph = build(catalogue, [(n, "traffic", "R") for n in names], pairs)
    found = extent(graph, [0, 1, 2, 3], {1: 10, 0: 20, 2: 20, 3: 30}, set())
    assert (found.head, found.tail, found.length_m) == (1, 3, None)
