"""How far what happens to the world can congest it, over the road graph."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Set as AbstractSet
from typing import Final

from sensors.catalogue import Catalogue
from simulators.demand import Demand
from simulators.interventions import Intervention, What

ON_TRAFFIC: Final[frozenset[What]] = frozenset(
    {"incident", "lane_closure", "standing_lorries", "gate_outage", "surge", "ban_ignored"}
)
"""These change how many vehicles come where, so they also congest what their own queue does not reach: the lorries of a
surge a bottleneck on their way, the platoon after an accident the next junction."""


class Reach:
    """The places of a catalogue (sections, gates, yard blocks, cranes, racks) and what congests them."""

    def __init__(self, catalogue: Catalogue, demand: Demand) -> None:
        self._sections = {section.id: section for section in catalogue.sections}
        self._bans = [ban.section for ban in demand.bans if ban.section in self._sections]
        self._terminal = {site.id: site.terminal or site.id for site in catalogue.sites}
        self._site = {sensor.id: sensor.site for sensor in catalogue.sensors}
        self._of_kind: dict[str, list[str]] = defaultdict(list)
        self._beside: dict[str, set[str]] = defaultdict(set)
        for sensor in catalogue.sensors:
            self._of_kind[sensor.kind].append(sensor.id)
        for section in catalogue.sections:
            self._beside[section.from_site].add(section.to_site)
            self._beside[section.to_site].add(section.from_site)

    def follows(self, behind: str, ahead: str) -> bool:
        """Whether the queue of section `ahead` grows back into section `behind`."""
        one, other = self._sections.get(behind), self._sections.get(ahead)
        return bool(one and other and one.to_site == other.from_site and one.from_site != other.to_site)

    def heads(self, one: Intervention) -> frozenset[str]:
        """The places that an intervention congests by itself: where its queue begins."""
        match one.what:
            case "incident" | "lane_closure" | "standing_lorries" | "ban_ignored":
                return frozenset({one.where} if one.where else self._bans)
            case "gate_outage" | "surge":
                return self._before({self._site.get(one.where, one.where)})
            case "ship_late":
                return self._of_terminals({self._terminal[one.where]})
            case "wind":
                cranes = frozenset(self._of_kind["crane"])
                return cranes | self._blocks({self._terminal[self._site[crane]] for crane in cranes})
            case "reefer_trip":
                return frozenset(rack for rack in self._of_kind["reefer"] if one.where in (rack, self._site[rack]))
            case "demand":
                return frozenset()

    def hops(self, one: Intervention, place: str) -> int | None:
        """Sections between an intervention and a place, whatever their direction; None where no road joins them."""
        ends = self._ends(place)
        todo = deque((site, 0) for head in sorted(self.heads(one)) for site in sorted(self._ends(head)))
        seen = {site for site, _ in todo}
        while todo:
            site, far = todo.popleft()
            if site in ends:
                return far
            for beside in sorted(self._beside[site] - seen):
                seen.add(beside)
                todo.append((beside, far + 1))
        return None

    def _ends(self, place: str) -> set[str]:
        section = self._sections.get(place)
        return {section.from_site, section.to_site} if section else {self._site.get(place, place)}

    def _before(self, sites: AbstractSet[str]) -> frozenset[str]:
        """The gates of some sites and the sections that end at them."""
        gates = {gate for gate in self._of_kind["gate"] if self._site[gate] in sites}
        return frozenset(gates | {section.id for section in self._sections.values() if section.to_site in sites})

    def _of_terminals(self, terminals: AbstractSet[str]) -> frozenset[str]:
        """The blocks and gates of some terminals, and the sections that end at these gates."""
        gates = {self._site[gate] for gate in self._of_kind["gate"]}
        return self._before({site for site in gates if self._terminal[site] in terminals}) | self._blocks(terminals)

    def _blocks(self, terminals: AbstractSet[str]) -> frozenset[str]:
        return frozenset(block for block in self._of_kind["yard"] if self._terminal[self._site[block]] in terminals)
