"""Where things are: the places that congestion is said to be at, and which thing is at which.

A place is a road section, all gates of a site, all blocks or cranes of a site, or, for everything else, the thing
itself. Two kinds of place have no thing that can be congested: a section before a gate that nobody watches, and the
wind of a basin; they only join others, while they are full or strong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Final, NamedTuple

from sensors.catalogue import Catalogue, Section, Sensor
from sensors.roads import RoadGraph

ROAD: Final = "road"
CORRIDOR: Final = "corridor"
ACCESS: Final = "access"
WIND: Final = "wind"

_ROADSIDE: Final = "traffic"
_PAIRED: Final = "travel_time"
_OF_A_SITE: Final = frozenset({"gate", "yard", "crane"})
"""Kinds whose things at one site are one place: the lanes of a gate share their road, blocks their lorries."""


@dataclass(frozen=True, slots=True)
class Place:
    """`id` is that of the section, site, basin or thing; ids are unique within a kind of place only.

    length_m: of a section, NaN where there is none.
    """

    kind: str
    id: str
    site: str
    length_m: float = nan


class At(NamedTuple):
    """The place of a thing, and whether the thing stands at the beginning of it rather than at its end."""

    place: Place
    begins: bool = False


def at_places(catalogue: Catalogue, things: Sequence[tuple[str, str, str]]) -> Iterator[At | None]:
    """Yield the place of each thing, given by id, kind and site; None for those that only tell why (wind)."""
    roads, corridors = RoadGraph(catalogue), catalogue.corridor_by_id
    for thing, kind, site in things:
        sensor = catalogue.sensor_by_id.get(thing)
        if kind == WIND:
            yield None
        elif kind == _ROADSIDE and sensor is not None:
            yield _beside(sensor, roads)
        elif kind == _PAIRED and thing in corridors:
            yield At(Place(CORRIDOR, thing, site, corridors[thing].length_km * 1000))
        else:
            yield At(Place(kind, site if kind in _OF_A_SITE else thing, site))


def _beside(sensor: Sensor, roads: RoadGraph) -> At:
    """Return the section that a sensor watches; on no section, lanes of one direction are one place."""
    watched = roads.watched(sensor)
    if watched is not None:
        return At(road(watched.section), not watched.at_end)
    lanes = sensor.road is not None and sensor.direction is not None
    return At(Place(ROAD, f"{sensor.site}:{sensor.road}:{sensor.direction}" if lanes else sensor.id, sensor.site))


def road(section: Section) -> Place:
    return Place(ROAD, section.id, section.to_site, section.length_km * 1000)


def accesses(catalogue: Catalogue, watched: Mapping[str, object]) -> dict[str, Place]:
    """The sections that end at a site with an entry gate and that no sensor watches, by id."""
    gates = {sensor.site for sensor in catalogue.sensors if sensor.kind == "gate" and sensor.direction != "out"}
    return {
        section.id: Place(ACCESS, section.id, section.to_site, section.length_km * 1000)
        for section in catalogue.sections
        if section.to_site in gates and section.id not in watched
    }


def winds(catalogue: Catalogue) -> dict[str, Place]:
    """The wind of every basin that has an anemometer and cranes, by basin."""
    basin = {site.id: site.basin for site in catalogue.sites}
    of = {kind: {basin[s.site] for s in catalogue.sensors if s.kind == kind} for kind in (WIND, "crane")}
    return {name: Place(WIND, name, name) for name in sorted(of[WIND] & of["crane"])}
