"""The road of the world: the catalogue's sections, and a short one for every road sensor that stands on none."""

from __future__ import annotations

from collections.abc import Iterator

from sensors.catalogue import Catalogue, Section, Sensor
from sensors.roads import RoadGraph
from simulators.demand import Demand, Origin, Turn

_LONE_KM = 1.0
_LONE_KMH = 50.0
_LONE_DAY = (4000.0, 1000.0)
"""Cars and lorries a day and lane past a sensor whose road nobody has described."""


def complete(catalogue: Catalogue, demand: Demand) -> tuple[tuple[Section, ...], Demand]:
    """All sections of the world and its demand, with what lone sensors need."""
    lone = {_lone_id(s): s for s in _lone(catalogue)}
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


def watched(sensor: Sensor, graph: RoadGraph) -> tuple[str, bool]:
    """The completed section that a road sensor watches, and whether at its end."""
    found = graph.watched(sensor)
    return (_lone_id(sensor), True) if found is None else (found.section.id, found.at_end)


def _lone(catalogue: Catalogue) -> Iterator[Sensor]:
    graph = RoadGraph(catalogue)
    for sensor in catalogue.sensors:
        if sensor.kind == "traffic" and graph.watched(sensor) is None:
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
