"""The road of the world: the catalogue's sections, and a short one for every road sensor that stands on none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sensors.catalogue import Catalogue, Section, Sensor
from simulators.demand import Demand, Origin, Turn

_LONE_KM = 1.0
_LONE_KMH = 50.0
_LONE_DAY = (4000.0, 1000.0)
"""Cars and lorries a day and lane past a sensor whose road nobody has described."""


Ways = dict[tuple[str, str], str]
"""Sections by their sites."""


def ways_of(sections: Iterable[Section]) -> Ways:
    return {(section.from_site, section.to_site): section.id for section in sections}


def place_of(sensor: Sensor, ways: Ways, demand: Demand) -> tuple[str, bool] | None:
    """The section that a road sensor watches, and whether at its end: before its site, or behind its first site."""
    sites = demand.road(sensor.road).way(sensor.direction).sites
    place = sites.index(sensor.site) if sensor.site in sites else -1
    if place > 0 and (sites[place - 1], sensor.site) in ways:
        return ways[sites[place - 1], sensor.site], True
    if 0 <= place < len(sites) - 1 and (sensor.site, sites[place + 1]) in ways:
        return ways[sensor.site, sites[place + 1]], False
    return None


def complete(catalogue: Catalogue, demand: Demand) -> tuple[tuple[Section, ...], Demand]:
    """All sections of the world and its demand, with what lone sensors need."""
    lone = {_lone_id(s): s for s in _lone(catalogue, demand)}
    sections = tuple(_lone_section(name, sensor) for name, sensor in lone.items())
    origins = tuple(Origin(site=f"{name}:from", cars_day=_LONE_DAY[0], lorries_day=_LONE_DAY[1]) for name in lone)
    turns = tuple(Turn(section=name, cars={"end": 1.0}) for name in lone)
    known = {site for section in catalogue.sections for site in (section.from_site, section.to_site)}
    described = Demand(
        roads=demand.roads,
        origins=tuple(origin for origin in demand.origins if origin.site in known) + origins,
        turns=demand.turns + turns,
        bans=demand.bans,
        bottlenecks=demand.bottlenecks,
        gates=demand.gates,
        no_shows=demand.no_shows,
    )
    return catalogue.sections + sections, described


def watched(sensor: Sensor, ways: Ways, demand: Demand) -> tuple[str, bool]:
    """As `place_of`, for completed sections."""
    return place_of(sensor, ways, demand) or (_lone_id(sensor), True)


def _lone(catalogue: Catalogue, demand: Demand) -> Iterator[Sensor]:
    ways = ways_of(catalogue.sections)
    for sensor in catalogue.sensors:
        if sensor.kind == "traffic" and place_of(sensor, ways, demand) is None:
            yield sensor


def _lone_id(sensor: Sensor) -> str:
    return f"{sensor.site}:{sensor.road}:{sensor.direction}"


def _lone_section(name: str, sensor: Sensor) -> Section:
    return Section(
        id=name,
        from_site=f"{name}:from",
        to_site=f"{name}:to",
        road=sensor.road or "",
        length_km=_LONE_KM,
        lanes=1,
        free_speed_kmh=sensor.free_speed_kmh or _LONE_KMH,
        storage_m=_LONE_KM * 1000,
    )
