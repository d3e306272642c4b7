"""The engine: readings of all kinds in, states and changes out; event time only, no clock of its own.

Deterministic: the same readings give the same states in any batches and, within `WINDOW_US`, in any order; in order of
time they also give the same changes. A site's clock tells when the silent are silent: the wall's, as told by
`advance`, or for a recording its own newest reading less the window, for what is on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from analytics import coverage, free_speed, miles, snapshot
from analytics.changes import Change, Notes, announce_ageing, eventless
from analytics.company import Company
from analytics.course import Batch, Clocks, Course, Watch
from analytics.forecast import AHEAD_US, Forecast, forecast
from analytics.horizon import Horizon
from analytics.memory import FORMAT, Memory, between, from_memory, outlook_from, to_memories
from analytics.miles import Habits, Miles
from analytics.outlook import Outlook, outlooks
from analytics.readings import Arrivals, Readings
from analytics.roster import Roster
from analytics.rounds import rounds
from analytics.settings import Settings
from analytics.snapshot import State
from analytics.state import NEVER, States, age, ageing
from analytics.table import Float32, Index, Mask, run_of
from analytics.trust import Trust
from analytics.usual import Profile, Usual
from analytics.window import WINDOW_US, in_time
from analytics.wording import in_order, worded
from sensors.catalogue import Catalogue
from sensors.fault import Fault
from sensors.kind import Kind


class Engine:
    """The states of all things of a catalogue; `late` counts readings older than the window, which are only stored."""

    def __init__(self, kinds: Mapping[str, Kind], catalogue: Catalogue) -> None:
        self.late = 0
        self.roster = Roster(kinds, catalogue)
        self._clock_us = np.zeros(0, np.int64)
        self._listening_us = -NEVER
        self._course = Course(self.roster.width)
        self._horizon = Horizon(self.roster.width)
        self._trust, self._company, self._miles = Trust(), Company(), Miles()
        self._read_once: set[tuple[str, Fault]] = set()
        self._profiles: dict[str, Profile] = {}
        self._meet(catalogue)

    def attach(self, watch: Watch) -> None:
        """Tell somebody of all that is stepped from now on."""
        self._course.watch = watch

    @property
    def ignored(self) -> int:
        """Readings of things or kinds that are not analysed (a gate's passages, for one)."""
        return self.roster.ignored

    def refresh(self, catalogue: Catalogue) -> None:
        """Take over a new catalogue: new things start unknown, removed ones are ignored."""
        self.roster.refresh(catalogue)
        self._meet(catalogue)

    def _meet(self, catalogue: Catalogue) -> None:
        self._company.refresh(self.roster.things, self.roster.index, catalogue)
        self._miles.refresh(self.roster.things, self.roster.index)
        self._course.grow([thing.id for thing in self.roster.things])
        clocks = np.full(len(self.roster.sites) - len(self._clock_us), -NEVER, np.int64)
        self._clock_us = np.concatenate((self._clock_us, clocks))
        self._usual = self.roster.usual(self._profiles)

    def use(self, profiles: Mapping[str, Profile]) -> None:
        """Compare with these profiles from the next reading on; things without one keep theirs."""
        self._profiles |= profiles
        self._usual = self.roster.usual(self._profiles)

    @property
    def usual(self) -> Usual:
        """What is usual for the things of the roster."""
        return self._usual

    @property
    def heard(self) -> list[str]:
        """Who was heard at some time."""
        return [name for name, slot in self.roster.index.items() if self._course.states.time_us[slot] != NEVER]

    def unknown(self, things: Iterable[str]) -> set[str]:
        """Those that the catalogue of this engine does not have."""
        return set(things) - self.roster.catalogued

    def absorb(self, batch: Iterable[Readings], *, announcing: bool = True) -> list[Change]:
        """Step by a batch of readings of any kinds; return what changed, in order of event time, then thing.

        With `announcing` off the states are rebuilt from readings whose changes were announced before.
        """
        parts = rounds(list(batch), len(self.roster.active)) if self.roster.recording.any() else [batch]
        return in_order(change for part in parts for change in self._step(part, announcing=announcing))

    def _step(self, batch: Iterable[Readings], *, announcing: bool) -> list[Change]:
        new, values = self.roster.arrivals(batch)
        new, values = self._horizon.admit(new, values, self.roster, self._course.states.time_us)
        believed, slow = self._distrust(new, values)
        self._company.mark(new, values, slow, self.roster.settings)
        fits = in_time(new, self._course.states.time_us)
        if not fits.all():
            self.late += int(len(fits) - fits.sum())
            new = new.take(fits)
        if not len(new.thing):
            return []
        new.usual_kmh, new.spread_kmh = self._usual.at(new.thing, new.time_us)
        notes = self._course.step(new, Batch(values, believed), self.roster.settings, self._clocks())
        heard = np.zeros(len(self.roster.sites), np.bool_)
        heard[self.roster.settings.site[new.thing]] = True
        if (moved := heard & self.roster.recording).any():
            self._move_recordings()
            heard |= self.roster.recording & np.isin(self.roster.group, self.roster.group[moved])
        active = self.roster.active
        notes += self._tell_ageing(active[heard[self.roster.settings.site[active]]])
        return worded(notes, self.roster.things, values) if announcing else []

    def distrust(self, thing: str, fault: Fault, from_us: int) -> None:
        """Believe nothing of a thing that a fault spoils from an instant on, until it is over."""
        if (place := self.roster.index.get(thing)) is not None:
            self._trust.end(place, fault, from_us)

    def trust(self, thing: str, fault: Fault, from_us: int) -> None:
        """Believe again from an instant on what a fault had spoilt."""
        if (place := self.roster.index.get(thing)) is not None:
            self._trust.begin(place, fault, from_us)

    def accustom(self, habits: Habits) -> None:
        """Take over what the speeds of a group of loops mostly are beside what flow and occupancy tell."""
        self._miles.accustom(habits, self.roster.index)

    def read_once(self, thing: str, fault: Fault) -> None:
        """Take readings of a thing at another time than they are stored with: they are not found again.

        So its newest state is remembered, not the one before the window.
        """
        self._read_once.add((thing, fault))

    def read_again(self, thing: str, fault: Fault) -> None:
        """Take its readings at the times that they are stored with."""
        self._read_once.discard((thing, fault))

    def listen(self, now_us: int) -> None:
        """Begin to hear the sites that live by the wall's clock: what was silent before is our absence, not theirs."""
        self._listening_us = now_us

    def advance(self, now_us: int) -> list[Change]:
        """Tell the wall's time to the sites that live by it; return who fell silent and which alarms were lost."""
        np.copyto(self._clock_us, np.maximum(self._clock_us, now_us), where=~self.roster.recording)
        return worded(self._tell_ageing(self.roster.active), self.roster.things, self._course.values[:0])

    def states(self, things: Iterable[str] | None = None) -> list[State]:
        """Return states as of the sites' clocks in order of id: of all things and Bluetooth readers, or of those named.

        A corridor that is named brings its reader. Unknown names are left out.
        """
        index, corridors = self.roster.index, self.roster.readers
        named = {*index, *corridors} if things is None else set(things)
        readers = [reader for reader, ends in corridors.items() if reader in named or named.intersection(ends)]
        needed = named.union(*(corridors[reader] for reader in readers)) & set(index)
        found = self._snapshots(sorted(needed))
        shown = {name: state for name, state in found.items() if name in named}
        for name in readers:
            ends = [found[corridor] for corridor in corridors[name] if corridor in found]
            shown[name] = snapshot.reader(self.roster.sensor[name], ends)
        return [shown[name] for name in sorted(shown)]

    def outlooks(self, things: Iterable[str]) -> list[Outlook]:
        """Return abnormality, coverage and forecasts of the things named; unknown names are left out."""
        known = [name for name in sorted(set(things)) if name in self.roster.index]
        slots = np.array([self.roster.index[name] for name in known], np.intp)
        states, own = self._aged(slots)[0], self.roster.settings.take(slots)
        share = self._share(states, own)
        ahead = self._forecast(slots, states, own, share)
        return outlooks([self.roster.things[slot] for slot in slots], states, share, ahead)

    def forecast(self, things: Sequence[str]) -> Forecast:
        """Return where the speeds of known things are going, as of their newest readings, in this order."""
        slots = np.array([self.roster.index[name] for name in things], np.intp)
        states, own = self._aged(slots)[0], self.roster.settings.take(slots)
        return self._forecast(slots, states, own, self._share(states, own))

    def _share(self, states: States, own: Settings) -> Float32:
        # As of the newest reading at least: the clock of a recording runs behind by the window.
        return coverage.share(states, own.silence_us, np.maximum(self._clock_us[own.site], states.time_us))

    def _forecast(self, slots: Index, states: States, own: Settings, share: Float32) -> Forecast:
        """Look ahead where enough readings came in the last hour."""
        free_kmh = free_speed.in_use(states, own.free_kmh, own.learn_readings)
        usual = np.stack([self._usual.at(slots, states.time_us + ahead)[0] for ahead in AHEAD_US], axis=1)
        speed_kmh = np.where(share >= coverage.ENOUGH, states.speed_kmh, np.float32(np.nan))
        return forecast(speed_kmh, states.usual_kmh, usual, free_kmh, self._course.outlooks.margins[slots])

    def judged(self, things: Sequence[str]) -> States:
        """Return the states of known things in this order, unworded: for whoever looks at many of them often."""
        return self._aged(np.array([self.roster.index[name] for name in things], np.intp))[0]

    def _aged(self, slots: Index) -> tuple[States, Mask]:
        """Copy states as of the sites' clocks, and tell who is silent."""
        states, settings = self._course.states.take(slots), self.roster.settings.take(slots)
        clock_us = self._clock_us[settings.site]
        silent = ageing(states, settings.pace, clock_us).silent
        age(states, settings.pace, clock_us)
        return states, silent

    def _snapshots(self, names: list[str]) -> dict[str, State]:
        slots = np.array([self.roster.index[name] for name in names], np.intp)
        states, silent = self._aged(slots)
        things = [self.roster.things[slot] for slot in slots]
        rows = snapshot.states(things, states, silent, self._course.values[slots])
        return dict(zip(names, rows, strict=True))

    def memory(self, things: Iterable[str] | None = None) -> dict[str, Memory]:
        """Return what to persist of the things named (all by default), without those never heard.

        Persist it, in the transaction that moves the cursors, for the things of a batch and those of its changes.
        """
        index = self.roster.index
        named = index if things is None else {name: index[name] for name in things if name in index}
        heard = {name: slot for name, slot in named.items() if self._course.states.time_us[slot] != NEVER}
        slots = np.array(list(heard.values()), np.intp)
        course = self._course
        told, outlooks = course.told.take(slots), course.outlooks.take(slots)
        spans = [self._trust.spans(slot) for slot in slots.tolist()]
        settled, newest_us = course.settled(slots), course.states.time_us[slots]
        shifted = {name for name, _ in self._read_once}
        once = np.array([name in shifted for name in heard], np.bool_)
        if once.any():
            settled.put(once, course.states.take(slots[once]))
        settled_us = np.where(once, newest_us + 1, newest_us - WINDOW_US)
        memories = to_memories(settled, (settled_us, newest_us), told, outlooks, spans)
        return dict(zip(heard, memories, strict=True))

    def recalls_us(self, thing: str) -> int:
        """How long before its settled state the readings of a thing are needed after a restart."""
        return self._company.recalls_us(self.roster.index.get(thing, -1))

    def restore(self, memories: Mapping[str, Memory], recent: Iterable[Readings]) -> None:
        """Go on from memories; `recent` are readings from `recalls_us` before each thing's `settled_us` on, or more.

        Readings newer than a memory are left to come again. A thing without a usable memory starts unknown: rebuild it
        with `absorb(..., announcing=False)`.
        """
        index = self.roster.index
        usable = {name: memory for name, memory in memories.items() if memory["format"] == FORMAT and name in index}
        for name, memory in usable.items():
            slot = np.array([index[name]])
            self._course.states.put(slot, from_memory(memory))
            self._trust.resume(index[name], memory["distrusted"])
            self._course.outlooks.put(slot, outlook_from(memory, self._course.outlooks.phase_us[slot]))
        bounds = {name: (memory["settled_us"], memory["newest_us"]) for name, memory in usable.items()}
        recent = list(recent)
        before = {
            name: (first_us - self.recalls_us(name), first_us - 1)
            for name, (first_us, last_us) in bounds.items()
            if first_us <= last_us
        }
        new, values = self.roster.arrivals([between(readings, before) for readings in recent])
        _, slow = self._distrust(new, values)
        self._company.remember(new, values, slow, self.roster.settings)
        self.absorb([between(readings, bounds) for readings in recent], announcing=False)
        for name, memory in usable.items():
            self._course.told.alarm[index[name]] = memory["alarm_told"]
            self._course.told.silent[index[name]] = memory["silent_told"]

    def _distrust(self, new: Arrivals, values: Float32) -> tuple[Float32, Index]:
        """Mark whom nobody should believe, in place; return what is left of `values`, and who tells of slow traffic."""
        believed = self._trust.mark(new, values, self.roster.things, self.roster.settings)
        slow = miles.slow(new, self.roster.settings)
        self._miles.mark(new, values, slow, self.roster.settings)
        return believed, slow

    def _move_recordings(self) -> None:
        reach_us = self._horizon.reach(self.roster, self._course.states.time_us)
        known = reach_us != NEVER
        self._clock_us[known] = np.maximum(self._clock_us[known], reach_us[known] - WINDOW_US)

    def _tell_ageing(self, things: Index) -> list[Notes]:
        told, clocks = self._course.told, self._clocks()
        rows = run_of(things)
        settings, states = self.roster.settings.look(rows), self._course.states.look(rows)
        states = replace(states, time_us=np.maximum(states.time_us, clocks.heard_us[rows]))
        due = ~eventless(told.look(rows), states, settings.silence_us, clocks.clock_us[rows])
        if not due.any():
            return []
        pace, clock_us = settings.pace.take(due), clocks.clock_us[rows][due]
        return announce_ageing(told, things[due], states.take(due), pace, clock_us)

    def _clocks(self) -> Clocks:
        """By thing: the clock of its site, and since when that can be heard."""
        heard_us = np.where(self.roster.recording, -NEVER, self._listening_us)
        return Clocks(self._clock_us[self.roster.settings.site], heard_us[self.roster.settings.site])
