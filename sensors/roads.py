"""Which stretch of road a sensor or a corridor watches, from the catalogue's sections and ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sensors.catalogue import Catalogue, Corridor, Section, Sensor, Way

_MOST_LEGS: Final = 6
"""Sections that a corridor may lead over: more only takes longer to search."""


class Watched(NamedTuple):
    """A section, and whether the sensor stands at its end (before its site) or at its beginning (behind it)."""

    section: Section
    at_end: bool


class RoadGraph:
    """Sections by their sites, ways by road and direction."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.sections: Mapping[tuple[str, str], Section] = {(s.from_site, s.to_site): s for s in catalogue.sections}
        self._ways: Mapping[tuple[str, str], Way] = {(way.road, way.direction): way for way in catalogue.ways}

        self._corridors = catalogue.corridors
        self._from: Mapping[str, Sequence[Section]] = _by_start(catalogue.sections)

    def along(self, corridor: Corridor) -> tuple[Section, ...]:
        """The sections between two readers, by the way whose length is nearest; none where no road leads along."""
        ways = self._ways_to(corridor.to_site, corridor.from_site, ())
        return min(ways, key=lambda way: abs(sum(s.length_km for s in way) - corridor.length_km), default=())

    def _ways_to(self, end: str, start: str, driven: tuple[Section, ...]) -> Iterator[tuple[Section, ...]]:
        if start == end:
            yield driven
        elif len(driven) < _MOST_LEGS:
            seen = {section.from_site for section in driven}
            for section in self._from.get(start, ()):
                if section.to_site not in seen:
                    yield from self._ways_to(end, section.to_site, (*driven, section))

    def free_speed_kmh(self, corridor: Corridor) -> float | None:
        """Mean speed of who drives each section of a corridor at its free speed; None where one has none."""
        along = self.along(corridor)
        if not along or not all(section.length_km > 0 and section.free_speed_kmh > 0 for section in along):
            return None
        return sum(s.length_km for s in along) / sum(s.length_km / s.free_speed_kmh for s in along)

    def witnesses(self) -> dict[str, tuple[str, ...]]:
        """The corridors that lead over each section, by its id: second witnesses of its traffic in its direction."""
        found: dict[str, list[str]] = {section.id: [] for section in self.sections.values()}
        for corridor in self._corridors:
            for section in self.along(corridor):
                found[section.id].append(corridor.id)
        return {section: tuple(corridors) for section, corridors in found.items()}

    def passed_by_all(self) -> dict[str, str]:
        """A corridor of which every way leads over a section, by the section's id."""
        found: dict[str, str] = {}
        for corridor in self._corridors:
            ways = [{section.id for section in way} for way in self._ways_to(corridor.to_site, corridor.from_site, ())]
            for section in sorted(set.intersection(*ways)) if ways else ():
                found.setdefault(section, corridor.id)
        return found

    def way(self, sensor: Sensor) -> Way | None:
        """The direction of a road that a sensor is on."""
        return self._ways.get((sensor.road or "", sensor.direction or ""))

    def watched(self, sensor: Sensor) -> Watched | None:
        """The section that ends at a sensor's site on its way, else the one that begins there; None off the roads."""
        way = self.way(sensor)
        if way is None or sensor.site not in way.sites:
            return None
        place = way.sites.index(sensor.site)
        before = self.sections.get((way.sites[place - 1], sensor.site)) if place else None
        after = self.sections.get((sensor.site, way.sites[place + 1])) if place + 1 < len(way.sites) else None
        if before is not None:
            return Watched(before, at_end=True)
        return None if after is None else Watched(after, at_end=False)


def _by_start(sections: Sequence[Section]) -> Mapping[str, Sequence[Section]]:
    found: dict[str, list[Section]] = defaultdict(list)
    for section in sections:
        found[section.from_site].append(section)
    return found
