"""The states of all things, and how readings move them: what is new is stepped, what follows it is stepped again.

Most readings are newer than all before of their thing, and come one at a time; they take the short way, on which
nothing is sorted. What comes late, or many at once, takes the long way, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from analytics import forecast, free_speed
from analytics.changes import Notes, Stepped, Told, announce, uneventful
from analytics.fold import fold, step_all
from analytics.forecast import Outlooks, Settled
from analytics.readings import Arrivals
from analytics.settings import Settings
from analytics.state import NEVER, States
from analytics.table import Float32, Index, Int64, Mask, run_of
from analytics.window import After, Layer, Window, Work, no_thing_twice, work


class Clocks(NamedTuple):
    """By thing: what the clock of its site says, and since when it can be heard; int64 microseconds."""

    clock_us: Int64
    heard_us: Int64


class Batch(NamedTuple):
    """Fields and words of a batch, (m, width) by `Arrivals.source`: as they were said, and what is believed of them."""

    said: Float32
    believed: Float32


Watch = Callable[[Arrivals, States, Float32], None]
"""Is told what was stepped: rows thing by thing in order of time, the states after each, and what is believed of the
new ones by their source; rows without a source were known, and are stepped again because a late one came before them.
It may keep nothing of it."""


class _Step(NamedTuple):
    """One reading of some things: the states around it, and their settings."""

    rows: Arrivals
    before: States
    after: States
    settings: Settings


class Course:
    """Tables of all things, a row each: states, what was told, the values of the newest reading, and outlooks."""

    def __init__(self, width: int) -> None:
        self.states = States.blank(0)
        self.told = Told.blank(0)
        self.outlooks = Outlooks.blank(np.zeros(0, np.int64))
        self.values: Float32 = np.zeros((0, width), np.float32)
        self.watch: Watch | None = None
        self._window = Window()

    def grow(self, names: Sequence[str]) -> None:
        """Make room for new things behind those that are here; `names` are of all."""
        missing = len(names) - len(self.values)
        if missing:
            phases = np.array([forecast.phase_us(name) for name in names[len(self.values) :]], np.int64)
            self.states = self.states.join(States.blank(missing))
            self.told = self.told.join(Told.blank(missing))
            self.outlooks = self.outlooks.join(Outlooks.blank(phases))
            more = np.full((missing, self.values.shape[1]), np.nan, np.float32)
            self.values = np.concatenate((self.values, more))

    def settled(self, things: Index) -> States:
        """Copy the states before the window; a thing restored without its readings has only its state."""
        states = self.states.take(things)
        self._window.put_oldest(things, states)
        return states

    def step(self, new: Arrivals, batch: Batch, settings: Settings, clocks: Clocks) -> list[Notes]:
        """Step by readings that are inside the window; return what has to be announced.

        `settings` has a row a thing.
        """
        simple = self._simple(new)
        notes = []
        if simple.any():
            notes += self._advance(new if simple.all() else new.take(simple), batch, settings, clocks)
        if not simple.all():
            notes += self._insert(new.take(~simple), batch, settings, clocks)
        if (settled := self._window.settle(self.states.time_us)) is not None:
            forecast.learn(self.outlooks, _lessons(settled))
        return notes

    def _simple(self, new: Arrivals) -> Mask:
        """Tell which readings are the only one of their thing and newer than all before."""
        newest = self.states.time_us[new.thing]
        newer: Mask = (newest == NEVER) | (new.time_us > newest)
        if no_thing_twice(new.thing):
            return newer
        simple: Mask = newer & (np.bincount(new.thing)[new.thing] == 1)
        return simple

    def _advance(self, rows: Arrivals, batch: Batch, settings: Settings, clocks: Clocks) -> list[Notes]:
        """Step each thing by one newer reading."""
        things = run_of(rows.thing)
        everyone = isinstance(things, slice) and len(rows.thing) == len(self.values)
        before, own = self.states if everyone else self.states.take(things), settings.look(things)
        after = self.states.take(things)
        step_all(after, own, rows)
        if everyone:
            self.states = after
        else:
            self.states.put(things, after)
        self.values[things] = batch.said[run_of(rows.source)]
        if self.watch is not None:
            self.watch(rows, after, batch.believed)
        quiet = uneventful(self.told.look(things), before, after, rows.time_us, own.silence_us)
        notes = [] if quiet.all() else self._announced(_Step(rows, before, after, own), np.flatnonzero(~quiet), clocks)
        self._window.add(Layer(rows, before, _after(after, own)))
        return notes

    def _announced(self, step: _Step, loud: Index, clocks: Clocks) -> list[Notes]:
        rows, settings = step.rows.take(loud), step.settings.take(loud)
        before, after = step.before.take(loud), step.after.take(loud)
        prior_us = np.where(before.time_us == NEVER, -NEVER, before.time_us)
        clock_us, heard_us = (clock[rows.thing] for clock in clocks)
        counts = np.ones(len(loud), np.intp)
        stepped = Stepped(counts, rows, before, after, prior_us, settings.pace, clock_us, heard_us)
        return announce(self.told, stepped)

    def _insert(self, new: Arrivals, batch: Batch, settings: Settings, clocks: Clocks) -> list[Notes]:
        """Put readings in their places and step everything after them again."""
        touched = np.zeros(len(self.values), np.bool_)
        touched[new.thing] = True
        merged = self._window.withdraw(touched).insert(new)
        todo = work(merged)
        notes = []
        if len(todo.things):
            done = self._fold(merged, todo, settings, clocks)
            if self.watch is not None:
                self.watch(done.rows, done.after, batch.believed)
            notes = announce(self.told, done)
        self._remember(merged.rows, batch.said)
        merged.after = self._followed(merged, settings)
        self._window.add(merged)
        return notes

    def _fold(self, merged: Layer, todo: Work, settings: Settings, clocks: Clocks) -> Stepped:
        """Step the rows of `todo` from the state before the first of them, and write the states back."""
        start, own = self.states.take(todo.things), settings.take(todo.things)
        rows, late = merged.rows.take(todo.dirty), todo.late >= 0
        prior_us = np.where(start.time_us == NEVER, -NEVER, start.time_us)
        start.put(late, merged.before.take(todo.late[late]))
        before, final = fold(start, own, rows, todo.counts)
        merged.before.put(todo.dirty, before)
        self.states.put(todo.things, final)
        after = before.take(np.minimum(np.arange(len(todo.dirty)) + 1, len(todo.dirty) - 1))
        after.put(np.cumsum(todo.counts) - 1, final)
        clock_us, heard_us = (clock[todo.things] for clock in clocks)
        return Stepped(todo.counts, rows, before, after, prior_us, own.pace, clock_us, heard_us)

    def _followed(self, merged: Layer, settings: Settings) -> After:
        """What each reading left behind is the state before the next one, or that of now."""
        thing = merged.rows.thing
        last = np.append(np.diff(thing) != 0, True)[-len(thing) :]
        states = merged.before.take(np.minimum(np.arange(len(thing)) + 1, len(thing) - 1))
        states.put(last, self.states.take(thing[last]))
        return _after(states, settings.take(thing))

    def _remember(self, rows: Arrivals, values: Float32) -> None:
        """Keep the values of readings that are the newest of their thing."""
        newest = (rows.source >= 0) & (rows.time_us == self.states.time_us[rows.thing])
        self.values[rows.thing[newest]] = values[rows.source[newest]]


def _after(states: States, settings: Settings) -> After:
    free_kmh = free_speed.in_use(states, settings.free_kmh, settings.learn_readings)
    return After(states.speed_kmh.copy(), free_kmh, states.misses == 0)


def _lessons(settled: Layer) -> Settled:
    """What a forecast has to be compared with."""
    rows, after = settled.rows, settled.after
    seen = np.where(after.believed, rows.observed, np.float32(np.nan))
    return Settled(rows.thing, rows.time_us, seen, after.speed_kmh, rows.usual_kmh, after.free_kmh)
