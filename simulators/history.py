"""Ordinary days and weeks of readings as columns, by seed, for loading a database without a broker.

The readings are those of the world that `messages` publishes, without anything happening to it: the same seed and
instant give the same values. What differs is when within its period a thing measures: here by a phase of its own, drawn
by seed, that it keeps over all stretches.

Stretches can be measured side by side. The world starts anew with each, and at midnights gates and roads are empty: it
is only the stock of the yards that is set back to its plan there, by up to 8 % of the capacity (seven weeks, seed 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue
from sensors.kind import Kind, Kinds
from simulators.network import Floats, Ints
from simulators.profile import PORT_TIME, last_midnight
from simulators.world import STEP_S, Event, World


@dataclass(frozen=True, slots=True)
class HistoryBlock:
    """Readings of one kind in one day of the port, in order of time.

    `thing` (n, intp) is the place in `things` of each row's sensor or corridor; `time_us` (n, int64) is microseconds
    since 1970 UTC; `values` (n, fields, float32) are in the order of the kind's fields, NaN for null; `texts` are n
    values for each text of the kind.
    """

    kind: str
    things: tuple[str, ...]
    thing: NDArray[np.intp]
    time_us: NDArray[np.int64]
    values: NDArray[np.float32]
    texts: Mapping[str, Sequence[str | None]]

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Unix seconds over which the world runs without a new start; at best from a midnight of the port on.

    One that begins at the midnight before a run, and ends where the run starts, is of the very world of the run.
    """

    start_s: float
    end_s: float


def measured(
    catalogue: Catalogue, kinds: Kinds, *, seed: int, stretch: Stretch, phases_s: Mapping[str, float] | None = None
) -> Iterator[HistoryBlock]:
    """The readings of one stretch, a block per kind and day; `phases_s` by thing, drawn by seed where not given."""
    world = World(catalogue, kinds, seed)
    world.start(stretch.start_s)
    phases_s = drawn_phases_s(world, seed) | dict(phases_s or {})
    series = [Series(kinds[kind], world, stretch.start_s, phases_s) for kind in world.meters]
    passages: list[Event] = []
    for day_end_s in _days(stretch):
        for one in series:
            one.plan(day_end_s)
        first, last = round(world.now_s / STEP_S), math.floor(day_end_s / STEP_S)
        for step in range(first, last + 1):
            world.advance(step * STEP_S)
            for one in series:
                one.look(step)
        passages += world.take_events()
        yield from (block for one in series if len(block := one.block()))
        before = [event for event in passages if event.at_s < day_end_s]
        passages = [event for event in passages if event.at_s >= day_end_s]
        if before and "passage" in kinds:
            yield _passages(kinds["passage"], before)


def drawn_phases_s(world: World, seed: int) -> dict[str, float]:
    """For each thing, when within its period it measures, seconds."""
    parts = np.random.default_rng((seed, len(world.things))).random(len(world.things)).tolist()
    return {thing.id: round(thing.period_s * part, 3) for thing, part in zip(world.things, parts, strict=True)}


class Series:
    """All readings of one kind, day after day: the states of the steps that somebody reads, then what follows."""

    def __init__(self, kind: Kind, world: World, start_s: float, phases_s: Mapping[str, float]) -> None:
        self._kind, self._family = kind, world.families[kind.name]
        things = [thing for thing in world.things if thing.kind == kind.name]
        self._things = tuple(thing.id for thing in things)
        self._period_s = np.array([thing.period_s for thing in things])
        self._next_s = start_s + np.array([phases_s[thing] for thing in self._things])
        self._before = world.meters[kind.name].marks
        self._states: list[Floats] = []

    def plan(self, until_s: float) -> None:
        """Decide who measures when, before `until_s`: by thing, then by time."""
        count = np.maximum(np.ceil((until_s - self._next_s) / self._period_s), 0).astype(np.intp)
        self._member = np.repeat(np.arange(len(count), dtype=np.intp), count)
        number = np.arange(len(self._member)) - np.repeat(np.cumsum(count) - count, count)
        self._time_s = self._next_s[self._member] + number * self._period_s[self._member]
        self._next_s = self._next_s + count * self._period_s
        steps = np.floor(self._time_s / STEP_S).astype(np.int64)
        self._steps, self._seen = np.unique(steps, return_inverse=True)
        self._wanted, self._states = set(self._steps.tolist()), []

    def look(self, step: int) -> None:
        """Keep the state of a step that somebody reads."""
        if step in self._wanted:
            self._states.append(self._family.state())

    def block(self) -> HistoryBlock:
        """The readings that were planned."""
        after = np.array(self._states).reshape(len(self._steps), *self._before.shape)[self._seen, self._member]
        before = np.roll(after, 1, axis=0)
        first = np.flatnonzero(np.diff(self._member, prepend=-1))
        before[first] = self._before[self._member[first]]
        last = np.flatnonzero(np.diff(self._member, append=-1))
        self._before[self._member[last]] = after[last]
        read = self._family.read(self._member, before, after)
        order = np.argsort(self._time_s, kind="stable")
        return self._told(order, read[order])

    def _told(self, order: Ints, read: Floats) -> HistoryBlock:
        column = {output.name: place for place, output in enumerate(self._family.outputs)}
        values = read[:, [column[name] for name in self._kind.field_names]]
        texts = {}
        for name in self._kind.text_names:
            words = self._family.outputs[column[name]].choices
            texts[name] = [words[place] for place in read[:, column[name]].astype(np.intp)]
        time_us = np.rint(self._time_s[order] * 1e6).astype(np.int64)
        return HistoryBlock(
            self._kind.name, self._things, self._member[order], time_us, values.astype(np.float32), texts
        )


def _passages(kind: Kind, events: Sequence[Event]) -> HistoryBlock:
    events = sorted(events, key=lambda event: event.at_s)
    things = tuple(sorted({event.thing.id for event in events}))
    place = {thing: index for index, thing in enumerate(things)}
    numbers = [[event.values[name] for name in kind.field_names] for event in events]
    words = {name: [event.values[name] for event in events] for name in kind.text_names}
    return HistoryBlock(
        kind=kind.name,
        things=things,
        thing=np.array([place[event.thing.id] for event in events], np.intp),
        time_us=np.array([round(event.at_s * 1e6) for event in events], np.int64),
        values=np.array(numbers, np.float32).reshape(len(events), len(kind.fields)),
        texts={name: [None if word is None else str(word) for word in found] for name, found in words.items()},
    )


def _days(stretch: Stretch) -> Iterator[float]:
    """The ends of the port's days in a stretch."""
    day = datetime.fromtimestamp(last_midnight(stretch.start_s), PORT_TIME)
    while (day := day + timedelta(days=1)).timestamp() < stretch.end_s:
        yield day.timestamp()
    yield stretch.end_s
