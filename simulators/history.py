"""Ordinary weeks of readings as columns, by seed, for loading a database without a broker.

The readings are those of the world that `messages` publishes, without anything happening to it: the same seed and
instant give the same values. What differs is when within its period a thing measures: here by a phase of its own, drawn
by seed, that it keeps over all weeks.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue
from sensors.kind import Kind, Kinds
from simulators.profile import PORT_TIME, last_midnight
from simulators.world import STEP_S, Values, World

_WEEK_DAYS: Final = 7


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
    """Unix seconds over which the world runs without a new start."""

    start_s: float
    end_s: float


def history(
    catalogue: Catalogue, kinds: Kinds, *, seed: int, end_s: float, weeks: int = 6, processes: int | None = None
) -> Iterator[HistoryBlock]:
    """Everything that the things of the catalogue measured in the `weeks` before `end_s`, oldest day first.

    It begins at a midnight of the port. Weeks are simulated side by side in `processes` (as many as there are cores),
    which must be able to import the caller's main module.
    """
    return side_by_side(catalogue, kinds, seed, stretches(end_s, weeks), processes)


def side_by_side(
    catalogue: Catalogue, kinds: Kinds, seed: int, parts: Sequence[Stretch], processes: int | None
) -> Iterator[HistoryBlock]:
    """The readings of several stretches, in their order."""
    tasks = [(catalogue, kinds, seed, stretch) for stretch in parts]
    count = min(processes or len(os.sched_getaffinity(0)), len(tasks))
    if count <= 1:
        for task in tasks:
            yield from _blocks(task)
        return
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        for blocks in pool.map(_blocks, tasks):
            yield from blocks


def stretches(end_s: float, weeks: int) -> list[Stretch]:
    """Weeks from midnight to midnight, and what is left from the last midnight until `end_s`.

    The world starts anew with each. Gates and roads are empty then, so only the stock of the yards is set back to its
    plan. Because the last one begins at the last midnight, it is the very world that a run from `end_s` on starts with.
    """
    midnight = datetime.fromtimestamp(last_midnight(end_s), PORT_TIME)
    starts = [midnight - timedelta(days=_WEEK_DAYS * week) for week in range(weeks, -1, -1)]
    ends = [start.timestamp() for start in starts[1:]] + [end_s]
    found = [Stretch(start.timestamp(), end) for start, end in zip(starts, ends, strict=True)]
    return [stretch for stretch in found if stretch.start_s < stretch.end_s]


def measured(
    catalogue: Catalogue, kinds: Kinds, *, seed: int, stretch: Stretch, phases_s: Mapping[str, float] | None = None
) -> Iterator[HistoryBlock]:
    """The readings of one stretch, a block per kind and day; `phases_s` by thing, drawn by seed where not given."""
    world = World(catalogue, kinds, seed)
    world.start(stretch.start_s)
    phase_s = [
        (phases_s or {}).get(thing.id, phase) for thing, phase in zip(world.things, _phases(world, seed), strict=True)
    ]
    due = [stretch.start_s + phase for phase in phase_s]
    for day_end_s in _days(stretch):
        rows: dict[str, list[tuple[float, str, Values]]] = defaultdict(list)
        for step in range(math.floor(world.now_s / STEP_S), math.ceil(day_end_s / STEP_S)):
            world.advance(step * STEP_S)
            for event in world.take_events():
                rows[event.thing.kind].append((event.at_s, event.thing.id, event.values))
            for place, thing in enumerate(world.things):
                if due[place] < min((step + 1) * STEP_S, day_end_s):
                    rows[thing.kind].append((due[place], thing.id, world.measure(place)))
                    due[place] += thing.period_s
        for kind, found in rows.items():
            yield _block(kinds[kind], found)


def _phases(world: World, seed: int) -> list[float]:
    """For each thing, when within its period it measures."""
    rng = np.random.default_rng((seed, len(world.things)))
    return [
        round(thing.period_s * float(part), 3)
        for thing, part in zip(world.things, rng.random(len(world.things)), strict=True)
    ]


def _days(stretch: Stretch) -> Iterator[float]:
    """The ends of the port's days in a stretch."""
    day = datetime.fromtimestamp(last_midnight(stretch.start_s), PORT_TIME)
    while (day := day + timedelta(days=1)).timestamp() < stretch.end_s:
        yield day.timestamp()
    yield stretch.end_s


def _block(kind: Kind, rows: list[tuple[float, str, Values]]) -> HistoryBlock:
    rows.sort(key=lambda row: row[0])
    things = tuple(sorted({thing for _, thing, _ in rows}))
    place = {thing: index for index, thing in enumerate(things)}
    numbers = [[values[name] for name in kind.field_names] for _, _, values in rows]
    return HistoryBlock(
        kind=kind.name,
        things=things,
        thing=np.array([place[thing] for _, thing, _ in rows], np.intp),
        time_us=np.array([round(at_s * 1e6) for at_s, _, _ in rows], np.int64),
        values=np.array(numbers, np.float32).reshape(len(rows), len(kind.fields)),
        texts={
            name: [None if values[name] is None else str(values[name]) for _, _, values in rows]
            for name in kind.text_names
        },
    )


def _blocks(task: tuple[Catalogue, Kinds, int, Stretch]) -> list[HistoryBlock]:
    catalogue, kinds, seed, stretch = task
    return list(measured(catalogue, kinds, seed=seed, stretch=stretch))
