"""The desk: events of the feed and the clock in, transitions of alarms out.

Pure: the caller hands in what stands, the catalogue, the rules, the maintenance and the time, and stores what changed.
At a site with the wall's clock an alarm is timed by when somebody is called, or a report that comes late would have
escalated before anybody could answer; at a recording's site by the events, so that a replay gives the same each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from analytics.alarms import machine
from analytics.alarms.conditions import Condition, Happening, Reading, Signal, Sort, read
from analytics.alarms.ground import Ground
from analytics.alarms.machine import Call
from analytics.alarms.muting import Maintenance, Muting
from analytics.alarms.priority import weigh
from analytics.alarms.rules import Rules
from analytics.alarms.standing import Clocks, Standing
from sensors.catalogue import Catalogue


class Desk:
    """What stands, and what becomes of it."""

    def __init__(
        self,
        rules: Rules,
        catalogue: Catalogue,
        readings: Sequence[Reading],
        *,
        standing: Iterable[Standing] = (),
        maintenance: Iterable[Maintenance] = (),
    ) -> None:
        self.standing = {entry.condition.key: entry for entry in standing}
        self._rules = rules
        self._readings = readings
        self._ground = Ground(catalogue, rules)
        self._maintenance = tuple(maintenance)
        self._muting_faults = {fault for rule in rules.alarm if rule.mutes for fault in rule.what}
        self._gone: list[Standing] = []
        self._built: tuple[tuple[Maintenance, ...], tuple[Condition, ...], Muting] | None = None

    def take(self, event: Happening, wall: datetime, *, calling: bool = True) -> None:
        """Let one event of the feed have its effect; without `calling` it is only remembered what stands."""
        signal = read(self._readings, event)
        if signal is None:
            return
        recording = self._ground.recording(signal.condition)
        at = wall if recording is None else event.time
        if recording is not None and calling:
            self.settle(Clocks(wall, {recording: at}), only=recording)
        entry = self._remember(signal, event.time)
        if entry is None:
            return
        if not calling:
            entry.over_at = None
            self._forget(entry)
            return
        muting = self._muting(wall)
        self._evaluate(entry, at, muting)
        if signal.condition.sort is Sort.SENSOR:
            self._mute_others(entry, at, wall, muting)
        self._forget(entry)

    def settle(self, clocks: Clocks, *, only: str | None = None) -> None:
        """Let the time have its effect: delays, shelvings and maintenance that end, calls that nobody answers.

        `only` keeps to the recording of one site.
        """
        muting = self._muting(clocks.wall)
        for entry in [*self.standing.values()]:
            at = clocks.of(entry)
            if at is not None and only in (None, entry.recording):
                self._evaluate(entry, at, muting)
                self._forget(entry)

    def changed(self) -> list[Standing]:
        """What must be stored since the last time; what is finished is among it, once."""
        entries = [*self._gone, *self.standing.values()]
        self._gone = []
        return [entry for entry in entries if entry.touched or entry.trail]

    def due_at(self, wall: datetime) -> datetime | None:
        """When `settle` next has something to do by the wall's clock, after `wall`."""
        own = [entry for entry in self.standing.values() if entry.recording is None]
        times = [due for entry in own if (due := entry.due_at()) is not None]
        times += [time for work in self._maintenance for time in (work.begins_at, work.ends_at)]
        return min((time for time in times if time > wall), default=None)

    def _remember(self, signal: Signal, time: datetime) -> Standing | None:
        """Note what a signal says in the entry it is about; None where something is over that never was."""
        key = signal.condition.key
        entry = self.standing.get(key)
        if entry is None:
            if signal.over:
                return None
            entry = self.standing[key] = Standing(signal.condition)
        entry.touched = True
        if signal.over:
            if entry.began_at is not None:
                entry.began_at, entry.over_at, entry.over_why = None, time, signal.why
            return entry
        if entry.began_at is None:
            entry.began_at, entry.over_at = signal.condition.onset_at, None
        entry.condition = replace(signal.condition, onset_at=min(entry.began_at, signal.condition.onset_at))
        entry.sites, entry.recording = self._ground.sites(entry.condition), self._ground.recording(entry.condition)
        return entry

    def _evaluate(self, entry: Standing, at: datetime, muting: Muting) -> None:
        """Bring an alarm in line with its condition, what holds it back, and the time."""
        if entry.began_at is not None:
            self._weigh(entry)
        ready_at, gone_at = entry.ready_at, entry.gone_at
        calls = entry.rule is not None and ready_at is not None and (at >= ready_at or entry.life.active)
        if calls and not entry.alarmed:
            entry.renew()
        if calls or entry.alarmed:
            entry.go(machine.held(entry.life, muting.holds(entry.condition), at))
        if calls and entry.arithmetic is not None:
            call = Call(entry.condition.level, entry.arithmetic.priority)
            entry.go(machine.called(entry.life, call, at, _why(entry)))
        elif gone_at is not None and at >= gone_at:
            entry.go(machine.ended(entry.life, at, entry.over_why))
            entry.over_at, entry.touched = None, True
        entry.go(machine.elapsed(entry.life, at, escalates=entry.recording is None))

    def _weigh(self, entry: Standing) -> None:
        """Find the rule and the priority; an alarm keeps its rule when none fits any more."""
        condition = entry.condition
        found = self._rules.rule_of(condition, public_road=self._ground.public_road(condition))
        entry.rule = found or (entry.rule if entry.alarmed else None)
        if entry.rule is not None:
            entry.named, entry.told = entry.rule.name, entry.rule.told
            entry.arithmetic = weigh(self._rules, entry.rule, condition, self._ground.place(condition))

    def _mute_others(self, fault: Standing, at: datetime, wall: datetime, muting: Muting) -> None:
        """A fault that began or ended changes what other alarms rest on."""
        for entry in [*self.standing.values()]:
            if entry is not fault and entry.alarmed:
                own = wall if entry.recording is None else at
                entry.go(machine.held(entry.life, muting.holds(entry.condition), own))
                self._forget(entry)

    def _forget(self, entry: Standing) -> None:
        if entry.finished:
            self._gone.append(self.standing.pop(entry.condition.key))

    def _muting(self, wall: datetime) -> Muting:
        """Built anew when a fault or some maintenance began or ended."""
        works = tuple(work for work in self._maintenance if work.at_work(wall))
        faults = tuple(
            entry.condition
            for entry in self.standing.values()
            if entry.condition.sort is Sort.SENSOR and entry.began_at is not None
        )
        if self._built is None or self._built[:2] != (works, faults):
            self._built = works, faults, Muting(self._ground, faults, works, self._muting_faults)
        return self._built[2]


def _why(entry: Standing) -> str:
    """What is said when an alarm is raised: how bad, and the cause where it is known."""
    condition = entry.condition
    word = condition.level.label if condition.sort is Sort.CONGESTION else condition.what
    return f"{word}, cause {condition.cause}" if condition.cause else word
