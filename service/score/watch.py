"""Who sees what: which places of the truth a sensor or a corridor watches, and what it depends on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sensors.catalogue import Catalogue
from sensors.roads import RoadGraph

_WATCHES_ITSELF = frozenset({"gate", "yard", "parking", "crane", "reefer"})
"""Kinds whose sensors are places of the truth themselves."""


@dataclass(frozen=True, slots=True)
class Watch:
    """`places` by sensor or corridor that the truth speaks of; `rests_on`: the ids whose fault is also its own.

    `sensors` counts the sensors among them, `others` are things that the truth says nothing about, the wind for one.
    """

    places: Mapping[str, frozenset[str]]
    rests_on: Mapping[str, frozenset[str]]
    sensors: int
    others: frozenset[str]
    spoken_for: Mapping[str, frozenset[str]]
    """By Bluetooth reader: its corridors, in whose name it is silent or wrong."""
    kinds: Mapping[str, str]
    """Of what kind the readings of each sensor and corridor are."""

    def of(self, places: Iterable[str]) -> set[str]:
        """Who watches one of these places."""
        wanted = set(places)
        return {subject for subject, watched in self.places.items() if watched & wanted}

    def on(self, subject: str) -> frozenset[str]:
        """The subject itself, its site and its basin; a corridor's readers and theirs."""
        return self.rests_on.get(subject, frozenset({subject}))

    def named_as(self, where: str) -> frozenset[str]:
        """The subjects under which a fault at `where` is named."""
        return self.spoken_for.get(where, frozenset()) | {where}


def watch_of(catalogue: Catalogue) -> Watch:
    """Who watches what in a catalogue; a road sensor watches the section that it stands on."""
    graph, places = RoadGraph(catalogue), dict[str, frozenset[str]]()
    for sensor in catalogue.sensors:
        if sensor.kind in _WATCHES_ITSELF:
            places[sensor.id] = frozenset({sensor.id})
        elif sensor.kind == "traffic" and (watched := graph.watched(sensor)):
            places[sensor.id] = frozenset({watched.section.id})
    sensors = len(places)
    for corridor in catalogue.corridors:
        places[corridor.id] = frozenset(section.id for section in graph.along(corridor))
    rests_on = _rests_on(catalogue)
    readers = {corridor.reader for corridor in catalogue.corridors}
    spoken_for = {reader: frozenset(c.id for c in catalogue.corridors if c.reader == reader) for reader in readers}
    kinds = {sensor.id: sensor.kind for sensor in catalogue.sensors}
    kinds |= {corridor.id: kinds[corridor.reader] for corridor in catalogue.corridors if corridor.reader in kinds}
    return Watch(places, rests_on, sensors, frozenset(rests_on) - frozenset(places), spoken_for, kinds)


def _rests_on(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    basin = {site.id: site.basin for site in catalogue.sites}
    found = {sensor.id: frozenset({sensor.id, sensor.site, basin[sensor.site]}) for sensor in catalogue.sensors}
    readers = {sensor.site: sensor.id for sensor in catalogue.sensors if sensor.kind == "travel_time"}
    for corridor in catalogue.corridors:
        ends = {corridor.reader, readers.get(corridor.from_site, corridor.reader)}
        found[corridor.id] = frozenset({corridor.id}).union(*(found[end] for end in ends if end in found))
    return found
