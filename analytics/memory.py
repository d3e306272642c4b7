"""The settled state of a thing as a small plain dict, to go on exactly where a process stopped.

Settled is what no late reading can change any more: the state before the window. With the readings of the window, which
the store still has, it gives the same state as before the restart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict

import numpy as np

from analytics.readings import Readings
from analytics.state import States
from analytics.window import WINDOW_US

FORMAT = 1
"""Version of the settled columns; a memory of another version is ignored, and the thing is rebuilt from readings."""


class Memory(TypedDict):
    """What is kept of one thing: JSON-able, no NaN.

    settled_us: readings from here to newest_us (both included) have to be given back with it. alarm_told, silent_told:
    what was announced. settled: the columns of `States`.
    """

    format: int
    newest_us: int
    settled_us: int
    alarm_told: int
    silent_told: bool
    settled: Mapping[str, float | bool | None]


def to_memory(settled: States, row: int, newest_us: int, alarm_told: int, *, silent_told: bool) -> Memory:
    """Write one row of `settled`."""
    values = {name: column[row].item() for name, column in zip(settled.names(), settled.columns(), strict=True)}
    plain = {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}
    return Memory(
        format=FORMAT,
        newest_us=newest_us,
        settled_us=newest_us - WINDOW_US,
        alarm_told=alarm_told,
        silent_told=silent_told,
        settled=plain,
    )


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
    return replace(
        readings,
        thing=[readings.thing[row] for row in inside.tolist()],
        time_us=readings.time_us[inside],
        quality=readings.quality[inside],
        values=readings.values[inside],
    )
