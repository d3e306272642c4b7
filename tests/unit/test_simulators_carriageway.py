from __future__ import annotations

import itertools
from collections import defaultdict

import pytest

from sensors.catalogue import Catalogue, Section, Sensor, Site, Way, shipped_catalogue
from simulators.carriageway import along_the_road

PORT = shipped_catalogue()


def near(catalogue: Catalogue, sensors: list[Sensor]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for pair in along_the_road(catalogue, sensors):
        assert pair.closeness == 1
        found[pair.sensor].add(pair.neighbour)
    return found


def loops(*names: str) -> list[Sensor]:
    return [s for s in PORT.sensors if s.kind == "traffic" and (not names or s.id in names)]


def test_neighbours_are_next_to_each_other_along_the_carriageway() -> None:
    found = near(PORT, loops())
    assert found["W02-F1"] == {"W01-F3", "W03-F1"}
    assert found["E06-F1"] == {"E05-F1", "E10-F1"}


def test_the_opposite_carriageway_is_no_neighbour() -> None:
    found = near(PORT, loops())
    assert not {"W02-F2", "W03-F2"} & found["W02-F1"]


def test_two_lanes_of_one_place_are_neighbours() -> None:
    assert "W12-F2" in near(PORT, loops())["W12-F1"]


def test_every_pair_is_there_both_ways() -> None:
    found = near(PORT, loops())
    assert all(one in found[other] for one, others in found.items() for other in others)


def test_a_section_that_nobody_chosen_watches_is_passed_over() -> None:
    assert near(PORT, loops("W01-F3", "W03-F1")) == {"W01-F3": {"W03-F1"}, "W03-F1": {"W01-F3"}}


def test_sensors_off_the_roads_have_no_neighbours() -> None:
    assert not near(PORT, [Sensor(id="x", site="W01", kind="traffic"), Sensor(id="y", site="W01", kind="traffic")])


@pytest.mark.parametrize("start", ["A", "B"])
def test_a_ring_of_unwatched_sections_ends(start: str) -> None:
    """A, B, C and back to A: from the only watched section all the way round."""
    ring = ["A", "B", "C", "A", "B"]
    sections = tuple(
        Section(
            id=f"{a}-{b}", from_site=a, to_site=b, road="R", length_km=1, lanes=1, free_speed_kmh=50, storage_m=1000
        )
        for a, b in itertools.pairwise(ring[:4])
    )
    sites = tuple(Site(id=name, name=name, basin="west") for name in "ABC")
    ways = (Way(id="ring", road="R", direction="round", sites=tuple(ring[ring.index(start) :][:3])),)
    lone = Sensor(id="x", site=ways[0].sites[1], kind="traffic", road="R", direction="round")
    assert not near(Catalogue(sites=sites, sensors=(lone,), sections=sections, ways=ways), [lone])
