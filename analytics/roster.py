"""Who is analysed: things by id and kind, their settings, the sites they stand at, and the readers beside them.

A thing keeps its place in every table for ever; one that leaves the catalogue is only no longer found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from analytics.clock import WALL, group_names
from analytics.readings import Arrivals, Readings
from analytics.settings import Settings, Thing, readers_of, things_of
from analytics.table import Float32, Index
from analytics.usual import Profile, Usual
from sensors.catalogue import Catalogue, Sensor
from sensors.kind import Kind


class Roster:
    """The things of a catalogue. `ignored` counts readings of others, and of kinds that are not a thing's own.

    things: by place. index: place of every thing now in the catalogue. active: those places, ascending. settings: one
    row a place. sites: index of each site's clock; recording: bool by that index; group: number of who shares a
    clock. readers: corridors of each reader. catalogued: every sensor and corridor of the catalogue, analysed or not.
    """

    def __init__(self, kinds: Mapping[str, Kind], catalogue: Catalogue) -> None:
        self.ignored = 0
        self.width = max((len(kind.fields) + len(kind.choices) for kind in kinds.values()), default=0)
        self.things: list[Thing] = []
        self.sites: dict[str, int] = {}
        self._kinds = kinds
        self._places: dict[tuple[str, str], int] = {}
        self.refresh(catalogue)

    def refresh(self, catalogue: Catalogue) -> None:
        """Take over a new catalogue: a thing whose kind changed is a new thing."""
        things = list(things_of(catalogue, self._kinds))
        for thing in things:
            place = self._places.setdefault((thing.id, thing.kind.name), len(self.things))
            self.things[place : place + 1] = [thing]
        self._timezones = {thing.site: "UTC" for thing in self.things} | {s.id: s.timezone for s in catalogue.sites}
        for site in [*(site.id for site in catalogue.sites), *(thing.site for thing in things)]:
            self.sites.setdefault(site, len(self.sites))
        self.index = {thing.id: self._places[thing.id, thing.kind.name] for thing in things}
        self.active: Index = np.array(sorted(self.index.values()), np.intp)
        self.settings = Settings.of(self.things, self.sites)
        self.readers: dict[str, list[str]] = readers_of(catalogue, self._kinds)
        self.catalogued = catalogue.sensor_by_id.keys() | catalogue.corridor_by_id.keys()
        self.sensor: Mapping[str, Sensor] = catalogue.sensor_by_id
        groups = group_names(catalogue)
        self.recording = np.array([groups.get(site, WALL) != WALL for site in self.sites], np.bool_)
        number = {name: place for place, name in enumerate(dict.fromkeys(groups.values()))}
        self.group = np.array([number.get(groups.get(site, WALL), -1) for site in self.sites], np.intp)
        self._recent: dict[str, tuple[Sequence[str], Index]] = {}
        self._by_kind: dict[str, dict[str, int]] = {name: {} for name in self._kinds}
        for thing in things:
            self._by_kind[thing.kind.name][thing.id] = self.index[thing.id]

    def usual(self, profiles: Mapping[str, Profile]) -> Usual:
        """Gather the profiles of those that are in the catalogue, by place and time zone."""
        some = {self.index[name]: profile for name, profile in profiles.items() if name in self.index}
        return Usual.of(some, [self._timezones[thing.site] for thing in self.things])

    def arrivals(self, batch: Iterable[Readings]) -> tuple[Arrivals, Float32]:
        """Return the readings of known things, and their values (n, width) as wide as the widest kind."""
        arrivals, values, total = [Arrivals.empty()], [np.zeros((0, self.width), np.float32)], 0
        for readings in batch:
            rows, wide = self._known(readings, total)
            arrivals.append(rows)
            values.append(wide)
            total += len(wide)
        if len(arrivals) == 2:  # noqa: PLR2004
            return arrivals[1], values[1]
        return Arrivals.joined(arrivals), np.concatenate(values)

    def _placed(self, readings: Readings) -> Index:
        """Return the place of each reading's thing, -1 = unknown; who comes in the order of last time is known."""
        names, places = self._recent.get(readings.kind, ([], None))
        if places is None or names != readings.thing:
            own = self._by_kind.get(readings.kind, {})
            places = np.array([own.get(name, -1) for name in readings.thing], np.intp)
            self._recent[readings.kind] = (readings.thing, places)
        return places

    def _known(self, readings: Readings, offset: int) -> tuple[Arrivals, Float32]:
        places = self._placed(readings)
        known = places >= 0
        if not known.all():
            self.ignored += int((~known).sum())
            rows = np.flatnonzero(known)
            readings, places = readings.take(rows), places[rows]
        wide = readings.wide(self.width)
        if not len(places):
            return Arrivals.empty(), wide
        arrivals = Arrivals.of(self._kinds[readings.kind], places, readings, self.settings.whole[places])
        arrivals.source += offset
        return arrivals, wide
