"""What is judged of one group of things whenever a bin closes: faults that begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analytics.clock import GroupClock
from analytics.health.absent import Absent
from analytics.health.columns import Columns
from analytics.health.creep import AGAIN_US, CLOCK_BINS, CLOSE_ENOUGH_S, DAY, FITS, KEPT_EVERY_US, Creep, Kept, beside
from analytics.health.features import Features
from analytics.health.group import Group, Refused, Trouble
from analytics.health.hours import AHEAD, Hours, hours_ahead
from analytics.health.journeys import APART, Journeys
from analytics.health.rows import Rows
from analytics.health.rules import (
    CLOSE_PERIODS,
    HOUR,
    MUCH_LATER_PERIODS,
    MUCH_LATER_S,
    QUARTER,
    frozen_s,
    late_s,
    own_faults,
    speaks,
)
from analytics.health.scale import Scale
from analytics.health.stocks import Stocks
from analytics.health.summary import BIN_US, Past, Summary
from analytics.health.things import Things
from analytics.health.verdicts import BY_ITSELF, FAULTS, FORGOTTEN, SETS, SPOILS, Standing, Turn
from analytics.health.witnesses import Bins, located, spoken_for, throughout, witnessed_faults
from analytics.miles import Habits
from analytics.readings import Readings
from analytics.settings import Thing
from analytics.state import NEVER, SILENT_AFTER_PERIODS
from analytics.table import Float32, Index, Int64, Mask
from sensors.fault import Fault, Scope


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


class Judge:
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
        own = [columns[at] for at in kind]
        self._patience_s = frozen_s(things.period_s, np.array([one.counted for one in own]))
        self._scale = Scale.of(things.things, own)
        late_s = np.fmax(CLOSE_ENOUGH_S, CLOSE_PERIODS * things.period_s)
        self._clocks = Creep(late_s, CLOCK_BINS)
        self._stocks, self._journeys = Stocks(own), Journeys(things)
        limits = np.array([one.cold.limit_c if one.cold else FITS for one in own], np.float32)
        limits[list(things.on_the_way)] = APART
        self._fits = Creep(limits, DAY)
        self._bins, self._absent = Bins(len(things)), Absent(things)
        self._sites = Standing(len(things.sites), (Fault.SITE_DOWN,))
        self._basins = Standing(len(things.basins), (Fault.NETWORK_DOWN,))
        self.hours = Hours()
        self._names = tuple(thing.id for thing in things.things)
        self._habits: list[tuple[int, Float32]] = []
        self._learnt_us = self._kept_us = -NEVER

    @property
    def things(self) -> Sequence[Thing]:
        return self._things.things

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
            Scope.SENSOR: self._names,
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
        self.hours.forget(end_us)
        self._scale.learn(self._past)
        self._habits.append((end_us, self._past.mean("fits", HOUR, QUARTER)))
        spoilt, drifts = self.standing.of_any(BY_ITSELF), self.standing.of(Fault.DRIFT)
        twofold = spoken_for(self._past, self._things)
        if end_us > self._learnt_us or end_us < self._learnt_us - AGAIN_US:
            self._clocks.learn(beside(summary.delay_s))
            self._fits.learn(self._fitting(summary))
            self._stocks.learn(summary.fits, summary.flow, (spoilt & ~drifts) | twofold)
            self._learnt_us = end_us
        silence_us = SILENT_AFTER_PERIODS * self._things.period_s * 1e6
        newest_us = self._features.before.time_us  # of closed bins: a batch may hold what comes after a silence
        silent = (newest_us >= 0) & (end_us - newest_us > np.where(np.isnan(silence_us), NEVER, silence_us))
        own = own_faults(self._past, self._things.period_s, self._patience_s, self._scale)
        self._bins.count(silent | self._absent.count(speaks(self._past, 1)), twofold)
        others = witnessed_faults(self._past, self._things, self._bins, spoilt)
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
        holds[Fault.DRIFT] = self._fits.creeps | self._stocks.creeps | (drifts & self._stocks.still_creeps)
        # A stock that creeps is beyond its capacity in the end.
        holds[Fault.MISMATCH] = holds[Fault.MISMATCH] & ~(drifts & self._stocks.theirs)
        holds[Fault.OUT_OF_ORDER] = holds[Fault.OUT_OF_ORDER] & (end_us >= self._group.wild_until_us)
        for turn in self.standing.update(holds, end_us, since):
            thing = self._things.things[turn.number]
            heard_us = int(self._features.before.time_us[turn.number])
            change = _change(turn, thing.id, Scope.SENSOR, thing.site, thing.kind.name)
            yield replace(change, heard_us=heard_us, evidence=self._evidence(turn))
        explained = self.standing.explained()
        for fault, name in FORGOTTEN.items():
            self._past.forget(name, explained[FAULTS.index(fault)])
        sites, basins = located(self._things, (self._bins.silent > 1) & ~speaks(self._past) & self._absent.ever)
        for turn in self._basins.update({Fault.NETWORK_DOWN: basins}, end_us, since):
            yield _change(turn, self._things.basins[turn.number], Scope.BASIN, None, None)
        # A network that comes back does so site by site.
        sites &= ~self._basins.of(Fault.NETWORK_DOWN)[self._things.basin_of_site]
        for turn in self._sites.update({Fault.SITE_DOWN: sites}, end_us, since):
            yield _change(turn, self._things.sites[turn.number], Scope.SITE, self._things.sites[turn.number], None)

    def _fitting(self, summary: Summary) -> Float32:
        """How fields of each thing fit together, and the times of corridors the loops on their ways; NaN for stocks."""
        fits = np.where(self._stocks.theirs, np.float32(np.nan), summary.fits)
        for corridor, value in self._journeys.fits(summary, self.standing.of_any(SPOILS)).items():
            fits[corridor] = value
        return fits

    def _evidence(self, turn: Turn) -> Mapping[str, float | str | None]:
        """By how many whole hours a clock is ahead, where it is whole hours."""
        if turn.fault not in SETS or not turn.began:
            return {}
        ahead = hours_ahead(float(late_s(self._past, self._things.period_s)[turn.number]))
        return {} if ahead is None else {AHEAD: ahead}

    def habits(self, group: str) -> list[Habits]:
        """Hand out what loops were used to at the ends of the bins that were closed since last time.

        Of the hour before the last quarter of an hour: a unit that is mistaken is found out before it is a habit.
        """
        found, self._habits = self._habits, []
        return [Habits(group, self._names, end_us, fits) for end_us, fits in found if np.isfinite(fits).any()]

    def keep(self) -> list[Kept]:
        """Hand out what creeps, once an hour: it is of the newest bin then."""
        if self._learnt_us // KEPT_EVERY_US <= self._kept_us // KEPT_EVERY_US:
            return []
        self._kept_us = self._learnt_us
        return self.learnt()

    def learnt(self) -> list[Kept]:
        """What creeps, up to the newest bin."""
        each = zip(
            self.things,
            self._stocks.theirs,
            self._clocks.learnt(),
            self._fits.learnt(),
            self._stocks.learnt(),
            strict=True,
        )
        found = ((thing.id, late, stock if is_stock else fits) for thing, is_stock, late, fits, stock in each)
        return [Kept(thing, self._learnt_us, late, fits) for thing, late, fits in found if late.bins or fits.bins]

    def recall(self, some: Iterable[Kept]) -> None:
        """Go on from what was kept; bins that are in it are not learnt again."""
        kept = {one.thing: one for one in some}
        for number, thing in enumerate(self.things):
            if (one := kept.get(thing.id)) is not None:
                self._clocks.recall(number, one.late_s)
                (self._stocks if self._stocks.theirs[number] else self._fits).recall(number, one.fits)
                self._learnt_us = self._kept_us = max(self._learnt_us, one.until_us)

    def put_right(self, readings: Readings, number: Index) -> Readings:
        """Put the readings of the last `take` at their true times; `number` (n,), -1 for who is of another group."""
        some = np.flatnonzero(np.isin(number, self.hours.numbers))
        if not len(some):
            return readings
        times = readings.time_us[some]
        received = times if readings.received_us is None else readings.received_us[some]
        late_us = self._group.late_us(number[some], times, received)
        return self.hours.put_right(readings, some, number[some], late_us)


def _change(turn: Turn, place: str, scope: Scope, site: str | None, kind: str | None) -> FaultChange:
    return FaultChange(place, scope, site, kind, turn.fault, turn.time_us, turn.since_us, turn.began)
