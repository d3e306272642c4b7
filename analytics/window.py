"""The readings of the last 60 s of event time of every thing, each with the state before it.

A late reading inside the window is put in its place and everything after it is stepped again; an older one is only
stored. Whether it is too old is decided in order of arrival, so the batches it came in make no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from analytics.readings import Arrivals
from analytics.state import NEVER, States
from analytics.table import Float32, Index, Int64, Mask, Table, run_of

WINDOW_US = 60 * 1_000_000
"""Microseconds of event time that stay open to late readings (design section 2). Too low: readings of a slow gateway
are lost to analysis; too high: more is stepped again and kept."""


def in_time(new: Arrivals, newest_us: Int64) -> Mask:
    """Tell which arrivals are inside the window of their thing when they arrive; `newest_us` is by thing, NEVER = none.

    Shape (n,), in order of arrival.
    """
    if no_thing_twice(new.thing):
        newest = newest_us[new.thing]
        alone: Mask = (newest == NEVER) | (new.time_us >= newest - WINDOW_US)
        return alone
    order = np.argsort(new.thing, kind="stable")
    thing, time_us = new.thing[order], new.time_us[order]
    newest = newest_us[thing]
    seen = np.maximum(_running_newest(thing, time_us), np.where(newest == NEVER, -NEVER, newest))
    result = np.empty(len(order), np.bool_)
    result[order] = time_us >= seen - WINDOW_US
    return result


def no_thing_twice(thing: Index) -> bool:
    """Tell whether every number is there once at most."""
    return isinstance(run_of(thing), slice) or int(np.bincount(thing, minlength=1).max()) <= 1


def _running_newest(thing: Index, time_us: Int64) -> Int64:
    """Return the newest time so far of each thing; ranks keep thing and time in one number that cannot overflow."""
    if not ((np.diff(time_us) < 0) & (np.diff(thing) == 0)).any():
        return time_us
    times, rank = np.unique(time_us, return_inverse=True)
    newest: Int64 = times[np.maximum.accumulate(thing * len(times) + rank) % len(times)]
    return newest


@dataclass(slots=True)
class After(Table):
    """What a reading left behind, (n,): smoothed and free speed, float32, and whether it was believed, bool."""

    speed_kmh: Float32
    free_kmh: Float32
    believed: Mask


@dataclass(slots=True)
class Layer:
    """Readings with the state before and what is kept of the state after each; those of a thing in order of time."""

    rows: Arrivals
    before: States
    after: After

    @classmethod
    def joined(cls, layers: Sequence[Layer]) -> Self:
        """Copy layers into one, in their order."""
        parts = (table.joined([getattr(layer, name) for layer in layers]) for name, table in _PARTS.items())
        return cls(*parts)  # type: ignore[arg-type]  # in the order of the fields

    def take(self, which: Mask | Index) -> Layer:
        return Layer(self.rows.take(which), self.before.take(which), self.after.take(which))

    def insert(self, new: Arrivals) -> Layer:
        """Return both in order of thing and time; of two readings of one instant the first that came stays."""
        both = Layer.joined([self, Layer(new, States.blank(len(new.thing)), _nothing(len(new.thing)))])
        order = np.lexsort((both.rows.time_us, both.rows.thing))
        both = both.take(order)
        again = (np.diff(both.rows.thing) == 0) & (np.diff(both.rows.time_us) == 0)
        return both.take(np.concatenate(([True], ~again))) if again.any() else both


_PARTS: Mapping[str, type[Table]] = {"rows": Arrivals, "before": States, "after": After}


def _nothing(count: int) -> After:
    return After(np.full(count, np.nan, np.float32), np.full(count, np.nan, np.float32), np.zeros(count, np.bool_))


MOST_LAYERS = 16
"""Layers that are kept apart. Fewer: every step copies the whole window; more: every step asks each of them."""


class Window:
    """The readings of all things that are open to late ones, as layers: what came later is never in an earlier one.

    So a step in which every reading is newer than all before adds a layer and touches no other.
    """

    def __init__(self) -> None:
        self._layers: list[Layer] = []

    def add(self, layer: Layer) -> None:
        """Take in readings that are newer than those here of the same things."""
        layer.rows.source[:] = -1
        self._layers.append(layer)
        if len(self._layers) > MOST_LAYERS:
            self._layers = [Layer.joined(self._layers)]

    def withdraw(self, things: Mask) -> Layer:
        """Take out the readings of some things."""
        found = [Layer(Arrivals.empty(), States.blank(0), _nothing(0))]
        for number, layer in enumerate(self._layers):
            inside = things[layer.rows.thing]
            if inside.any():
                found.append(layer.take(inside))
                self._layers[number] = layer.take(~inside)
        self._layers = [layer for layer in self._layers if len(layer.rows.thing)]
        return Layer.joined(found)

    def settle(self, newest_us: Int64) -> Layer | None:
        """Take out what no late reading can precede any more, thing by thing; `newest_us` is by thing."""
        settled = []
        for number, layer in enumerate(self._layers):
            old = layer.rows.time_us < newest_us[layer.rows.thing] - WINDOW_US
            if old.all():
                settled.append(layer)
                self._layers[number] = layer.take(np.zeros(0, np.intp))
            elif old.any():
                settled.append(layer.take(old))
                self._layers[number] = layer.take(~old)
        self._layers = [layer for layer in self._layers if len(layer.rows.thing)]
        if len(settled) < 2:  # noqa: PLR2004
            return settled[0] if settled else None
        whole = Layer.joined(settled)
        return whole.take(np.argsort(whole.rows.thing, kind="stable"))

    def put_oldest(self, things: Index, states: States) -> None:
        """Overwrite the rows of `states`, which are of `things`, with the states before the window."""
        place = np.full(int(things.max(initial=-1)) + 1, -1, np.intp)
        place[things] = np.arange(len(things))
        for layer in reversed(self._layers):
            thing, first = np.unique(layer.rows.thing, return_index=True)
            thing, first = thing[thing < len(place)], first[thing < len(place)]
            asked = place[thing] >= 0
            states.put(place[thing[asked]], layer.before.take(first[asked]))


class Work(NamedTuple):
    """What a merged layer asks to be stepped.

    things: index of the things concerned, ascending. dirty: positions of their readings from the first new one on.
    counts: how many of them by thing. late: position of the first reading that has to be stepped again, by thing; -1
    where every new reading is newer than all before.
    """

    things: Index
    dirty: Index
    counts: Index
    late: Index


def work(merged: Layer) -> Work:
    """Find what is new and what follows it, in a layer that `insert` returned."""
    thing, fresh = merged.rows.thing, merged.rows.source >= 0
    first = np.flatnonzero(np.concatenate(([True], np.diff(thing) != 0)))
    count = np.diff(np.append(first, len(thing)))
    seen = np.cumsum(fresh)
    since: Index = seen - np.repeat(seen[first] - fresh[first], count)
    dirty = np.flatnonzero(since > 0)
    things, counts = np.unique(thing[dirty], return_counts=True)
    again = dirty[~fresh[dirty]]
    restepped, at = np.unique(thing[again], return_index=True)
    late = np.full(len(things), -1, np.intp)
    late[np.searchsorted(things, restepped)] = again[at]
    return Work(things, dirty, counts, late)
