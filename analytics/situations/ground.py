"""What does not change from step to step: which gates and yards are one terminal's, and which roads lead there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analytics.settings import Thing
from analytics.situations.graph import Graph
from analytics.situations.lanes import Lanes, lanes_of
from analytics.situations.places import ACCESS, ROAD, WIND
from analytics.situations.sight import Sight
from sensors.catalogue import Catalogue, Section, Sensor

LANES = 2
"""Lanes of a gate that the catalogue does not tell."""


@dataclass(frozen=True, slots=True)
class GateSite:
    """All gates of a site. entries, exits, yards: things; a gate in both directions is an entry.

    lanes: by thing. access: places of sections that end here and that nobody watches. storage_m: of all sections that
    end here, by name `leads`. stores: metres that the queue of each gate may fill.
    """

    site: str
    entries: tuple[int, ...]
    exits: tuple[int, ...]
    yards: tuple[int, ...]
    lanes: Mapping[int, int]
    access: tuple[int, ...] = ()
    storage_m: float = 0.0
    leads: tuple[str, ...] = ()
    stores: Mapping[int, float] = field(default_factory=dict)

    @property
    def gates(self) -> tuple[int, ...]:
        return self.entries + self.exits


@dataclass(frozen=True, slots=True)
class Banned:
    """A section on which lorries are banned, and the one that they are sent to: places."""

    id: str
    stretch: int
    detour: int


@dataclass(slots=True)
class Ground:
    """gates: by site. at: the things at each place. winds: anemometers by site of a crane. sections: by id.

    joiners: places that only join others. closed: loops in lanes that are closed now.
    """

    graph: Graph
    gates: Mapping[str, GateSite]
    at: Mapping[int, tuple[int, ...]]
    winds: Mapping[str, tuple[int, ...]]
    sections: Mapping[str, Section]
    lanes: Lanes
    joiners: tuple[int, ...]
    bans: tuple[Banned, ...] = ()
    closed: frozenset[int] = frozenset()

    def ends(self, place: int, sight: Sight) -> list[int]:
        """Return the loops at the end of a section."""
        there = self.at.get(place, ())
        return [t for t in there if not self.graph.begins[t] and sight.things[t].kind.name == "traffic"]

    def into(self, section: str) -> tuple[int, ...]:
        """Return the watched sections that lead into one."""
        start = self.sections[section].from_site
        before = [one.id for one in self.sections.values() if one.to_site == start]
        ahead = self.sections[section].to_site
        found = (self.graph.index.get((ROAD, name)) for name in before if self.sections[name].from_site != ahead)
        return tuple(place for place in found if place is not None)

    def gate_ahead(self, place: int) -> GateSite | None:
        """Return the gates that a section leads to, directly or over a section that nobody watches."""
        graph = self.graph
        for site in self.gates.values():
            if set(site.access) & {place, *graph.down.at(place)}:
                return site
            if graph.places[place].kind == ROAD and graph.places[place].site == site.site:
                return site
        return None


def ground(catalogue: Catalogue, things: Sequence[Thing], graph: Graph) -> Ground:
    """Look it all up once."""
    sensors = catalogue.sensor_by_id
    terminal = {site.id: site.terminal or site.id for site in catalogue.sites}
    basin = {site.id: site.basin for site in catalogue.sites}
    of_kind: dict[str, list[int]] = defaultdict(list)
    for number, thing in enumerate(things):
        of_kind[thing.kind.name].append(number)
    at: dict[int, list[int]] = defaultdict(list)
    for number, place in enumerate(graph.place.tolist()):
        at[place].append(number)
    sites = dict.fromkeys(things[gate].site for gate in of_kind["gate"])
    gates = {}
    for site in sites:
        yards = [y for y in of_kind["yard"] if terminal.get(things[y].site) == terminal.get(site)]
        mine = [gate for gate in of_kind["gate"] if things[gate].site == site]
        found = {gate: sensors.get(things[gate].id) for gate in mine}
        gates[site] = _gate_site(site, found, yards, [s for s in catalogue.sections if s.to_site == site], graph)
    winds = {
        site: tuple(w for w in of_kind["wind"] if basin.get(things[w].site) == basin.get(site))
        for site in {things[crane].site for crane in of_kind["crane"]}
    }
    sections = {section.id: section for section in catalogue.sections}
    lane = {number: sensors[things[number].id].lane for number in of_kind["traffic"] if things[number].id in sensors}
    there = {place: tuple(some) for place, some in at.items()}
    lanes = lanes_of(graph, lane, {section.id: section.lanes for section in catalogue.sections})
    joiners = tuple(k for k, place in enumerate(graph.places) if place.kind in (ACCESS, WIND))
    return Ground(graph, gates, there, winds, sections, lanes, joiners, tuple(_bans(catalogue, graph)))


def _bans(catalogue: Catalogue, graph: Graph) -> Iterator[Banned]:
    for ban in catalogue.bans:
        for stretch, detour in zip(ban.stretch, ban.detour, strict=False):
            if (ROAD, stretch) in graph.index and (ROAD, detour) in graph.index:
                yield Banned(ban.id, graph.index[ROAD, stretch], graph.index[ROAD, detour])


def _gate_site(
    site: str, found: Mapping[int, Sensor | None], yards: Sequence[int], leads: Sequence[Section], graph: Graph
) -> GateSite:
    exits = tuple(gate for gate, sensor in found.items() if sensor and sensor.direction == "out")
    return GateSite(
        site=site,
        entries=tuple(gate for gate in found if gate not in exits),
        exits=exits,
        yards=tuple(yards),
        lanes={gate: (sensor.lanes if sensor and sensor.lanes else LANES) for gate, sensor in found.items()},
        access=tuple(graph.index[ACCESS, s.id] for s in leads if (ACCESS, s.id) in graph.index),
        storage_m=sum(section.storage_m for section in leads),
        leads=tuple(section.id for section in leads),
        stores={gate: sensor.storage_m for gate, sensor in found.items() if sensor and sensor.storage_m},
    )
