"""The health of all things: readings and troubles in, faults that begin and end out; event time, no clock of its own.

Deterministic like the engine: bins close by the clock of the group, so batches and, within the window, order change
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from analytics.clock import WALL, group_names
from analytics.health.creep import Kept
from analytics.health.group import TROUBLES, Refused
from analytics.health.hours import HOUR_US, Wrong
from analytics.health.judge import FaultChange, Judge
from analytics.health.rows import Rows
from analytics.health.things import Things
from analytics.miles import Habits
from analytics.readings import Readings
from analytics.settings import Thing, things_of
from analytics.table import Index, Int64, Mask, run_of
from sensors.catalogue import Catalogue
from sensors.fault import Fault
from sensors.kind import Kind

_HUGE = np.float32(1e9)
"""Beyond this no quantity of a port is: larger numbers count as this, so that sums of them stay numbers."""


class Health:
    """The health of all things of a catalogue."""

    def __init__(self, kinds: Mapping[str, Kind], catalogue: Catalogue) -> None:
        self._kinds = kinds
        self._width = max((len(kind.fields) for kind in kinds.values()), default=0)
        self._watches: dict[str, Judge] = {}
        self.refresh(catalogue)

    def refresh(self, catalogue: Catalogue) -> None:
        """Take over a new catalogue: a group whose things changed begins anew but for what creeps, the others go on."""
        groups: dict[str, list[Thing]] = {}
        group_of = group_names(catalogue)
        for thing in things_of(catalogue, self._kinds):
            groups.setdefault(group_of.get(thing.site, WALL), []).append(thing)
        self._watches = {
            name: known
            if (known := self._watches.get(name)) and known.is_of(things)
            else self._watch(things, catalogue, known.learnt() if known else [])
            for name, things in groups.items()
        }
        self._place = {
            (thing.id, thing.kind.name): (name, number)
            for name, things in groups.items()
            for number, thing in enumerate(things)
        }
        self._names = list(groups)
        self._recent: dict[str, tuple[Sequence[str], Index | None, Index | None]] = {}
        self._by_kind: dict[str, dict[str, tuple[int, int]]] = {}
        for (thing_id, kind), (name, number) in self._place.items():
            self._by_kind.setdefault(kind, {})[thing_id] = (self._names.index(name), number)
        self._own = {thing.id: self._place[thing.id, thing.kind.name] for things in groups.values() for thing in things}

    def _watch(self, things: Sequence[Thing], catalogue: Catalogue, kept: Iterable[Kept]) -> Judge:
        watch = Judge(Things.of(things, catalogue), self._width)
        watch.recall(kept)
        return watch

    def absorb(self, batch: Iterable[Readings], refused: Iterable[Refused] = ()) -> list[FaultChange]:
        """Take readings and what did not become readings; return what began and what is over, in order of time."""
        self._take(list(batch))
        self._trouble(list(refused))
        return sorted(
            (change for watch in self._watches.values() for change in watch.judge()),
            key=lambda change: (change.time_us, change.place, change.fault),
        )

    def habits(self) -> list[Habits]:
        """Hand out what loops were used to at the ends of bins that were closed since last time."""
        return [habits for name, watch in self._watches.items() for habits in watch.habits(name)]

    def keep(self) -> list[Kept]:
        """Return what is to be kept of what creeps, once an hour of event time."""
        return [kept for watch in self._watches.values() for kept in watch.keep()]

    def recall(self, kept: Iterable[Kept]) -> None:
        """Go on from what was kept, before anything else is restored."""
        some = list(kept)
        for watch in self._watches.values():
            watch.recall(some)

    def put_right(self, batch: Iterable[Readings]) -> list[Readings]:
        """Return the readings that were absorbed last, those of clocks that are whole hours off at their true times."""
        return [self._put_right(readings) for readings in batch]

    def _put_right(self, readings: Readings) -> Readings:
        for name, watch in self._watches.items():
            if watch.hours.numbers:
                group, number = self._placed(readings)
                readings = watch.put_right(readings, np.where(group == self._names.index(name), number, -1))
        return readings

    def set_right(self, thing: str, fault: Fault, ahead_h: int, from_us: int) -> None:
        """Take the clock of a thing for so many hours ahead, behind below 0, from an instant on."""
        if (own := self._own.get(thing)) is not None:
            self._watches[own[0]].hours.begin(own[1], Wrong(fault, ahead_h * HOUR_US, from_us))

    def leave(self, thing: str, fault: Fault, from_us: int) -> None:
        """Believe the clock of a thing again from an instant on."""
        if (own := self._own.get(thing)) is not None:
            self._watches[own[0]].hours.end(own[1], fault, from_us)

    def advance(self, now_us: int) -> list[FaultChange]:
        """Tell the wall's time to the sites that live by it."""
        if (watch := self._watches.get(WALL)) is None:
            return []
        watch.reach(now_us)
        return list(watch.judge())

    def restore(self, stood: Iterable[FaultChange], recent: Iterable[Readings], heard: Iterable[str] = ()) -> None:
        """Go on from what stood, and the readings of the last two hours; what they show is not told again.

        heard: who was heard at some time.
        """
        for group, number in filter(None, map(self._own.get, heard)):
            self._watches[group].know(number)
        self.absorb(recent)
        for change in stood:
            name = self._group_of(change)
            if name is not None:
                self._watches[name].stand(change)

    def _group_of(self, change: FaultChange) -> str | None:
        for name, watch in self._watches.items():
            if watch.number(change) is not None:
                return name
        return None

    def _take(self, batch: list[Readings]) -> None:
        rows: dict[str, list[tuple[Rows, Int64]]] = {}
        for readings in batch:
            group, number = self._placed(readings)
            for place in np.flatnonzero(np.bincount(group + 1)[1:]).tolist():
                which = run_of(np.flatnonzero(group == place))
                rows.setdefault(self._names[place], []).append(self._rows(readings, number, which))
        for name, parts in rows.items():
            self._watches[name].take(parts)

    def _placed(self, readings: Readings) -> tuple[Index, Index]:
        """Group and number of each reading's thing, -1 = unknown; who comes in the order of last time is known."""
        names, group, number = self._recent.get(readings.kind, ([], None, None))
        if group is None or number is None or names != readings.thing:
            own = self._by_kind.get(readings.kind, {})
            places = np.array([own.get(thing, (-1, -1)) for thing in readings.thing], np.intp).reshape(-1, 2)
            group, number = places.T.copy()
            self._recent[readings.kind] = (readings.thing, group, number)
        return group, number

    def _rows(self, readings: Readings, number: Index, which: Mask | Index | slice) -> tuple[Rows, Int64]:
        told = readings.values[which]
        values = np.full((len(told), self._width), np.nan, np.float32)
        values[:, : told.shape[1]] = told
        if (np.abs(told) > _HUGE).any():
            values[:, : told.shape[1]] = np.where(np.isfinite(told), np.clip(told, -_HUGE, _HUGE), np.nan)
        absent = np.full(len(number), -1, np.int64)
        received = readings.time_us if readings.received_us is None else readings.received_us
        return Rows(
            thing=number[which],
            time_us=readings.time_us[which],
            boot=(absent if readings.boot is None else readings.boot)[which],
            seq=(absent if readings.seq is None else readings.seq)[which],
            quality=readings.quality[which].astype(np.int64),
            values=values,
            delay_s=np.zeros(len(values), np.float32),
        ), received[which]

    def _trouble(self, refused: list[Refused]) -> None:
        by_group: dict[str, list[tuple[int, Refused]]] = {}
        for one in refused:
            name, number = self._own.get(one.thing, (None, -1))
            if name is not None and one.what in TROUBLES:
                by_group.setdefault(name, []).append((number, one))
        for name, some in by_group.items():
            self._watches[name].trouble(some)
