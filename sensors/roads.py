"""Which stretch of road a sensor watches, from the catalogue's sections and ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sensors.catalogue import Catalogue, Section, Sensor, Way


class Watched(NamedTuple):
    """A section, and whether the sensor stands at its end (before its site) or at its beginning (behind it)."""

    section: Section
    at_end: bool


class RoadGraph:
    """Sections by their sites, ways by road and direction."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.sections: Mapping[tuple[str, str], Section] = {(s.from_site, s.to_site): s for s in catalogue.sections}
        self._ways: Mapping[tuple[str, str], Way] = {(way.road, way.direction): way for way in catalogue.ways}

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
