"""The health of all things: readings and troubles in, faults that begin and end out; event time, no clock of its own.

Deterministic like the engine: bins close by the clock of the group, so batches and, within the window, order change
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analytics.clock import WALL, GroupClock, group_names
from analytics.health.absent import Absent
from analytics.health.columns import Columns
from analytics.health.creep import CLOCK_BINS, CLOSE_ENOUGH_S, DAY, FITS, Creep, beside
from analytics.health.features import Features
from analytics.health.group import TROUBLES, Group, Refused, Trouble
from analytics.health.rows import Rows
from analytics.health.rules import CLOSE_PERIODS, MUCH_LATER_PERIODS, MUCH_LATER_S, QUARTER, own_faults, speaks
from analytics.health.scale import Scale
from analytics.health.summary import BIN_US, Past, Summary
from analytics.health.things import Things
from analytics.health.verdicts import FAULTS, FORGOTTEN, Standing, Turn
from analytics.health.witnesses import Bins, located, spoken_for, throughout, witnessed_faults
from analytics.readings import Readings
from analytics.settings import Thing, things_of
from analytics.state import NEVER, SILENT_AFTER_PERIODS
from analytics.table import Index, Int64, Mask
from sensors.catalogue import Catalogue
from sensors.fault import Fault, Scope
from sensors.kind import Kind

_HUGE = np.float32(1e9)
"""Beyond this no quantity of a port is: larger numbers count as this, so that sums of them stay numbers."""


@dataclass(frozen=True, slots=True)
class FaultChange:
    """A fault that began or is over, at event time. `place` is a thing, a site or a basin, by the fault's scope.

    heard_us: the newest reading of a thing that came in time, None where nobody knows it.
    """

    place: str
    scope: Scope
    site: str | None
    kind: str | None
    fault: Fault
    time_us: int
    since_us: int
    began: bool
    evidence: Mapping[str, float | str | None] = field(default_factory=dict)
    heard_us: int | None = None


class Health:
    """The health of all things of a catalogue."""

    def __init__(self, kinds: Mapping[str, Kind], catalogue: Catalogue) -> None:
        self._kinds = kinds
        self._width = max((len(kind.fields) for kind in kinds.values()), default=0)
        self._watches: dict[str, _Watch] = {}
        self.refresh(catalogue)

    def refresh(self, catalogue: Catalogue) -> None:
        """Take over a new catalogue: a group whose things changed begins anew, the others go on."""
        groups: dict[str, list[Thing]] = {}
        group_of = group_names(catalogue)
        for thing in things_of(catalogue, self._kinds):
            groups.setdefault(group_of.get(thing.site, WALL), []).append(thing)
        self._watches = {
            name: known
            if (known := self._watches.get(name)) and known.is_of(things)
            else self._watch(things, catalogue)
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

    def _watch(self, things: Sequence[Thing], catalogue: Catalogue) -> _Watch:
        return _Watch(Things.of(things, catalogue), self._width)

    def absorb(self, batch: Iterable[Readings], refused: Iterable[Refused] = ()) -> list[FaultChange]:
        """Take readings and what did not become readings; return what began and what is over, in order of time."""
        self._take(list(batch))
        self._trouble(list(refused))
        return sorted(
            (change for watch in self._watches.values() for change in watch.judge()),
            key=lambda change: (change.time_us, change.place, change.fault),
        )

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
                rows.setdefault(self._names[place], []).append(self._rows(readings, number, group == place))
        for name, parts in rows.items():
            self._watches[name].take(parts)

    def _placed(self, readings: Readings) -> tuple[Index, Index]:
        """Group and number of each reading's thing, -1 = unknown; who comes in the order of last time is known."""
        names, group, number = self._recent.get(readings.kind, ([], None, None))
        if group is None or number is None or names != readings.thing:
            own = self._by_kind.get(readings.kind, {})
            places = np.array([own.get(thing, (-1, -1)) for thing in readings.thing], np.intp).reshape(-1, 2)
            group, number = places[:, 0], places[:, 1]
            self._recent[readings.kind] = (readings.thing, group, number)
        return group, number

    def _rows(self, readings: Readings, number: Index, which: Mask) -> tuple[Rows, Int64]:
        values = np.full((int(which.sum()), self._width), np.nan, np.float32)
        told = readings.values[which]
        values[:, : told.shape[1]] = np.where(np.isfinite(told), np.clip(told, -_HUGE, _HUGE), np.nan)
        absent = np.full(len(which), -1, np.int64)
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


class _Watch:
    """One group: its bins, its rules and what stands."""

    def __init__(self, things: Things, width: int) -> None:
        self.standing = Standing(len(things))
        self._things = things
        kinds = list({thing.kind.name: thing.kind for thing in things.things}.values())
        columns = [Columns.of(kind) for kind in kinds]
        place = {kind.name: number for number, kind in enumerate(kinds)}
        kind = np.array([place[thing.kind.name] for thing in things.things], np.intp)
        self._features = Features(things, columns, kind, width)
        much_later_us = (1e6 * np.fmax(MUCH_LATER_S, MUCH_LATER_PERIODS * things.period_s)).astype(np.int64)
        self._group = Group(self._features, GroupClock(len(things)), much_later_us)
        self._past = Past()
        self._scale = Scale.of(things.things, [columns[at] for at in kind])
        late_s = np.fmax(CLOSE_ENOUGH_S, CLOSE_PERIODS * things.period_s)
        self._clocks = Creep(late_s, CLOCK_BINS)
        self._fits = Creep(np.full(len(things), FITS, np.float32), DAY)
        self._bins, self._absent = Bins(len(things)), Absent(things)
        self._sites = Standing(len(things.sites), (Fault.SITE_DOWN,))
        self._basins = Standing(len(things.basins), (Fault.NETWORK_DOWN,))

    def is_of(self, things: Sequence[Thing]) -> bool:
        return self._things.things == tuple(things)

    def take(self, parts: list[tuple[Rows, Int64]]) -> None:
        rows, received = parts[0]
        for more, later in parts[1:]:
            rows, received = rows.join(more), np.concatenate((received, later))
        if (np.diff(received) < 0).any() or (np.diff(rows.time_us) < 0).any():
            order = np.lexsort((rows.time_us, received))
            rows, received = rows.take(order), received[order]
        self._group.take(rows, received)

    def trouble(self, some: list[tuple[int, Refused]]) -> None:
        self._group.trouble(Trouble.of(some))

    def number(self, change: FaultChange) -> int | None:
        """The number of whom a change is about, None where that is not of this group."""
        names = {
            Scope.SENSOR: tuple(thing.id for thing in self._things.things),
            Scope.SITE: self._things.sites,
            Scope.BASIN: self._things.basins,
        }[change.scope]
        return names.index(change.place) if change.place in names else None

    def stand(self, change: FaultChange) -> None:
        """Take over a fault that stood."""
        standing = {Scope.SENSOR: self.standing, Scope.SITE: self._sites, Scope.BASIN: self._basins}[change.scope]
        number = self.number(change)
        if number is not None:
            standing.stand(change.fault, number, change.since_us)

    def know(self, number: int) -> None:
        """Take over who was heard before."""
        self._absent.know([number])

    def reach(self, now_us: int) -> None:
        if self._group.begun:
            self._group.clock.reach(now_us)

    def judge(self) -> Iterable[FaultChange]:
        for end_us, summary in self._group.close():
            yield from self._judge(end_us, summary)

    def _judge(self, end_us: int, summary: Summary) -> Iterable[FaultChange]:
        self._past.add(summary)
        self._scale.learn(self._past)
        self._clocks.learn(beside(summary.delay_s))
        self._fits.learn(summary.fits)
        silence_us = SILENT_AFTER_PERIODS * self._things.period_s * 1e6
        newest_us = self._features.before.time_us  # of closed bins: a batch may hold what comes after a silence
        silent = (newest_us >= 0) & (end_us - newest_us > np.where(np.isnan(silence_us), NEVER, silence_us))
        own = own_faults(self._past, self._things.period_s, self._things.free_kmh, self._scale)
        twofold = spoken_for(self._past, self._things)
        self._bins.count(silent | self._absent.count(speaks(self._past, 1)), twofold)
        others = witnessed_faults(self._past, self._things, self._bins)
        nobody = np.zeros(len(silent), np.bool_)
        holds: dict[Fault, Mask] = {fault: own.get(fault, nobody) | others.get(fault, nobody) for fault in FAULTS}
        since = end_us - BIN_US
        for fault, name in ((Fault.LOCKED_ON, "full"), (Fault.CARD_OFF, "empty")):
            # Who was found out stays so while it goes on: the hour before it is forgotten in the end.
            holds[fault] = holds[fault] | (self.standing.of(fault) & throughout(self._past, name, QUARTER))
        holds[Fault.SILENT] = self._absent.missed
        for fault in (Fault.SPIKE, Fault.COUNTER_RESET, Fault.UNIT_SWAPPED):
            holds[fault] = holds[fault] & ~twofold
        holds[Fault.CLOCK_DRIFT] = holds[Fault.CLOCK_DRIFT] | self._clocks.creeps
        holds[Fault.DRIFT] = self._fits.creeps
        holds[Fault.OUT_OF_ORDER] = holds[Fault.OUT_OF_ORDER] & (end_us >= self._group.wild_until_us)
        for turn in self.standing.update(holds, end_us, since):
            thing = self._things.things[turn.number]
            heard_us = int(self._features.before.time_us[turn.number])
            yield replace(_change(turn, thing.id, Scope.SENSOR, thing.site, thing.kind.name), heard_us=heard_us)
        explained = self.standing.explained()
        for fault, name in FORGOTTEN.items():
            self._past.forget(name, explained[FAULTS.index(fault)])
        sites, basins = located(self._things, (self._bins.silent > 1) & ~speaks(self._past) & self._absent.ever)
        for turn in self._sites.update({Fault.SITE_DOWN: sites}, end_us, since):
            yield _change(turn, self._things.sites[turn.number], Scope.SITE, self._things.sites[turn.number], None)
        for turn in self._basins.update({Fault.NETWORK_DOWN: basins}, end_us, since):
            yield _change(turn, self._things.basins[turn.number], Scope.BASIN, None, None)


def _change(turn: Turn, place: str, scope: Scope, site: str | None, kind: str | None) -> FaultChange:
    return FaultChange(place, scope, site, kind, turn.fault, turn.time_us, turn.since_us, turn.began)
