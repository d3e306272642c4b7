"""All situations: what the engine makes of readings, shared out to the zones.

A zone is what situations must not be cut by: a basin, or the site of a recording, which has a time of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from analytics.readings import Arrivals
from analytics.roster import Roster
from analytics.situations.habits import Habits, Table
from analytics.situations.memory import FORMAT, ThingMemory, ZoneMemory
from analytics.situations.settle import Seen
from analytics.situations.situation import Notice, Situation
from analytics.situations.slow import slow
from analytics.situations.usually import Usually
from analytics.situations.zone import Zone
from analytics.state import NEVER, States
from analytics.table import Float32, Index, run_of
from analytics.usual import Usual
from analytics.week import Week
from sensors.catalogue import Catalogue, Site

_THING, _ZONE = "thing ", "zone "

Neighbours = Sequence[tuple[str, str, float]]
"""Sensor, neighbour, closeness 0..1."""


class Situations:
    """The zones of an engine's catalogue; refresh it whenever the engine is refreshed.

    Attach `watch` to the engine, after both were restored.
    """

    def __init__(self, roster: Roster, catalogue: Catalogue, neighbours: Neighbours = ()) -> None:
        self._roster = roster
        self._zones: dict[str, Zone] = {}
        self._walls: set[str] = set()
        self._zone: list[str] = []
        self._members: dict[str, list[int]] = {}
        self._place: Index = np.zeros(0, np.intp)
        self._number: Index = np.zeros(0, np.intp)
        self._order: list[str] = []
        self._timezones: dict[str, str] = {}
        self.stepped: set[str] = set()
        self.refresh(catalogue, neighbours)

    def refresh(self, catalogue: Catalogue, neighbours: Neighbours = ()) -> None:
        """Take over the catalogue that the engine has now."""
        things, names = self._roster.things, zone_names(catalogue)
        self._timezones = {names[site.id]: site.timezone for site in reversed(catalogue.sites)}
        self._walls = {names[site.id] for site in catalogue.sites if site.clock == "wall"}
        for place in range(len(self._zone), len(things)):
            zone = names.get(things[place].site, things[place].site)
            self._zone.append(zone)
            self._members.setdefault(zone, []).append(place)
        self._place = np.zeros(len(things), np.intp)
        self._order = list(self._members)
        rank = {zone: number for number, zone in enumerate(self._order)}
        self._number = np.array([rank[zone] for zone in self._zone], np.intp)
        for zone, members in self._members.items():
            self._place[members] = np.arange(len(members))
            mine = [things[place] for place in members]
            found = self._zones.setdefault(zone, Zone(self._roster.width))
            found.refresh(catalogue, mine, self._roster.settings.silence_us[members], neighbours)

    def use(self, tables: Mapping[tuple[str, str], Table]) -> None:
        """Compare with what is usual from now on: hours of the week by thing and field."""
        for name, zone in self._zones.items():
            mine = {self._roster.things[place].id for place in self._members[name]}
            week = Week(self._timezones[name])
            zone.use(Habits({key: table for key, table in tables.items() if key[0] in mine}, week))

    def expect(self, usual: Usual) -> None:
        """Expect ends by usual speeds from now on: those of the things of the roster, in its order."""
        for name, zone in self._zones.items():
            members = np.array(self._members[name], np.intp)
            zone.expect(Usually(usual, members, [self._roster.things[place] for place in self._members[name]]))

    def watch(self, rows: Arrivals, after: States, values: Float32) -> None:
        """Take what the engine stepped: rows with the states after each, what is believed of new ones in `values`."""
        things = run_of(rows.thing)
        seen = Seen.of(after, slow(self._roster.settings.look(things), rows, after))
        numbers, places, known = self._number[things], self._place[things], rows.source < 0
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            mine, there = numbers == number, self._zones[self._order[number]]
            new, again = (run_of(np.flatnonzero(mine & which)) for which in (~known, known))
            there.offer(places[new], seen.look(new), values[run_of(rows.source[new])])
            if known.any():
                there.settling.revise(places[again], seen.look(again))

    def run(self, wall_us: int = -NEVER) -> list[Notice]:
        """Take all steps that are due; the zones that live by the wall's clock are told its time.

        Announcements come in order of event time. Zones that took a step are in `stepped` until it is cleared.
        """
        notices: list[Notice] = []
        for name, zone in self._zones.items():
            before_us = zone.step_us
            notices += zone.run(wall_us if name in self._walls else -NEVER)
            if zone.step_us != before_us:
                self.stepped.add(name)
        return sorted(notices, key=lambda notice: notice.situation.at_us)

    def situations(self, zones: Iterable[str] | None = None) -> list[Situation]:
        """Return the open situations, of all zones by default, the eldest of each first."""
        names = sorted(self._zones if zones is None else zones)
        return [situation for name in names for situation in self._zones[name].situations()]

    def memory(self, things: Iterable[str], zones: Iterable[str]) -> dict[str, ZoneMemory | ThingMemory]:
        """Return what to persist of the things that spoke, and of the zones that took a step.

        Persist it in the transaction that moves the cursors.
        """
        found: dict[str, ZoneMemory | ThingMemory] = {}
        members: dict[str, list[str]] = defaultdict(list)
        for name in sorted(set(things) & self._roster.index.keys()):
            members[self._zone[self._roster.index[name]]].append(name)
        for zone, names in members.items():
            places = self._place[[self._roster.index[name] for name in names]]
            rows = self._zones[zone].settling.memory(places)
            found |= {f"{_THING}{name}": row for name, row in zip(names, rows, strict=True)}
        return found | {f"{_ZONE}{zone}": self._zones[zone].memory() for zone in sorted(zones)}

    def restore(self, memories: Mapping[str, Any]) -> None:
        """Go on from memories, once the engine was restored; attach it afterwards. What is unusable starts anew."""
        usable = {name: memory for name, memory in memories.items() if memory["format"] == FORMAT}
        for name, place in self._roster.index.items():
            if f"{_THING}{name}" in usable:
                self._zones[self._zone[place]].recall(int(self._place[place]), usable[f"{_THING}{name}"])
        for name, zone in self._zones.items():
            if f"{_ZONE}{name}" in usable:
                zone.restore(usable[f"{_ZONE}{name}"])


def zone_names(catalogue: Catalogue) -> dict[str, str]:
    """Return the zone of every site: its basin, but its own for a recording's site, which has no roads."""
    on_roads = {site for section in catalogue.sections for site in (section.from_site, section.to_site)}
    basins = {site.basin for site in catalogue.sites if site.id in on_roads or site.clock == "wall"}
    return {site.id: _zone(site, basins) for site in catalogue.sites}


def _zone(site: Site, basins: Iterable[str]) -> str:
    return site.basin if site.basin in basins else site.id
