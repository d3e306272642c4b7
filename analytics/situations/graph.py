"""Which places are neighbours: congestion at both at once is one situation.

Sections are neighbours along the direction of travel, also over sections that nobody watches, because queues grow
upstream; opposite directions and the gate at a section's end are not. Stations of a recording are neighbours by the
closeness that it brings, else in their order along the carriageway. Cranes of a basin share its wind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analytics.situations.places import ROAD, At, Place, accesses, at_places, winds
from analytics.table import Float32, Index, Mask
from sensors.catalogue import Catalogue, Section
from sensors.roads import RoadGraph

CLOSE = 0.3
"""Closeness from which two stations of a recording are neighbours (definition of the recordings). Too low: whole
districts are one situation; too high: one jam falls apart."""

Edges = set[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of places, one a place: those of place p are `members[start[p] : start[p + 1]]`."""

    start: Index
    members: Index

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]], count: int) -> Lists:
        table = np.array(sorted(pairs), np.intp).reshape(-1, 2)
        start = np.searchsorted(table[:, 0], np.arange(count + 1)).astype(np.intp)
        return cls(start, table[:, 1].copy())

    def pairs(self, places: Index) -> tuple[Index, Index]:
        """Return every (position in `places`, member), in order of position."""
        counts = self.start[places + 1] - self.start[places]
        first = np.cumsum(counts) - counts
        at = np.repeat(self.start[places] - first, counts) + np.arange(int(counts.sum()))
        return np.repeat(np.arange(len(places)), counts), self.members[at]

    def at(self, place: int) -> list[int]:
        found: list[int] = self.members[self.start[place] : self.start[place + 1]].tolist()
        return found

    def rings(self, place: int, most: int) -> Iterator[set[int]]:
        """Yield what is one step away, two steps away and so on, each place once."""
        reached, ring = {place}, {place}
        for _ in range(most):
            ring = {other for one in ring for other in self.at(one)} - reached
            reached |= ring
            yield ring


@dataclass(frozen=True, slots=True)
class Graph:
    """P places and n things.

    index: place by kind and id. place: (n,) the place of each thing, -1 = none. begins: (n,) it stands where its
    section begins. beside: neighbours, both ways. down: next places in the direction of travel, `up` against it.
    spans: (P,) corridors, which attach to the situations of their sections and join none. length_m: (P,), NaN = none.
    """

    places: tuple[Place, ...]
    index: dict[tuple[str, str], int]
    place: Index
    begins: Mask
    beside: Lists
    down: Lists
    up: Lists
    spans: Mask
    length_m: Float32

    def among(self, places: Index) -> tuple[Index, Index]:
        """Return the edges between `places` (ascending), as positions in it, each once."""
        position, member = self.beside.pairs(places)
        other = np.searchsorted(places, member)
        other[other == len(places)] = 0
        inside = (places[other] == member) & (position < other) if len(places) else np.zeros(0, np.bool_)
        return position[inside], other[inside]


def build(
    catalogue: Catalogue,
    things: Sequence[tuple[str, str, str]],
    neighbours: Iterable[tuple[str, str, float]] = (),
    known: Sequence[Place] = (),
) -> Graph:
    """Build the graph of things given by id, kind and site; `known` places keep their numbers."""
    at = list(at_places(catalogue, things))
    number = {(place.kind, place.id): k for k, place in enumerate(known)}
    places = list(known)
    for place in (*(one.place for one in at if one), *_joining(catalogue, at)):
        if number.setdefault((place.kind, place.id), len(places)) == len(places):
            places.append(place)
    numbers = np.array([number[one.place.kind, one.place.id] if one else -1 for one in at], np.intp)
    of = {thing: k for (thing, _, _), k in zip(things, numbers.tolist(), strict=True) if k >= 0}
    along = dict(_along(catalogue, of))
    down = set(_downstream(catalogue, number)) | set(along)
    beside = down | set(_close(neighbours, of)) | set(_spanned(catalogue, number)) | set(_blown(catalogue, number))
    count = len(places)
    return Graph(
        places=tuple(places),
        index=number,
        place=numbers,
        begins=np.array([bool(one and one.begins) for one in at], np.bool_),
        beside=Lists.of(beside | {(b, a) for a, b in beside}, count),
        down=Lists.of(down, count),
        up=Lists.of({(b, a) for a, b in down}, count),
        spans=np.array([place.kind == "corridor" for place in places], np.bool_),
        length_m=_lengths(places, along),
    )


def _joining(catalogue: Catalogue, at: Iterable[At | None]) -> Iterator[Place]:
    watched = {one.place.id: one for one in at if one and one.place.kind == ROAD}
    yield from accesses(catalogue, watched).values()
    yield from winds(catalogue).values()


def _downstream(catalogue: Catalogue, number: dict[tuple[str, str], int]) -> Iterator[tuple[int, int]]:
    """Yield a section and the next ones downstream; sections without a place are driven through."""
    leaving: dict[str, list[Section]] = defaultdict(list)
    for section in catalogue.sections:
        leaving[section.from_site].append(section)
    for section in catalogue.sections:
        here = number.get((ROAD, section.id))
        waiting, seen = [section] if here is not None else [], {section.id}
        while waiting:
            driven = waiting.pop()
            for further in leaving[driven.to_site]:
                if further.to_site == driven.from_site or further.id in seen:
                    continue
                seen.add(further.id)
                there = number.get((ROAD, further.id), number.get(("access", further.id)))
                if there is None:
                    waiting.append(further)
                elif here is not None:
                    yield here, there


def _lengths(places: Sequence[Place], along: Mapping[tuple[int, int], float]) -> Float32:
    """Return the length of every place; a station stands for the road from the one before, the first for as much."""
    lengths = np.array([place.length_m for place in places], np.float32)
    for (one, other), length_m in reversed(list(along.items())):
        lengths[one] = lengths[other] = length_m
    for (_, other), length_m in along.items():
        lengths[other] = length_m
    return lengths


def _along(catalogue: Catalogue, of: dict[str, int]) -> Iterator[tuple[tuple[int, int], float]]:
    """Yield stations that follow each other along a carriageway, and metres between them; km grow as one drives."""
    lines: dict[tuple[str, str | None, str | None], list[tuple[float, int]]] = defaultdict(list)
    for sensor in catalogue.sensors:
        if sensor.position_km is not None and sensor.id in of:
            lines[sensor.site, sensor.road, sensor.direction].append((sensor.position_km, of[sensor.id]))
    for line in lines.values():
        for (here_km, one), (there_km, other) in pairwise(sorted(line)):
            if one != other:
                yield (one, other), (there_km - here_km) * 1000


def _close(neighbours: Iterable[tuple[str, str, float]], of: dict[str, int]) -> Iterator[tuple[int, int]]:
    for one, other, closeness in neighbours:
        if closeness >= CLOSE and one in of and other in of and of[one] != of[other]:
            yield of[one], of[other]


def _spanned(catalogue: Catalogue, number: dict[tuple[str, str], int]) -> Iterator[tuple[int, int]]:
    """Yield corridors with their sections, and with each other where they share one."""
    roads = RoadGraph(catalogue)
    over: dict[str, list[int]] = defaultdict(list)
    for corridor in catalogue.corridors:
        here = number.get(("corridor", corridor.id))
        for section in roads.along(corridor) if here is not None else ():
            there = number.get((ROAD, section.id))
            yield from [(here, there)] if here is not None and there is not None else ()
            yield from ((here, other) for other in over[section.id] if here is not None)
            over[section.id].append(here if here is not None else -1)


def _blown(catalogue: Catalogue, number: dict[tuple[str, str], int]) -> Iterator[tuple[int, int]]:
    for site in catalogue.sites:
        wind, crane = number.get(("wind", site.basin)), number.get(("crane", site.id))
        if wind is not None and crane is not None:
            yield wind, crane
