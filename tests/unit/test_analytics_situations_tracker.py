"""Which situation is which: names over growing, meeting, parting and ending, on a straight road of ten places."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analytics.situations.graph import Graph, build
from analytics.situations.groups import Ties
from analytics.situations.tracker import BRIDGE_US, END_US, Tracked, Tracker
from analytics.state import NEVER
from sensors.catalogue import Catalogue, Sensor, Site

MINUTE = 60_000_000
ROAD = [f"s{k}" for k in range(10)]


def straight(*, driven: bool) -> Graph:
    site = Site(id="R", name="R", basin="R", clock="recording")
    km = [float(k) if driven else None for k in range(len(ROAD))]
    stations = tuple(
        Sensor(id=name, site="R", kind="traffic", position_km=at) for name, at in zip(ROAD, km, strict=True)
    )
    things = [(name, "traffic", "R") for name in ROAD]
    pairs = [(one, other, 1.0) for one, other in itertools.pairwise(ROAD)]
    return build(Catalogue(sites=(site,), sensors=stations), things, () if driven else pairs)


class Road:
    """Is told minute by minute which of its ten places are congested, as a row of signs: `..##......`.

    driven: from the left to the right; else nobody knows in which direction.
    """

    def __init__(self, *, driven: bool = False) -> None:
        self.graph = straight(driven=driven)
        self.tracker = Tracker(lambda place, at_us: f"{ROAD[place]}@{at_us // MINUTE}")
        self.tracker.grow(len(ROAD))
        self.since_us = np.full(len(ROAD), NEVER, np.int64)
        self.minute = 0
        self.last = Tracked

    def see(self, row: str, *, minutes: int = 1, joining: str = "." * 10) -> dict[str, str]:
        """Let `minutes` pass and look; the names of situations with the places inside them."""
        self.minute += minutes
        on, joins = (np.array([sign == "#" for sign in signs]) for signs in (row, joining))
        self.since_us = np.where(on, np.minimum(self.since_us, self.minute * MINUTE), NEVER)
        self.last = tracked = self.tracker.step(self.graph, on, Ties(joins), self.since_us, self.minute * MINUTE)
        found = {}
        for group in np.unique(tracked.groups.group).tolist():
            part = tracked.groups.of(group)
            places = tracked.groups.places[part][tracked.groups.inside[part]].tolist()
            if tracked.slot[group] >= 0:
                found[self.tracker.open[int(tracked.slot[group])].id] = "".join(".#"[k in places] for k in range(10))
        return found


@pytest.fixture
def road() -> Road:
    return Road()


def test_neighbours_are_one_situation_named_by_its_first(road: Road) -> None:
    assert road.see("..#.......") == {"s2@1": "..#......."}
    assert road.see(".###......") == {"s2@1": ".###......"}


def test_two_apart_are_two(road: Road) -> None:
    assert road.see(".#...##...") == {"s1@1": ".#........", "s5@1": ".....##..."}


def test_where_two_meet_the_elder_goes_on(road: Road) -> None:
    road.see("..#.......")
    road.see("..#..#....")
    assert road.see("..####....") == {"s2@1": "..####...."}
    assert [road.tracker.open[slot].id for slot in road.last.joined] == ["s5@2"]


def test_when_they_part_each_has_its_name_back(road: Road) -> None:
    road.see("..#.......")
    road.see("..#...#...")
    road.see("..#####...")
    gap = BRIDGE_US // MINUTE + 1
    assert road.see("..##..##..", minutes=gap) == {"s2@1": "..##......", "s6@2": "......##.."}
    assert [road.tracker.open[slot].id for slot in road.last.parted] == ["s6@2"]


def test_places_that_flow_for_minutes_still_join_both_parts(road: Road) -> None:
    road.see(".#####....")
    assert road.see(".##..#....") == {"s1@1": ".#####...."}
    gap = BRIDGE_US // MINUTE
    assert road.see(".##..#....", minutes=gap - 1) == {"s1@1": ".#####...."}
    assert set(road.see(".##..#....", minutes=2).values()) == {".##.......", ".....#...."}


def test_free_ends_are_outside_at_once(road: Road) -> None:
    road.see(".#####....")
    assert road.see("..##......") == {"s1@1": "..##......"}


def test_what_breaks_off_without_a_name_is_new(road: Road) -> None:
    road.see(".#####....")
    road.see(".##..#....")
    found = road.see(".##..#....", minutes=BRIDGE_US // MINUTE)
    assert found == {"s1@1": ".##.......", f"s5@{road.minute}": ".....#...."}


def test_situation_ends_when_nothing_was_congested_for_a_while(road: Road) -> None:
    road.see("..#.......")
    assert road.see("..........", minutes=END_US // MINUTE) == {"s2@1": ".........."}
    assert road.last.ended == []
    assert road.see("..........") == {}
    assert [identity.id for identity in road.last.ended] == ["s2@1"]


def test_it_goes_on_when_congestion_returns_before(road: Road) -> None:
    road.see("..#.......")
    road.see("..........", minutes=END_US // MINUTE)
    assert road.see("..#.......") == {"s2@1": "..#......."}


def test_part_ends_with_what_it_is_a_part_of(road: Road) -> None:
    road.see("..#.......")
    road.see("..#.#.....")
    road.see("..###.....")
    road.see("..........", minutes=END_US // MINUTE + 1)
    assert sorted(identity.id for identity in road.last.ended) == ["s2@1", "s4@2"]
    assert road.tracker.open == {}


def test_what_only_joins_is_no_situation_and_makes_one_of_two(road: Road) -> None:
    assert road.see("..........", joining="....#.....") == {}
    assert road.see("...#.#....", joining="....#.....") == {"s3@2": "...###...."}


def test_situations_of_two_causes_stay_two_where_they_meet(road: Road) -> None:
    road.see("..#...#...")
    first, second = sorted(road.tracker.open.values(), key=lambda one: one.id)
    first.cause, second.cause = "gate_outage", "accident"
    assert road.see("..#####...") == {"s2@1": "..###.....", "s6@1": ".....##..."}
    second.cause = "gate_outage"
    assert road.see("..#####...") == {"s2@1": "..#####..."}


def test_what_becomes_congested_between_two_causes_is_the_queue_of_the_one_downstream() -> None:
    road = Road(driven=True)
    road.see("..#...#...")
    for one, cause in zip(
        sorted(road.tracker.open.values(), key=lambda one: one.id), ("recurrent", "outage"), strict=True
    ):
        one.cause = cause
    assert road.see("..#####...") == {"s2@1": "..#.......", "s6@1": "...####..."}
    assert road.see(".########.") == {"s2@1": ".##.......", "s6@1": "...######."}


def test_names_are_never_given_twice_and_every_situation_is_connected(road: Road) -> None:
    generator, on = np.random.default_rng(5), np.zeros(10, bool)
    names: list[str] = []
    for _ in range(400):
        on ^= generator.random(10) < 0.08
        row = "".join("#" if sign else "." for sign in on.tolist())
        found = road.see(row, minutes=int(generator.integers(1, 8)))
        names += [road.tracker.open[slot].id for slot in road.last.born]
        assert all("." not in inside.strip(".") for inside in found.values())
        owners = [sum(inside[k] == "#" for inside in found.values()) for k in range(10)]
        assert all(owners[k] == 1 for k in range(10) if row[k] == "#")
        assert max(owners) <= 1
    assert len(names) > 20
    assert len(set(names)) == len(names)
