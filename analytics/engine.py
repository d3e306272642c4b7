"""The engine: readings of all kinds in, states and changes out; event time only, no clock of its own.

Deterministic: the same readings give the same states in any batches and, within `WINDOW_US`, in any order; in order of
time they also give the same changes. A site's clock tells when the silent are silent: the wall's, as told by
`advance`, or for a recording its own newest reading less the window, for what is on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from analytics import snapshot
from analytics.changes import Change, Notes, Stepped, Told, announce, announce_ageing
from analytics.fold import fold
from analytics.memory import FORMAT, Memory, between, from_memory, to_memories
from analytics.readings import Arrivals, Readings
from analytics.roster import Roster
from analytics.snapshot import State
from analytics.state import NEVER, States, age, ageing
from analytics.table import Float32, Index, Int64, Mask
from analytics.usual import Profile
from analytics.window import WINDOW_US, Window, Work, in_time, work
from analytics.wording import worded
from sensors.catalogue import Catalogue
from sensors.kind import Kind

Watch = Callable[[Arrivals, States, Float32], None]
"""Is told what was stepped: rows thing by thing in order of time, the states after each, and the values of the new ones
by their source; rows without a source were known, and are stepped again because a late one came before them."""


class Engine:
    """The states of all things of a catalogue; `late` counts readings older than the window, which are only stored."""

    def __init__(self, kinds: Mapping[str, Kind], catalogue: Catalogue) -> None:
        self.late = 0
        self.roster = Roster(kinds, catalogue)
        self._clock_us = np.zeros(0, np.int64)
        self._listening_us = -NEVER
        self._states = States.blank(0)
        self._told = Told.blank(0)
        self._values: Float32 = np.zeros((0, self.roster.width), np.float32)
        self._window = Window.empty()
        self._profiles: dict[str, Profile] = {}
        self.watch: Watch | None = None
        self._grow()

    @property
    def ignored(self) -> int:
        """Readings of things or kinds that are not analysed (a gate's passages, for one)."""
        return self.roster.ignored

    def refresh(self, catalogue: Catalogue) -> None:
        """Take over a new catalogue: new things start unknown, removed ones are ignored."""
        self.roster.refresh(catalogue)
        self._grow()

    def _grow(self) -> None:
        missing = len(self.roster.things) - len(self._values)
        self._states = self._states.join(States.blank(missing))
        self._told = self._told.join(Told.blank(missing))
        self._values = np.concatenate((self._values, np.full((missing, self.roster.width), np.nan, np.float32)))
        clocks = np.full(len(self.roster.sites) - len(self._clock_us), -NEVER, np.int64)
        self._clock_us = np.concatenate((self._clock_us, clocks))
        self._usual = self.roster.usual(self._profiles)

    def use(self, profiles: Mapping[str, Profile]) -> None:
        """Compare with these profiles from the next reading on; things without one keep theirs."""
        self._profiles |= profiles
        self._usual = self.roster.usual(self._profiles)

    def unknown(self, things: Iterable[str]) -> set[str]:
        """Those that the catalogue of this engine does not have."""
        return set(things) - self.roster.catalogued

    def absorb(self, batch: Iterable[Readings], *, announcing: bool = True) -> list[Change]:
        """Step by a batch of readings of any kinds; return what changed, in order of event time, then thing.

        With `announcing` off the states are rebuilt from readings whose changes were announced before.
        """
        new, values = self.roster.arrivals(batch)
        fits = in_time(new, self._states.time_us)
        self.late += int(len(fits) - fits.sum())
        new = new.take(fits)
        if not len(new.thing):
            return []
        new.usual_kmh, new.spread_kmh = self._usual.at(new.thing, new.time_us)
        notes = self._step(new, values)
        sites = np.unique(self.roster.settings.site[new.thing])
        self._move_recordings(sites)
        active = self.roster.active
        notes += self._tell_ageing(active[np.isin(self.roster.settings.site[active], sites)])
        return worded(notes, self.roster.things) if announcing else []

    def listen(self, now_us: int) -> None:
        """Begin to hear the sites that live by the wall's clock: what was silent before is our absence, not theirs."""
        self._listening_us = now_us

    def advance(self, now_us: int) -> list[Change]:
        """Tell the wall's time to the sites that live by it; return who fell silent and which alarms were lost."""
        np.copyto(self._clock_us, np.maximum(self._clock_us, now_us), where=~self.roster.recording)
        return worded(self._tell_ageing(self.roster.active), self.roster.things)

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

    def judged(self, things: Sequence[str]) -> States:
        """Return the states of known things in this order, unworded: for whoever looks at many of them often."""
        return self._aged(np.array([self.roster.index[name] for name in things], np.intp))[0]

    def _aged(self, slots: Index) -> tuple[States, Mask]:
        """Copy states as of the sites' clocks, and tell who is silent."""
        states, settings = self._states.take(slots), self.roster.settings.take(slots)
        clock_us = self._clock_us[settings.site]
        silent = ageing(states, settings.silence_us, clock_us).silent
        age(states, settings.silence_us, clock_us)
        return states, silent

    def _snapshots(self, names: list[str]) -> dict[str, State]:
        slots = np.array([self.roster.index[name] for name in names], np.intp)
        states, silent = self._aged(slots)
        things = [self.roster.things[slot] for slot in slots]
        rows = snapshot.states(things, states, silent, self._values[slots])
        return dict(zip(names, rows, strict=True))

    def memory(self, things: Iterable[str] | None = None) -> dict[str, Memory]:
        """Return what to persist of the things named (all by default), without those never heard.

        Persist it, in the transaction that moves the cursors, for the things of a batch and those of its changes.
        """
        index = self.roster.index
        named = index if things is None else {name: index[name] for name in things if name in index}
        heard = {name: slot for name, slot in named.items() if self._states.time_us[slot] != NEVER}
        slots = np.array(list(heard.values()), np.intp)
        memories = to_memories(self._settled(slots), self._states.time_us[slots], self._told.take(slots))
        return dict(zip(heard, memories, strict=True))

    def _settled(self, slots: Index) -> States:
        """Copy the states before the window; a thing restored without its readings has only its state."""
        oldest = self._window.oldest()
        position = np.full(len(self.roster.things), -1, np.intp)
        position[self._window.rows.thing[oldest]] = oldest
        settled, at = self._states.take(slots), position[slots]
        settled.put(at >= 0, self._window.before.take(at[at >= 0]))
        return settled

    def restore(self, memories: Mapping[str, Memory], recent: Iterable[Readings]) -> None:
        """Go on from memories; `recent` are the readings since each thing's `settled_us`, more do no harm.

        Readings newer than a memory are left to come again. A thing without a usable memory starts unknown: rebuild it
        with `absorb(..., announcing=False)`.
        """
        index = self.roster.index
        usable = {name: memory for name, memory in memories.items() if memory["format"] == FORMAT and name in index}
        for name, memory in usable.items():
            self._states.put(np.array([index[name]]), from_memory(memory))
        bounds = {name: (memory["settled_us"], memory["newest_us"]) for name, memory in usable.items()}
        self.absorb([between(readings, bounds) for readings in recent], announcing=False)
        for name, memory in usable.items():
            self._told.alarm[index[name]] = memory["alarm_told"]
            self._told.silent[index[name]] = memory["silent_told"]

    def _step(self, new: Arrivals, values: Float32) -> list[Notes]:
        """Step what is new and what follows it; keep the window; return what has to be announced."""
        touched = np.zeros(len(self.roster.things), np.bool_)
        touched[new.thing] = True
        inside = touched[self._window.rows.thing]
        merged = self._window.take(inside).insert(new)
        todo = work(merged)
        notes = self._told_of(self._fold(merged, todo), values) if len(todo.things) else []
        self._remember(merged.rows, values)
        newest_us = self._states.time_us[merged.rows.thing]
        self._window = self._window.take(~inside).join(merged.take(merged.rows.time_us >= newest_us - WINDOW_US))
        self._window.rows.source[:] = -1
        return notes

    def _told_of(self, done: Stepped, values: Float32) -> list[Notes]:
        if self.watch is not None:
            self.watch(done.rows, done.after, values)
        return announce(self._told, done)

    def _fold(self, merged: Window, todo: Work) -> Stepped:
        """Step the rows of `todo` from the state before the first of them, and write the states back."""
        start, settings = self._states.take(todo.things), self.roster.settings.take(todo.things)
        rows, late = merged.rows.take(todo.dirty), todo.late >= 0
        prior_us = np.where(start.time_us == NEVER, -NEVER, start.time_us)
        start.put(late, merged.before.take(todo.late[late]))
        before, final = fold(start, settings, rows, todo.counts)
        merged.before.put(todo.dirty, before)
        self._states.put(todo.things, final)
        after = before.take(np.minimum(np.arange(len(todo.dirty)) + 1, len(todo.dirty) - 1))
        after.put(np.cumsum(todo.counts) - 1, final)
        clock_us = self._clock_us[settings.site]
        heard_us = self._heard_from(settings.site)
        return Stepped(todo.counts, rows, before, after, prior_us, settings.silence_us, clock_us, heard_us)

    def _remember(self, rows: Arrivals, values: Float32) -> None:
        """Keep the values of readings that are the newest of their thing."""
        newest = (rows.source >= 0) & (rows.time_us == self._states.time_us[rows.thing])
        self._values[rows.thing[newest]] = values[rows.source[newest]]

    def _move_recordings(self, sites: Index) -> None:
        active = self.roster.active
        at = self.roster.settings.site[active]
        for site in sites[self.roster.recording[sites]]:
            times = self._states.time_us[active[at == site]]
            self._clock_us[site] = max(self._clock_us[site], times[times != NEVER].max() - WINDOW_US)

    def _tell_ageing(self, things: Index) -> list[Notes]:
        settings, states = self.roster.settings.take(things), self._states.take(things)
        np.maximum(states.time_us, self._heard_from(settings.site), out=states.time_us)
        return announce_ageing(self._told, things, states, settings.silence_us, self._clock_us[settings.site])

    def _heard_from(self, site: Index) -> Int64:
        """Return since when each site can be heard, for sites of shape (n,)."""
        return np.where(self.roster.recording[site], -NEVER, self._listening_us)
