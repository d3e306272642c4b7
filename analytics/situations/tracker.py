"""Which situation is which over time: a group of congested places keeps the name of those that made it.

Where two situations meet, the elder goes on and the younger becomes a part of it; should they part again, the younger
has its name back. What breaks off without ever having had a name is a new situation. Everything follows from event
times and the names of things, so the same congestion has the same situations in any batches and after a restart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from analytics.situations.graph import Graph
from analytics.situations.groups import Groups, Ties, grouped
from analytics.state import NEVER
from analytics.table import Index, Int64, Mask

BRIDGE_US = 40 * 60 * 1_000_000
"""Microseconds for which a place that flows again still joins two congested parts of its situation. Measured on the Los
Angeles recording: at 0 a sixth of all situations are broken off from another, at 40 min one in twenty. Too low: one jam
has many names; too high: two jams have one."""

END_US = 10 * 60 * 1_000_000
"""Microseconds without any congestion until a situation has ended (the off-delay of ISA-18.2). Too low: a queue that
comes and goes around its limit is many situations; too high: the end is told late."""


@dataclass(slots=True)
class Identity:
    """A situation's name and when it began.

    host: the slot of the situation that it is a part of now, -1 = none. cause: keeps it apart from situations that have
    another; "" = not known.
    """

    id: str
    onset_us: int
    host: int = -1
    cause: str = ""

    @property
    def age(self) -> tuple[int, str]:
        """Sorts the elder first."""
        return self.onset_us, self.id


@dataclass(frozen=True, slots=True)
class Tracked:
    """One step: groups, the slot of each (by group number, -1 = none of those in `groups`), and what changed.

    born: new situations. joined: became a part of another. parted: are themselves again. ended: their slots are free.
    """

    groups: Groups
    slot: Index
    born: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
    parted: list[int] = field(default_factory=list)
    ended: list[Identity] = field(default_factory=list)


class Tracker:
    """The open situations of a graph. `name(place, onset_us)` gives a new one its id.

    open: identity by slot. owner: (P,) the slot of the situation that each place is or was lately in, -1 = none.
    before: (P,) the slot that it had before its situation met another. last_us: (P,) when it was congested last.
    joined_us: (P,) when it joined others last without being congested itself.
    """

    def __init__(self, name: Callable[[int, int], str]) -> None:
        self.open: dict[int, Identity] = {}
        self.owner: Index = np.zeros(0, np.intp)
        self.before: Index = np.zeros(0, np.intp)
        self.last_us: Int64 = np.zeros(0, np.int64)
        self.joined_us: Int64 = np.zeros(0, np.int64)
        self._name = name
        self._free: list[int] = []

    def grow(self, places: int) -> None:
        """Make room for places that are new."""
        missing = places - len(self.owner)
        nowhere = np.full(missing, -1, np.intp)
        self.owner, self.before = np.append(self.owner, nowhere), np.append(self.before, nowhere)
        never = np.full(missing, -NEVER, np.int64)
        self.last_us, self.joined_us = np.append(self.last_us, never), np.append(self.joined_us, never)

    def restore(self, identities: list[Identity], hosts: list[str | None]) -> None:
        """Take back situations, each with the name of the one that it is a part of."""
        self.open, self._free = dict(enumerate(identities)), []
        slots = {identity.id: slot for slot, identity in self.open.items()}
        for identity, host in zip(identities, hosts, strict=True):
            identity.host = slots.get(host or "", -1)

    def step(self, graph: Graph, congested: Mask, ties: Ties, since_us: Int64, at_us: int) -> Tracked:
        """Take the congested places at an instant, (P,), since when they are, (P,), and what ties them."""
        groups = self._grouped(graph, congested, ties, at_us)
        known = self.owner[groups.places]
        slot, unsure = self._kept(groups, known)
        tracked = Tracked(groups, slot)
        if unsure:
            self._settle(groups, slot, unsure, since_us)
        self._found(tracked, congested, known, since_us, at_us)
        self._adopt(tracked, known)
        return tracked

    def _grouped(self, graph: Graph, congested: Mask, ties: Ties, at_us: int) -> Groups:
        joining = ties.joining
        self.last_us[congested], self.joined_us[joining] = at_us, at_us
        near = (self.owner >= 0) & (at_us - np.maximum(self.last_us, self.joined_us) <= BRIDGE_US)
        groups = grouped(graph, np.flatnonzero(near | congested | joining), congested, self._colours(), ties.sources)
        newest = np.full(groups.count, -NEVER, np.int64)
        np.maximum.at(newest, groups.group, self.last_us[groups.places])
        return groups.take((at_us - newest <= END_US)[groups.group])

    def _colours(self) -> Index:
        """Give places the age rank of their situation where it has a cause, for situations of one cause the same."""
        named = sorted((slot for slot, one in self.open.items() if one.cause), key=lambda slot: self.open[slot].age)
        if not named:
            return np.full(len(self.owner), -1, np.intp)
        first = {self.open[slot].cause: rank for rank, slot in reversed(list(enumerate(named)))}
        ranks = np.full(max(self.open) + 2, -1, np.intp)
        ranks[named] = [first[self.open[slot].cause] for slot in named]
        return ranks[self.owner]

    def _kept(self, groups: Groups, known: Index) -> tuple[Index, list[tuple[int, int, int]]]:
        """Return the slot of each group that alone has it and has no other; for the rest who claims what, how often."""
        slot = np.full(groups.count, -1, np.intp)
        some = known >= 0
        pairs, counts = np.unique(np.stack((groups.group[some], known[some])), axis=1, return_counts=True)
        group, claimed = pairs
        owners, groups_of = np.bincount(group, minlength=1), np.bincount(claimed, minlength=1)
        clear = (owners[group] == 1) & (groups_of[claimed] == 1)
        slot[group[clear]] = claimed[clear]
        rest = np.stack((group, claimed, counts))[:, ~clear].T.tolist()
        return slot, [(group, claimed, count) for group, claimed, count in rest]

    def _settle(self, groups: Groups, slot: Index, unsure: list[tuple[int, int, int]], since_us: Int64) -> None:
        """Let the eldest situations choose first: each the group in which it has most places."""
        firsts = {group: self._first(groups, group, since_us) for group, _, _ in unsure}
        claims: dict[int, list[tuple[int, tuple[int, str, int], int]]] = defaultdict(list)
        for group, claimed, count in unsure:
            claims[claimed].append((-count, firsts[group], group))
        for claimed in sorted(claims, key=lambda one: self.open[one].age):
            free = [claim for claim in claims[claimed] if slot[claim[2]] < 0]
            if free:
                slot[min(free)[2]] = claimed

    def _first(self, groups: Groups, group: int, since_us: Int64) -> tuple[int, str, int]:
        """Return since when a group is congested, what it would be called, and its earliest place."""
        places = groups.places[groups.of(group)]
        began = [(int(since_us[place]), place) for place in places.tolist() if since_us[place] != NEVER]
        return min(((at_us, self._name(place, at_us), place) for at_us, place in began), default=(NEVER, "", -1))

    def _found(self, tracked: Tracked, congested: Mask, known: Index, since_us: Int64, at_us: int) -> None:
        """Name the groups that have no situation: by one that was a part until now, else anew."""
        groups, slot = tracked.groups, tracked.slot
        taken = set(slot[slot >= 0].tolist())
        for group in np.unique(groups.group[(slot[groups.group] < 0) & congested[groups.places]]).tolist():
            before = self.before[groups.places[groups.of(group)]]
            parts = Counter(one for one in before[before >= 0].tolist() if one not in taken)
            if parts:
                found = min(parts, key=lambda one: (-parts[one], self.open[one].age))
                self.open[found].host = -1
                tracked.parted.append(found)
            else:
                onset_us, name, place = self._first(groups, group, since_us)
                if (known[groups.of(group)] >= 0).any():
                    name = self._name(place, at_us)  # what it began with is still, or was, another's name
                found = self._free.pop() if self._free else len(self.open)
                self.open[found] = Identity(name, onset_us)
                tracked.born.append(found)
            slot[group] = found
            taken.add(found)

    def _adopt(self, tracked: Tracked, known: Index) -> None:
        """Remember who belongs to whom."""
        groups = tracked.groups
        now = tracked.slot[groups.group]
        leading = np.zeros(max(self.open, default=0) + 2, np.bool_)
        leading[now] = True
        before = self.before[groups.places]
        lost = (known >= 0) & (now >= 0) & ~leading[known]
        before = np.where(lost & (before < 0), known, before)
        before[(now < 0) | (before == now)] = -1
        self.owner[:], self.before[:] = -1, -1
        self.owner[groups.places], self.before[groups.places] = now, before
        hosts: dict[int, Counter[int]] = defaultdict(Counter)
        for part, host in zip(before[before >= 0].tolist(), now[before >= 0].tolist(), strict=True):
            hosts[part][host] += 1
        for one in [one for one in self.open if not leading[one]]:
            self._part(tracked, one, hosts[one])

    def _part(self, tracked: Tracked, one: int, hosts: Counter[int]) -> None:
        """Make who leads no group a part of who has most of its places, or end it when it has none."""
        if hosts:
            if self.open[one].host < 0:
                tracked.joined.append(one)
            self.open[one].host = min(hosts, key=lambda host: (-hosts[host], self.open[host].age))
        else:
            tracked.ended.append(self.open.pop(one))
            self._free.append(one)
