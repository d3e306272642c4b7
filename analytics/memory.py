"""The settled state of a thing as a small plain dict, to go on exactly where a process stopped.

Settled is what no late reading can change any more: the state before the window. With the readings of the window, which
the store still has, it gives the same state as before the restart.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from analytics.changes import Told
from analytics.forecast import Outlooks, packed, taught_of, unpacked
from analytics.readings import Readings
from analytics.state import States
from analytics.table import Int64
from analytics.trust import Span
from analytics.window import WINDOW_US

FORMAT = 8
"""Version of the settled columns; a memory of another version is ignored, and the thing is rebuilt from readings."""


class Memory(TypedDict):
    """What is kept of one thing: JSON-able, no NaN.

    settled_us: readings from here to newest_us (both included) have to be given back with it; none where it is later.
    alarm_told, silent_told: what was announced. settled: the columns of `States`. outlook: what its forecasts learnt,
    base64; None = nothing.
    distrusted: from when until when, us, which fault spoils its readings; the end is NEVER while it lasts.
    """

    format: int
    newest_us: int
    settled_us: int
    alarm_told: int
    silent_told: bool
    settled: Mapping[str, float | bool | None]
    outlook: str | None
    distrusted: Sequence[Sequence[int | str]]


def to_memories(
    settled: States,
    bounds_us: tuple[Int64, Int64],
    told: Told,
    outlooks: Outlooks,
    distrusted: Sequence[Sequence[Span]],
) -> Iterator[Memory]:
    """Write the rows of equally long tables, one memory each; `bounds_us`: settled_us and newest_us."""
    tables: tuple[NDArray[Any], ...] = (*bounds_us, told.alarm, told.silent, *settled.columns())
    columns = [column.tolist() for column in tables]
    for outlook, spans, first, newest, alarm, silent, *values in zip(
        _texts(outlooks), distrusted, *columns, strict=True
    ):
        plain = (None if value != value else value for value in values)  # noqa: PLR0124  NaN is what differs from itself
        yield Memory(
            format=FORMAT,
            newest_us=newest,
            settled_us=first,
            alarm_told=alarm,
            silent_told=silent,
            settled=dict(zip(States.names(), plain, strict=True)),
            outlook=outlook,
            distrusted=[(*span[:2], span.fault.value) for span in spans if span.until_us >= newest - WINDOW_US],
        )


def _texts(outlooks: Outlooks) -> Iterator[str | None]:
    for row, taught in zip(packed(outlooks), taught_of(outlooks).tolist(), strict=True):
        yield b64encode(row.tobytes()).decode() if taught else None


def outlook_from(memory: Memory, phase_us: Int64) -> Outlooks:
    """Read one row; `phase_us` (1,) is the thing's own."""
    text = memory["outlook"]
    if text is None:
        return Outlooks.blank(phase_us)
    return unpacked(np.frombuffer(b64decode(text), np.uint8)[None, :], phase_us)


def from_memory(memory: Memory) -> States:
    """Read one row; float32 values come back exactly, because a double holds them."""
    states, settled = States.blank(1), memory["settled"]
    for name, column in zip(states.names(), states.columns(), strict=True):
        column[0] = np.nan if settled[name] is None else settled[name]
    return states


def between(readings: Readings, bounds: Mapping[str, tuple[int, int]]) -> Readings:
    """Keep the readings of the things in `bounds` (first and last time, both included)."""
    nothing = (1, 0)
    limits = np.array([bounds.get(name, nothing) for name in readings.thing], np.int64).reshape(-1, 2)
    inside = np.flatnonzero((readings.time_us >= limits[:, 0]) & (readings.time_us <= limits[:, 1]))
    return readings.take(inside)
