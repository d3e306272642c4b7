"""Ways through the road graph: turning shares of cars and lorries, and the fastest way of each lorry to its gate.

A commodity is a class of vehicles that turns alike: 0 cars, 1 lorries that pass, 2 and up lorries to a gate. Gates that
no road connects share a commodity, so a port that is ten times as large has no more of them.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from sensors.catalogue import Section
from simulators.demand import END, Ban, Demand

CARS, LORRIES = 0, 1

Shares = dict[str, float]


class Routes:
    """Where the vehicles of a section, or of an origin (named by its site), drive on to."""

    def __init__(self, sections: Sequence[Section], demand: Demand, gates: Sequence[str]) -> None:
        self._sections = {section.id: section for section in sections}
        self._demand = demand
        self._turns = {turn.section: turn for turn in demand.turns}
        self._bans = {ban.section: ban for ban in demand.bans if ban.section in self._sections}
        self._outs: dict[str, list[Section]] = defaultdict(list)
        for section in sections:
            self._outs[section.from_site].append(section)
        self.commodity = self._commodities(gates)

    @property
    def commodities(self) -> int:
        return 2 + max((place - 1 for place in self.commodity.values()), default=0)

    @property
    def bans(self) -> Mapping[str, Ban]:
        return self._bans

    @cached_property
    def _hours(self) -> dict[str, dict[str, float]]:
        """Per gate: hours from the beginning of a section to the gate."""
        return {gate: self._fastest(gate) for gate in self.commodity}

    @cached_property
    def _to_any(self) -> dict[int, dict[str, float]]:
        """The same per commodity: gates that share one are on roads of their own."""
        found: dict[int, dict[str, float]] = defaultdict(dict)
        for gate, commodity in self.commodity.items():
            found[commodity].update(self._hours[gate])
        return found

    def lead_s(self, origin: str, gate: str) -> float | None:
        """Free driving time from an origin to a gate; None when no road leads there."""
        hours = [self._hours[gate][s.id] for s in self._outs[origin] if s.id in self._hours[gate]]
        return min(hours) * 3600 if hours else None

    def shares(self, source: str, commodity: int, ignored: str = "") -> Shares:
        """Shares by section, `end` or gate site; `ignored` names a section whose ban nobody keeps."""
        shares = self._through(source, commodity) if commodity <= LORRIES else self._to_gate(source, commodity)
        return shares if commodity == CARS else self._banned(shares, ignored)

    def _through(self, source: str, commodity: int) -> Shares:
        turn = self._turns.get(source)
        if turn:
            told = turn.lorries if commodity == LORRIES and turn.lorries else turn.cars
            known = {name: part for name, part in told.items() if name == END or name in self._sections}
            total = sum(known.values())
            if total > 0:
                return {name: part / total for name, part in known.items()}
        outs = self._onwards(source)
        lanes = sum(section.lanes for section in outs)
        return {section.id: section.lanes / lanes for section in outs} or {END: 1.0}

    def _to_gate(self, source: str, commodity: int) -> Shares:
        here = self._sections[source].to_site if source in self._sections else source
        if self.commodity.get(here) == commodity:
            return {here: 1.0}
        hours = self._to_any[commodity]
        found = [(hours[section.id], section.id) for section in self._onwards(source) if section.id in hours]
        return {min(found)[1]: 1.0} if found else {END: 1.0}

    def _banned(self, shares: Shares, ignored: str) -> Shares:
        for ban in [self._bans[name] for name in shares if name in self._bans]:
            if ban.detour in self._sections and ban.section != ignored:
                away = shares[ban.section] * (1 - ban.kept)
                shares = shares | {
                    ban.section: shares[ban.section] - away,
                    ban.detour: shares.get(ban.detour, 0.0) + away,
                }
        return shares

    def _onwards(self, source: str) -> list[Section]:
        """Sections that follow; nobody turns round where there is another way."""
        if source not in self._sections:
            return self._outs[source]
        section = self._sections[source]
        return [out for out in self._outs[section.to_site] if out.to_site != section.from_site]

    def _commodities(self, gates: Sequence[str]) -> dict[str, int]:
        group: dict[str, str] = {}

        def root(site: str) -> str:
            while group.setdefault(site, site) != site:
                site = group[site]
            return site

        for section in self._sections.values():
            group[root(section.from_site)] = root(section.to_site)
        rank: dict[str, int] = defaultdict(lambda: LORRIES)
        found = {}
        for gate in gates:
            rank[root(gate)] += 1
            found[gate] = rank[root(gate)]
        return found

    def _fastest(self, gate: str) -> dict[str, float]:
        """Dijkstra from the gate, against the traffic, over sections."""
        into: dict[str, list[Section]] = self._into
        todo = [(s.length_km / s.free_speed_kmh, s.id) for s in into[gate]]
        heapq.heapify(todo)
        hours: dict[str, float] = {}
        while todo:
            far, name = heapq.heappop(todo)
            if name in hours:
                continue
            hours[name] = far
            here = self._sections[name]
            for before in into[here.from_site]:
                if before.from_site != here.to_site:
                    heapq.heappush(todo, (far + before.length_km / before.free_speed_kmh, before.id))
        return hours

    @cached_property
    def _into(self) -> dict[str, list[Section]]:
        into: dict[str, list[Section]] = defaultdict(list)
        for section in self._sections.values():
            into[section.to_site].append(section)
        return into
