"""The readings of the last 60 s of event time of every thing, each with the state before it.

A late reading inside the window is put in its place and everything after it is stepped again; an older one is only
stored. Whether it is too old is decided in order of arrival, so the batches it came in make no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from analytics.readings import Arrivals
from analytics.state import NEVER, States
from analytics.table import Index, Int64, Mask

WINDOW_US = 60 * 1_000_000
"""Microseconds of event time that stay open to late readings (design section 2). Too low: readings of a slow gateway
are lost to analysis; too high: more is stepped again and kept."""


def in_time(new: Arrivals, newest_us: Int64) -> Mask:
    """Tell which arrivals are inside the window of their thing when they arrive; `newest_us` is by thing, NEVER = none.

    Shape (n,), in order of arrival.
    """
    order = np.argsort(new.thing, kind="stable")
    thing, time_us = new.thing[order], new.time_us[order]
    newest = newest_us[thing]
    seen = np.maximum(_running_newest(thing, time_us), np.where(newest == NEVER, -NEVER, newest))
    result = np.empty(len(order), np.bool_)
    result[order] = time_us >= seen - WINDOW_US
    return result


def _running_newest(thing: Index, time_us: Int64) -> Int64:
    """Return the newest time so far of each thing; ranks keep thing and time in one number that cannot overflow."""
    if not ((np.diff(time_us) < 0) & (np.diff(thing) == 0)).any():
        return time_us
    times, rank = np.unique(time_us, return_inverse=True)
    newest: Int64 = times[np.maximum.accumulate(thing * len(times) + rank) % len(times)]
    return newest


@dataclass(slots=True)
class Window:
    """Readings in order of thing and time, and the state before each."""

    rows: Arrivals
    before: States

    @classmethod
    def empty(cls) -> Self:
        return cls(Arrivals.empty(), States.blank(0))

    def take(self, which: Mask | Index) -> Window:
        return Window(self.rows.take(which), self.before.take(which))

    def join(self, other: Window) -> Window:
        return Window(self.rows.join(other.rows), self.before.join(other.before))

    def insert(self, new: Arrivals) -> Window:
        """Return both in order of thing and time; of two readings of one instant the first that came stays."""
        both = self.join(Window(new, States.blank(len(new.thing))))
        order = np.lexsort((both.rows.time_us, both.rows.thing))
        both = both.take(order)
        again = (np.diff(both.rows.thing) == 0) & (np.diff(both.rows.time_us) == 0)
        return both.take(np.concatenate(([True], ~again))) if again.any() else both

    def oldest(self) -> Index:
        """Return the position of each thing's oldest reading, in order of thing."""
        return np.unique(self.rows.thing, return_index=True)[1]


class Work(NamedTuple):
    """What a merged window asks to be stepped.

    things: index of the things concerned, ascending. dirty: positions of their readings from the first new one on.
    counts: how many of them by thing. late: position of the first reading that has to be stepped again, by thing; -1
    where every new reading is newer than all before.
    """

    things: Index
    dirty: Index
    counts: Index
    late: Index


def work(merged: Window) -> Work:
    """Find what is new and what follows it, in a window that `insert` returned."""
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
