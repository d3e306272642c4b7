"""From what holds at each step to what lasted: runs of steps, and spells of congestion with short relief inside.

A step's level is 0 free, 1 slowed or 2 congested; times are numbers of steps.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int8]
Mask = NDArray[np.bool_]

FREE, SLOWED, CONGESTED = 0, 1, 2

HOLDS_S: Final = 120.0
"""Congestion is what lasts so long. Lower calls each wave of a platoon congestion, higher misses short jams."""

RELIEF_S: Final = 900.0
"""Within a spell it may be merely slowed for so long, as in the truth of recordings: a queue that breathes around the
limit is one. Lower makes several events of it, higher joins a peak to the next."""


class Run(NamedTuple):
    """Steps from `first` until before `end`."""

    first: int
    end: int


def runs(mask: Mask) -> list[Run]:
    """The maximal runs of true steps."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return [Run(first, end) for first, end in edges.reshape(-1, 2).tolist()]


def spells(levels: Levels, step_s: float) -> list[Run]:
    """Runs of congestion of one place, those of `HOLDS_S` and more, joined over relief that was never free."""
    found: list[Run] = []
    for run in runs(levels == CONGESTED):
        if (run.end - run.first) * step_s < HOLDS_S:
            continue
        before = found[-1] if found else None
        if before and (run.first - before.end) * step_s <= RELIEF_S and levels[before.end : run.first].min() >= SLOWED:
            found[-1] = Run(before.first, run.end)
        else:
            found.append(run)
    return found


def within(found: list[Run], steps: int, margin: int = 0) -> Mask:
    """Which steps lie in one of the runs, each widened on both sides by `margin`."""
    mask = np.zeros(steps, bool)
    for run in found:
        mask[max(run.first - margin, 0) : run.end + margin] = True
    return mask
