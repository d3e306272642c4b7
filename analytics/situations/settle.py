"""States of things as they were at an instant, once no late reading can change them any more.

Readings are stepped when they come; what they made of a thing waits here until the watermark passes. Then it is taken
in order of event time, so what a situation sees does not depend on batches, nor, within the window, on order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from analytics.situations.means import Means
from analytics.situations.memory import FORMAT, Plain, ThingMemory
from analytics.state import LOST_AFTER_US, NEVER, UNKNOWN, States
from analytics.table import Float32, Index, Int8, Int64, Mask, Table, run_of
from analytics.window import no_thing_twice


@dataclass(slots=True)
class Seen(Table):
    """What readings made of things, columns of shape (rows,), as in `States`; slow: bool, this reading is congested."""

    time_us: Int64
    since_us: Int64
    value: Float32
    level: Int8
    alarm: Int8
    faulty: Mask
    slow: Mask

    @classmethod
    def blank(cls, count: int) -> Self:
        return cls.of(States.blank(count), np.zeros(count, np.bool_))

    @classmethod
    def of(cls, states: States, slow: Mask) -> Self:
        """View the columns of `states`."""
        rows = (states.time_us, states.since_us, states.value, states.level, states.alarm, states.faulty)
        return cls(*rows, slow)


class Settling:
    """n things of one zone: as of the last `settle`, and the readings that came since.

    seen: their states. values: (n, width), what is believed of their newest reading, NaN = missing. slow_since_us: when
    the run of congested readings began that each is in, NEVER = in none. slow_us: the newest congested reading.
    """

    def __init__(self, width: int) -> None:
        self.seen = Seen.blank(0)
        self.values: Float32 = np.zeros((0, width), np.float32)
        self.means = Means(width)
        self.silence_us: Int64 = np.zeros(0, np.int64)
        self.slow_since_us: Int64 = np.zeros(0, np.int64)
        self.slow_us: Int64 = np.zeros(0, np.int64)
        self._thing: Index = np.zeros(0, np.intp)
        self._rows = Seen.blank(0)
        self._row_values: Float32 = self.values

    def grow(self, silence_us: Int64) -> None:
        """Make room for things that are new; `silence_us` (n,) is how long each may say nothing."""
        missing = len(silence_us) - len(self.silence_us)
        self.silence_us = silence_us
        self.seen = self.seen.join(Seen.blank(missing))
        nothing = np.full((missing, self.values.shape[1]), np.nan, np.float32)
        self.values = np.concatenate((self.values, nothing))
        self.means.grow(len(silence_us))
        self.slow_since_us = np.append(self.slow_since_us, np.full(missing, NEVER, np.int64))
        self.slow_us = np.append(self.slow_us, np.full(missing, -NEVER, np.int64))

    def memory(self, things: Index) -> Iterator[ThingMemory]:
        """Write things, each with what waits of it."""
        order = np.argsort(self._thing, kind="stable")
        first, last = (np.searchsorted(self._thing[order], things, side) for side in ("left", "right"))
        rows, row_values = _lists(*self._rows.columns()), _lists(*self._row_values.T)
        seen, values = _lists(*self.seen.take(things).columns()), _lists(*self.values[things].T)
        slow = zip(self.slow_since_us[things].tolist(), self.slow_us[things].tolist(), strict=True)
        for k, slow_us in enumerate(slow):
            waits = order[first[k] : last[k]].tolist()
            yield ThingMemory(
                format=FORMAT,
                seen=seen[k],
                values=values[k],
                slow_us=slow_us,
                means=self.means.written(int(things[k])),
                rows=[rows[row] for row in waits],
                row_values=[row_values[row] for row in waits],
            )

    def restore(self, thing: int, memory: ThingMemory) -> None:
        """Take a thing back, and what waited of it."""
        here = np.array([thing])
        self.seen.put(here, _rows_of([memory["seen"]]))
        self.values[here] = self._values_of([memory["values"]])
        self.slow_since_us[thing], self.slow_us[thing] = memory["slow_us"]
        self.means.read(thing, memory["means"])
        waiting = _rows_of(memory["rows"])
        self.offer(np.repeat(here, len(memory["rows"])), waiting, self._values_of(memory["row_values"]))

    def _values_of(self, rows: Sequence[Plain]) -> Float32:
        """Read values, which may be fewer or more than there are now: kinds change between versions."""
        values = np.full((len(rows), self.values.shape[1]), np.nan, np.float32)
        for place, row in enumerate(rows):
            some = np.array(row[: values.shape[1]], np.float32)
            values[place, : len(some)] = some
        return values

    def offer(self, thing: Index, rows: Seen, values: Float32) -> None:
        """Take new readings, (rows,) and (rows, width), in any order."""
        self._thing = np.append(self._thing, thing)
        self._rows = self._rows.join(rows)
        self._row_values = np.concatenate((self._row_values, values))

    def revise(self, thing: Index, rows: Seen) -> None:
        """Replace what known readings made of their things: a late one came before them."""
        waiting = _find(self._thing, self._rows.time_us, thing, rows.time_us)
        self._rows.put(waiting[waiting >= 0], rows.take(waiting >= 0))
        newest = (waiting < 0) & (self.seen.time_us[thing] == rows.time_us)
        self.seen.put(thing[newest], rows.take(newest))

    def due(self, to_us: int) -> bool:
        """Tell whether a reading waits that was measured until then."""
        return bool((self._rows.time_us <= to_us).any())

    def next_us(self) -> int:
        """When the oldest reading that waits was measured, NEVER = none waits."""
        return int(self._rows.time_us.min(initial=NEVER))

    def newest_us(self, thing: int) -> int:
        """Return when a thing spoke last, -NEVER = never."""
        seen_us = int(self.seen.time_us[thing])
        waits_us = self._rows.time_us[self._thing == thing]
        return int(waits_us.max(initial=-NEVER if seen_us == NEVER else seen_us))

    def settle(self, to_us: int) -> None:
        """Take all readings measured until `to_us`, and let time pass until then."""
        is_now = self._rows.time_us <= to_us
        now, later = run_of(np.flatnonzero(is_now)), run_of(np.flatnonzero(~is_now))
        thing, rows, values = self._thing[now], self._rows.look(now), self._row_values[now]
        if no_thing_twice(thing):
            self._take(thing, rows, values)
        else:
            order = np.lexsort((rows.time_us, thing))
            thing, rows, values = thing[order], rows.take(order), values[order]
            turn = _turns(thing)
            for k in range(int(turn.max(initial=-1)) + 1):
                self._take(thing[turn == k], rows.take(turn == k), values[turn == k])
        self._thing, self._rows, self._row_values = self._thing[later], self._rows.look(later), self._row_values[later]
        self._age(to_us)

    def _take(self, thing: Index, rows: Seen, values: Float32) -> None:
        known = self.seen.time_us[thing]
        newer = (known == NEVER) | (rows.time_us > known)
        if not newer.all():
            thing, rows, values = thing[newer], rows.take(newer), values[newer]
        self.seen.put(run_of(thing), rows)
        self.values[run_of(thing)] = values
        self.means.add(thing, rows.time_us, values)
        begins = rows.slow & (self.slow_since_us[thing] == NEVER)
        self.slow_since_us[thing[begins]] = rows.time_us[begins]
        self.slow_us[thing[rows.slow]] = rows.time_us[rows.slow]
        self.slow_since_us[thing[~rows.slow & (rows.alarm == 0)]] = NEVER

    def _age(self, to_us: int) -> None:
        """Make the silent unknown, and close alarms that nobody has seen for long."""
        seen = self.seen
        silent_us = seen.time_us + self.silence_us
        silent = to_us > silent_us
        np.copyto(seen.since_us, silent_us, where=silent & (seen.level != UNKNOWN))
        seen.level[silent] = UNKNOWN
        lost = (seen.alarm > 0) & (seen.level == UNKNOWN) & (to_us > seen.since_us + LOST_AFTER_US)
        seen.alarm[lost] = 0


def _lists(*columns: NDArray[Any]) -> list[Plain]:
    """Write columns row by row; JSON has no NaN."""
    plain = ((None if value != value else value for value in column.tolist()) for column in columns)  # noqa: PLR0124
    return [list(row) for row in zip(*plain, strict=True)]


def _rows_of(rows: Sequence[Plain]) -> Seen:
    blank = Seen.blank(len(rows))
    for place, row in enumerate(rows):
        for column, value in zip(blank.columns(), row, strict=True):
            column[place] = np.nan if value is None else value
    return blank


def _find(things: Index, times_us: Int64, thing: Index, time_us: Int64) -> Index:
    """Return where each (thing, time) is, -1 = nowhere."""
    places = {key: k for k, key in enumerate(zip(things.tolist(), times_us.tolist(), strict=True))}
    found = [places.get(key, -1) for key in zip(thing.tolist(), time_us.tolist(), strict=True)]
    return np.array(found, np.intp)


def _turns(thing: Index) -> NDArray[np.intp]:
    """Return the how-many-eth row of its thing each one is, for rows in order of thing."""
    first = np.flatnonzero(np.diff(thing, prepend=-1))
    return np.arange(len(thing)) - np.repeat(first, np.diff(np.append(first, len(thing))))
