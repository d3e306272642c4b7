"""All situations: what the engine makes of readings, shared out to the zones.

A zone is what situations must not be cut by: a basin, or the site of a recording, which has a time of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from analytics.engine import Engine
from analytics.free_speed import in_use
from analytics.readings import Arrivals
from analytics.settings import Rule
from analytics.situations.settle import Seen
from analytics.situations.situation import Notice, Situation
from analytics.situations.zone import Zone
from analytics.state import NEVER, States
from analytics.table import Float32, Index, Mask
from sensors.catalogue import Catalogue, Site
from sensors.level import Level

SLOW = np.float32(0.60)
"""Ratio of speed to free speed under which one reading is congested: the level of that name (domain section 4)."""

Neighbours = Sequence[tuple[str, str, float]]
"""Sensor, neighbour, closeness 0..1."""


class Situations:
    """The zones of an engine's catalogue; refresh it whenever the engine is refreshed."""

    def __init__(self, engine: Engine, catalogue: Catalogue, neighbours: Neighbours = ()) -> None:
        self._roster = engine.roster
        self._zones: dict[str, Zone] = {}
        self._walls: set[str] = set()
        self._zone: list[str] = []
        self._members: dict[str, list[int]] = {}
        self._place: Index = np.zeros(0, np.intp)
        self.refresh(catalogue, neighbours)
        engine.attach(self.watch)

    def refresh(self, catalogue: Catalogue, neighbours: Neighbours = ()) -> None:
        """Take over the catalogue that the engine has now."""
        things, names = self._roster.things, zone_names(catalogue)
        self._walls = {names[site.id] for site in catalogue.sites if site.clock == "wall"}
        for place in range(len(self._zone), len(things)):
            zone = names.get(things[place].site, things[place].site)
            self._zone.append(zone)
            self._members.setdefault(zone, []).append(place)
        self._place = np.zeros(len(things), np.intp)
        for zone, members in self._members.items():
            self._place[members] = np.arange(len(members))
            mine = [(things[place].id, things[place].kind.name, things[place].site) for place in members]
            found = self._zones.setdefault(zone, Zone(self._roster.width))
            found.refresh(catalogue, mine, self._roster.settings.silence_us[members], neighbours)

    def watch(self, rows: Arrivals, after: States, values: Float32) -> None:
        """Take what the engine stepped: rows with the states after each, new ones with a source in `values`."""
        seen = Seen.of(after, self._slow(rows, after))
        zones = np.array([self._zone[thing] for thing in rows.thing.tolist()])
        for zone in np.unique(zones).tolist():
            mine, there = zones == zone, self._zones[zone]
            new, again = mine & (rows.source >= 0), mine & (rows.source < 0)
            there.offer(self._place[rows.thing[new]], seen.take(new), values[rows.source[new]])
            if again.any():
                there.settling.revise(self._place[rows.thing[again]], seen.take(again))

    def run(self, wall_us: int = -NEVER) -> list[Notice]:
        """Take all steps that are due; the zones that live by the wall's clock are told its time."""
        notices: list[Notice] = []
        for name, zone in self._zones.items():
            notices += zone.run(wall_us if name in self._walls else -NEVER)
        return sorted(notices, key=lambda notice: notice.situation.at_us)

    def situations(self) -> list[Situation]:
        """Return all open situations, zone by zone, the eldest first."""
        return [situation for _, zone in sorted(self._zones.items()) for situation in zone.situations()]

    def _slow(self, rows: Arrivals, after: States) -> Mask:
        """Tell which readings are congested by themselves: the alarm outlasts the congestion by its off rule."""
        settings = self._roster.settings.take(rows.thing)
        free_kmh = in_use(after, settings.free_kmh, settings.learn_readings)
        by_speed = settings.rule == Rule.SPEED
        slow: Mask = np.where(by_speed, rows.observed < SLOW * free_kmh, after.level >= Level.CONGESTED)
        return slow


def zone_names(catalogue: Catalogue) -> dict[str, str]:
    """Return the zone of every site: its basin, but its own for a recording's site, which has no roads."""
    on_roads = {site for section in catalogue.sections for site in (section.from_site, section.to_site)}
    basins = {site.basin for site in catalogue.sites if site.id in on_roads or site.clock == "wall"}
    return {site.id: _zone(site, basins) for site in catalogue.sites}


def _zone(site: Site, basins: Iterable[str]) -> str:
    return site.basin if site.basin in basins else site.id
