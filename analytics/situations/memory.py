"""What a zone must know to go on after a restart, as small plain dicts: JSON-able, by names and not by numbers.

What a thing knew when it spoke last is enough: readings that waited then and have been taken since are taken again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from analytics.situations.cause import Cause, Hint, Verdict
from analytics.situations.ends import EndsMemory, LifeMemory, read_end, read_life, written_end, written_life
from analytics.situations.extent import Extent
from analytics.situations.graph import Graph
from analytics.situations.record import Record
from analytics.situations.tracker import Identity, Tracker

FORMAT = 4
"""Version of these dicts; a memory of another version is ignored, and situations begin anew."""

Plain = list[float | None]
"""Numbers as JSON has them."""


VerdictMemory = tuple[str, list[tuple[str, float, dict[str, float | str]]], int, str]
"""A `Verdict`: its fields in their order."""


class RecordMemory(TypedDict):
    """A situation: its `Record`, with places by key and things by name."""

    id: str
    onset_us: int
    host: str | None
    kind: str
    born_us: int
    weighed_us: int
    places: list[list[str]]
    things: list[str]
    level: int
    extent: tuple[list[str], list[str], float | None] | None
    stays: dict[str, list[tuple[int, int | None]]]
    amounts: list[tuple[int, float]]
    parent: str | None
    verdict: VerdictMemory
    told: tuple[int, str | None, str, list[str]]
    told_us: int
    told_end: tuple[int, int, int] | None
    lost_s: tuple[float | None, float | None]
    life: LifeMemory


PlaceMemory = tuple[str, str, str | None, str | None, int, int]
"""Kind, id, the situation it is or was in, the one before, when it was congested last, when it only joined others."""


class BookMemory(TypedDict):
    """What a `Book` must know.

    began_us: since when things are congested.
    """

    began_us: dict[str, int]
    places: list[PlaceMemory]
    situations: list[RecordMemory]


class ZoneMemory(TypedDict):
    """step_us: the last step. past: as `Past`, with the place by kind and id."""

    format: int
    step_us: int
    book: BookMemory
    past: list[tuple[str, str, list[str], int]]
    ends: EndsMemory


class ThingMemory(TypedDict):
    """A thing as of some step, and the readings that waited then, in order of the columns of `Seen`, None for NaN.

    slow_us: since when its readings are congested, and the newest such reading.
    """

    format: int
    seen: Plain
    values: Plain
    slow_us: tuple[int, int]
    means: str
    rows: list[Plain]
    row_values: list[Plain]


class Writer:
    """Writes the records of a graph."""

    def __init__(self, graph: Graph, names: tuple[str, ...]) -> None:
        self._graph, self._names = graph, names

    def places(self, tracker: Tracker) -> list[PlaceMemory]:
        """Write the places that are or were in an open situation."""
        found: list[PlaceMemory] = []
        for place in (tracker.owner >= 0).nonzero()[0].tolist():
            owner, before = (tracker.open.get(int(slots[place])) for slots in (tracker.owner, tracker.before))
            kind, name = self._key(place)
            ids = (owner.id if owner else None, before.id if before else None)
            found.append((kind, name, *ids, int(tracker.last_us[place]), int(tracker.joined_us[place])))
        return found

    def record(self, record: Record, host: Identity | None) -> RecordMemory:
        extent = record.extent
        return RecordMemory(
            id=record.identity.id,
            onset_us=record.identity.onset_us,
            host=host.id if host else None,
            kind=record.kind,
            born_us=record.born_us,
            weighed_us=record.weighed_us,
            places=self._keys(record.places),
            things=[self._names[thing] for thing in record.things],
            level=record.level,
            extent=(self._key(extent.head), self._key(extent.tail), extent.length_m) if extent.head >= 0 else None,
            stays={self._names[thing]: stays for thing, stays in sorted(record.stays.items())},
            amounts=list(record.amounts),
            parent=record.parent,
            verdict=_written(record.verdict),
            told=(*record.told[:3], [self._names[thing] for thing in sorted(record.told[3])]),
            told_us=record.told_us,
            told_end=written_end(record.told_end),
            lost_s=(record.delay_s, record.lorry_s),
            life=written_life(record.life),
        )

    def _key(self, place: int) -> list[str]:
        return [self._graph.places[place].kind, self._graph.places[place].id]

    def _keys(self, places: Iterable[int]) -> list[list[str]]:
        return [self._key(place) for place in places]


class Reader:
    """Reads records back; what is no longer in the catalogue is left out."""

    def __init__(self, graph: Graph, names: tuple[str, ...]) -> None:
        self._graph = graph
        self.thing = {name: thing for thing, name in enumerate(names)}

    def places(self, tracker: Tracker, memory: BookMemory) -> None:
        """Give the places back to their situations, which must be open."""
        slots = {identity.id: slot for slot, identity in tracker.open.items()}
        for kind, name, owner, before, last_us, joined_us in memory["places"]:
            place = self._graph.index.get((kind, name), -1)
            if place >= 0:
                tracker.owner[place] = slots.get(owner or "", -1)
                tracker.before[place] = slots.get(before or "", -1)
                tracker.last_us[place], tracker.joined_us[place] = last_us, joined_us

    def record(self, memory: RecordMemory, identity: Identity) -> Record:
        level, parent, cause, things = memory["told"]
        record = Record(identity, memory["kind"], memory["born_us"], memory["weighed_us"])
        record.places = tuple(self._places(memory["places"]))
        record.things = tuple(self.thing[name] for name in memory["things"] if name in self.thing)
        record.level, record.host, record.parent = memory["level"], memory["host"], memory["parent"]
        record.verdict = _read(memory["verdict"])
        record.extent = self._extent(memory) or record.extent
        record.stays = {
            self.thing[name]: [(from_us, to_us) for from_us, to_us in stays]
            for name, stays in memory["stays"].items()
            if name in self.thing
        }
        record.amounts.extend((at_us, amount) for at_us, amount in memory["amounts"])
        known = frozenset(self.thing[name] for name in things if name in self.thing)
        record.told, record.told_us = (level, parent, cause, known), memory["told_us"]
        record.told_end, record.life = read_end(memory["told_end"]), read_life(memory["life"])
        record.delay_s, record.lorry_s = memory["lost_s"]
        return record

    def _places(self, keys: Iterable[Iterable[str]]) -> list[int]:
        found = (self._graph.index.get((kind, name), -1) for kind, name in keys)
        return [place for place in found if place >= 0]

    def _extent(self, memory: RecordMemory) -> Extent | None:
        if memory["extent"] is None:
            return None
        head, tail, length_m = memory["extent"]
        ends = self._places((head, tail))
        return Extent(ends[0], ends[-1], length_m) if ends else None


def _written(verdict: Verdict) -> VerdictMemory:
    hints = [(hint.what.value, hint.confidence, dict(hint.evidence)) for hint in verdict.hints]
    return verdict.named.value, hints, verdict.since_us, verdict.waiting.value


def _read(written: VerdictMemory) -> Verdict:
    named, hints, since_us, waiting = written
    found = tuple(Hint(Cause(what), confidence, evidence) for what, confidence, evidence in hints)
    return Verdict(Cause(named), found, since_us, Cause(waiting))
