"""The situations of one zone from step to step: who is inside, how far they reach, what is announced.

Work that does not follow from a change is done on arrays; a situation is looked at one by one when its places, its
sensors or their levels changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from analytics.situations.cause import kept_apart
from analytics.situations.extent import extent
from analytics.situations.graph import Graph, Lists
from analytics.situations.groups import Ties
from analytics.situations.memory import BookMemory, Reader, Writer
from analytics.situations.places import ACCESS, CORRIDOR, ROAD, WIND
from analytics.situations.record import Record
from analytics.situations.situation import Notice, Situation, Span, State, Step
from analytics.situations.tracker import Identity, Tracked, Tracker
from analytics.state import NEVER
from analytics.table import Index, Int8, Int64
from sensors.level import Level

LONGEST_ID = 64
"""Signs of an id (`sensors.topics`): that of a sensor may already have so many."""


@dataclass(frozen=True, slots=True)
class Scene:
    """n things at an instant. alarm: level of the open alarm, 0 = none. slow_since_us, slow_us: as in `Settling`."""

    at_us: int
    alarm: Int8
    slow_since_us: Int64
    slow_us: Int64
    ties: Ties


class Book:
    """Open situations of n things, named by `names`, at the places of a graph."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._sites: tuple[str, ...] = ()
        self._graph: Graph
        self._there: Lists
        self._tracker = Tracker(self._name)
        self._records: dict[int, Record] = {}
        self._inside: Index = np.zeros(0, np.intp)
        self._began_us: Int64 = np.zeros(0, np.int64)
        self._earliest: Index = np.zeros(0, np.intp)
        self._signs: NDArray[np.uint64] = np.zeros(0, np.uint64)

    def refresh(self, graph: Graph, names: tuple[str, ...], sites: tuple[str, ...]) -> None:
        """Take over places and things with their sites; those known keep their numbers."""
        missing = len(names) - len(self._names)
        self._graph, self._names, self._sites = graph, names, sites
        placed = ((place, thing) for thing, place in enumerate(graph.place.tolist()) if place >= 0)
        self._there = Lists.of(placed, len(graph.places))
        self._tracker.grow(len(graph.places))
        self._inside = np.append(self._inside, np.full(missing, -1, np.intp))
        self._began_us = np.append(self._began_us, np.full(missing, NEVER, np.int64))

    def follow(self, scene: Scene) -> Tracked:
        """Take the next instant: who is inside what, and how far it reaches."""
        here = np.flatnonzero((scene.alarm > 0) & (self._graph.place >= 0))
        self._begin(scene, here)
        level, since_us = self._at_places(scene, here)
        tracked = self._tracker.step(self._graph, level > 0, scene.ties, since_us, scene.at_us)
        for slot in tracked.born:
            self._records[slot] = self._new(self._tracker.open[slot], tracked, slot, scene.at_us)
        self._move(scene, here)
        changed = self._changed(tracked, scene, here)
        self._look(tracked, scene, here, since_us, changed)
        for slot in (*tracked.joined, *tracked.parted):
            self._rehost(slot)
        return tracked

    def announce(self, tracked: Tracked, at_us: int) -> list[Notice]:
        """Return what has to be announced after `follow`, in order of the situations' age; forget those that ended."""
        return list(self._announced(tracked, at_us))

    @property
    def open(self) -> Iterable[Record]:
        """The records of the open situations, in no order."""
        return self._records.values()

    @property
    def records(self) -> list[Record]:
        """The same, the eldest first."""
        return sorted(self._records.values(), key=lambda record: record.identity.age)

    @property
    def empty(self) -> bool:
        return not self._records

    def situations(self, at_us: int) -> list[Situation]:
        """Return all that are open, the eldest first."""
        return [self._told(record, at_us) for record in self.records]

    def memory(self) -> BookMemory:
        """Return what `restore` needs."""
        writer, opened = Writer(self._graph, self._names), self._tracker.open
        marked = np.flatnonzero(self._began_us != NEVER).tolist()
        return BookMemory(
            began_us={self._names[thing]: int(self._began_us[thing]) for thing in marked},
            places=writer.places(self._tracker),
            situations=[writer.record(record, opened.get(opened[slot].host)) for slot, record in self._records.items()],
        )

    def restore(self, memory: BookMemory) -> None:
        """Go on from a memory; the graph must be there."""
        reader, rows = Reader(self._graph, self._names), memory["situations"]
        identities = [Identity(row["id"], row["onset_us"], cause=kept_apart(row["verdict"][0])) for row in rows]
        self._tracker.restore(identities, [row["host"] for row in rows])
        reader.places(self._tracker, memory)
        self._records = {slot: reader.record(row, identities[slot]) for slot, row in enumerate(rows)}
        self._signs = np.ones(len(rows), np.uint64)  # not those of anybody: everything is looked at anew
        for name, began_us in memory["began_us"].items():
            self._began_us[reader.thing.get(name, [])] = began_us
        for slot, record in self._records.items():
            self._inside[[thing for thing, stays in record.stays.items() if stays[-1][1] is None]] = slot

    def _name(self, place: int, at_us: int) -> str:
        """Call a situation by when it began and the first sensor that saw it."""
        there = [thing for thing in self._there.at(place) if self._began_us[thing] != NEVER]
        first = min((int(self._began_us[thing]), self._names[thing]) for thing in there)[1]
        name = f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y%m%dT%H%M%SZ}-{first}"
        return name if len(name) <= LONGEST_ID else f"{name[: LONGEST_ID - 9]}-{crc32(name.encode()):08x}"

    def _begin(self, scene: Scene, here: Index) -> None:
        """Remember since when each thing is congested: from the first of the readings that opened its alarm."""
        began_us = np.full(len(self._began_us), NEVER, np.int64)
        known, slow_us = self._began_us[here], scene.slow_since_us[here]
        began_us[here] = np.where(known != NEVER, known, np.where(slow_us != NEVER, slow_us, scene.at_us))
        self._began_us = began_us

    def _at_places(self, scene: Scene, here: Index) -> tuple[Int8, Int64]:
        level = np.zeros(len(self._graph.places), np.int8)
        since_us = np.full(len(level), NEVER, np.int64)
        np.maximum.at(level, self._graph.place[here], scene.alarm[here])
        np.minimum.at(since_us, self._graph.place[here], self._began_us[here])
        return level, since_us

    def _new(self, identity: Identity, tracked: Tracked, slot: int, at_us: int) -> Record:
        groups = tracked.groups
        first = int(groups.places[groups.of(int(np.flatnonzero(tracked.slot == slot)[0]))][0])
        kind = self._graph.places[first].kind
        return Record(identity, ROAD if kind == CORRIDOR else kind, at_us)

    def _move(self, scene: Scene, here: Index) -> None:
        """Let things enter and leave; whoever changes from one situation to another does so now."""
        now = np.full(len(self._inside), -1, np.intp)
        now[here] = self._tracker.owner[self._graph.place[here]]
        for thing in np.flatnonzero(now != self._inside).tolist():
            left, entered = int(self._inside[thing]), int(now[thing])
            if left >= 0:
                until_us = int(scene.slow_us[thing]) if entered < 0 else scene.at_us - 1
                self._records[left].leave(thing, until_us)
            if entered >= 0:
                from_us = int(self._began_us[thing]) if left < 0 else scene.at_us
                self._records[entered].enter(thing, from_us)
        self._inside = now

    def _changed(self, tracked: Tracked, scene: Scene, here: Index) -> list[int]:
        """Return the slots whose places, things or levels are not what they were."""
        groups, signs = tracked.groups, np.zeros(max(self._records, default=-1) + 1, np.uint64)
        slot = tracked.slot[groups.group]
        inside = groups.inside & (slot >= 0)
        np.add.at(signs, slot[inside], _mixed(groups.places[inside]))
        np.add.at(signs, self._inside[here], _mixed(4 * (here + len(self._graph.places)) + scene.alarm[here]))
        before = np.zeros(len(signs), np.uint64)
        kept = min(len(signs), len(self._signs))
        before[:kept] = self._signs[:kept]
        self._signs = signs
        return [one for one in np.flatnonzero(signs != before).tolist() if one in self._records]

    def _look(self, tracked: Tracked, scene: Scene, here: Index, since_us: Int64, changed: list[int]) -> None:
        """Measure what changed."""
        groups = tracked.groups
        order = np.argsort(self._inside[here], kind="stable")
        things, owners = here[order], self._inside[here][order]
        group_of = {slot: group for group, slot in enumerate(tracked.slot.tolist()) if slot >= 0}
        for slot in changed:
            record = self._records[slot]
            mine = things[slice(*np.searchsorted(owners, (slot, slot + 1)).tolist())]
            part = groups.of(group_of[slot]) if slot in group_of else slice(0)
            record.places = self._sections(groups.places[part][groups.inside[part]].tolist())
            record.things = tuple(mine.tolist())
            record.level = int(scene.alarm[mine].max()) if len(mine) else record.level
            if record.places:
                began = {place: int(since_us[place]) for place in record.places if since_us[place] != NEVER}
                ends = set(zip(self._graph.place[mine].tolist(), self._graph.begins[mine].tolist(), strict=True))
                record.extent = extent(self._graph, record.places, began, ends)
            record.grow(scene.at_us, record.extent.length_m or float(len(record.things)))

    def _sections(self, places: list[int]) -> tuple[int, ...]:
        """Leave out what only joins, and corridors; those alone stand for their sections."""
        graph = self._graph
        roads = [place for place in places if not graph.spans[place] and graph.places[place].kind not in (ACCESS, WIND)]
        along = {other for place in places if graph.spans[place] for other in graph.beside.at(place)}
        return tuple(roads or sorted(place for place in along if not graph.spans[place]) or places)

    def _rehost(self, slot: int) -> None:
        host = self._tracker.open[slot].host
        self._records[slot].host = self._tracker.open[host].id if host >= 0 else None

    def _announced(self, tracked: Tracked, at_us: int) -> Iterator[Notice]:
        born = set(tracked.born)
        over = {identity.id for identity in tracked.ended}
        news = [
            (record.identity.age, slot)
            for slot, record in self._records.items()
            if slot in born or record.identity.id in over or record.worth_telling(at_us)
        ]
        for _, slot in sorted(news):
            record = self._records[slot]
            if record.identity.id in over:
                del self._records[slot]
                yield Notice(Step.ENDED, self._told(record, at_us, ended=True))
            else:
                record.told, record.told_us, record.told_end = record.facts(), at_us, record.life.expected
                yield Notice(Step.BEGAN if slot in born else Step.CHANGED, self._told(record, at_us))

    def _told(self, record: Record, at_us: int, *, ended: bool = False) -> Situation:
        places = [self._graph.places[place] for place in record.places]
        sites = {place.site for place in places} | {self._sites[thing] for thing in record.stays}
        head, tail = (self._graph.places[place].id for place in (record.extent.head, record.extent.tail))
        return Situation(
            id=record.identity.id,
            kind=record.kind,
            sites=tuple(sorted(sites)),
            state=State.ENDED if ended else record.state,
            level=Level(record.level),
            at_us=at_us,
            onset_us=record.identity.onset_us,
            end_us=record.end_us() if ended else None,
            places=tuple(sorted(self._called(record.places))),
            sensors=tuple(sorted(self._names[thing] for thing in record.things)),
            head=head,
            tail=tail,
            length_m=record.extent.length_m,
            trend=record.trend(at_us),
            cause=record.verdict.named,
            causes=record.verdict.hints,
            parent=record.host or record.parent,
            spans=tuple(self._spans(record)),
            expected_end=None if ended else record.life.expected,
            delay_s=record.delay_s,
            lorry_hours=None if record.lorry_s is None else record.lorry_s / 3600,
        )

    def _called(self, places: tuple[int, ...]) -> Iterator[str]:
        """Sections by their own id, everything else by the ids of what is there: gates, blocks, cranes."""
        for place in places:
            if self._graph.places[place].kind == ROAD:
                yield self._graph.places[place].id
            else:
                yield from (self._names[thing] for thing in self._there.at(place))

    def _spans(self, record: Record) -> Iterator[Span]:
        for thing in sorted(record.stays, key=self._names.__getitem__):
            yield from (Span(self._names[thing], from_us, to_us) for from_us, to_us in record.stays[thing])


def _mixed(numbers: Index) -> NDArray[np.uint64]:
    """Spread numbers over 64 bits, so that sums of different ones differ (SplitMix64's finaliser)."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
