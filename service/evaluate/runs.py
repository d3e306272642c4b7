"""Maximal runs of a mask over time, of many stations at once, and which of them touch which.

Runs lie on one line: every station has a stretch of its own there, far enough from the next that widened runs of two
stations never touch. So "touches" is a search in two sorted arrays, whatever the number of stations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs in order of station, then time; first, last: int64 places on the line, both inside the run."""

    first: Places
    last: Places

    def __len__(self) -> int:
        return len(self.first)

    def widened(self, steps: int) -> Runs:
        """Each run with `steps` more on both sides; they may overlap then."""
        return Runs(self.first - steps, self.last + steps)

    def touched_by(self, others: Runs) -> Places:
        """How many of `others` each run has a place in common with. Both in order, as `runs_of` and `widened` give."""
        return np.searchsorted(others.first, self.last, "right") - np.searchsorted(others.last, self.first, "left")

    def earliest(self, others: Runs) -> Places:
        """The index of the first of `others` that does not end before each run; one that touches, where one does."""
        return np.searchsorted(others.last, self.first, "left").astype(np.int64)


def runs_of(mask: Mask) -> Runs:
    """Find the maximal runs of a mask (times, stations)."""
    times, stations = mask.shape
    line = np.zeros((stations, _stretch(times)), np.int8)
    line[:, times : 2 * times] = mask.T
    steps = np.diff(line.ravel(), prepend=np.int8(0))
    return Runs(np.flatnonzero(steps > 0), np.flatnonzero(steps < 0) - 1)


def _stretch(times: int) -> int:
    """Places of a station: its times between twice as many empty ones, so that no sensible widening leaves them."""
    return 3 * times + 1
