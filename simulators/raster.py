"""Readings at any instants brought onto a regular grid of times, as a recording has them.

A row holds what was measured in the step that ends at its time: nothing appears before it was known. Several readings
in a step become their mean; that of speeds is weighted by the flow where every one of them has a flow, because it
stands for the vehicles that passed. Where one of them is distrusted it does not count beside one that is not: in a mean
with others a sentinel would look like a speed. A lone reading is kept as it is, whatever is thought of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_WEIGHTED = "speed_kmh"
_WEIGHT = "flow_veh_h"


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` times, `step_s` apart from `start_s` on; Unix seconds."""

    start_s: int
    step_s: int
    count: int

    def times(self) -> NDArray[np.int64]:
        return self.start_s + self.step_s * np.arange(self.count, dtype=np.int64)

    def row_of(self, time_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each instant (microseconds since 1970); outside 0..count-1 where the grid has none."""
        step_us = self.step_s * 1_000_000
        # Rounded up: the step ends at its time.
        return -((self.start_s * 1_000_000 - time_us) // step_us)


class Raster:
    """What is known of N stations at the T times of a grid; fields are named, arrays T,N float32, NaN = missing."""

    def __init__(self, grid: Grid, stations: Sequence[str], fields: Sequence[str]) -> None:
        self.grid = grid
        self._column = {station: column for column, station in enumerate(stations)}
        self._fields = tuple(fields)
        shape = (grid.count, len(self._column))
        self.arrays = {name: np.full(shape, np.nan, np.float32) for name in self._fields}

    def fill(
        self,
        stations: NDArray[np.str_],
        time_us: NDArray[np.int64],
        values: NDArray[np.float32],
        trusted: NDArray[np.bool_],
    ) -> None:
        """Take over n readings: (n,) stations and instants, (n, fields) values, (n,) whether somebody believes them.

        All readings of one step must come in one call; stations and instants that are not on the grid are left out.
        """
        row, column = self.grid.row_of(time_us), self._columns(stations)
        inside = (row >= 0) & (row < self.grid.count) & (column >= 0)
        cell, place = np.unique(row[inside] * len(self._column) + column[inside], return_inverse=True)
        use = trusted[inside] | ~_any(trusted[inside], place, len(cell))[place]
        place, kept = place[use], values[inside][use].astype(np.float64)
        for name in self._fields:
            means = _means(kept[:, self._fields.index(name)], self._weight(name, kept), place, len(cell))
            self.arrays[name].reshape(-1)[cell] = means

    def _columns(self, stations: NDArray[np.str_]) -> NDArray[np.int64]:
        names, place = np.unique(stations, return_inverse=True)
        return np.array([self._column.get(str(name), -1) for name in names], np.int64)[place]

    def _weight(self, name: str, values: Floats) -> Floats:
        if name != _WEIGHTED or _WEIGHT not in self._fields:
            return np.ones(len(values))
        return values[:, self._fields.index(_WEIGHT)]


def _means(values: Floats, weight: Floats, place: NDArray[np.intp], cells: int) -> Floats:
    """(cells,) the mean of the finite values of each cell, NaN where there is none; unweighted where a weight fails."""
    there = np.isfinite(values)
    values, weight, place = values[there], weight[there], place[there]
    unweighted = _any(~(weight > 0), place, cells)[place]
    weight = np.where(unweighted, 1.0, weight)
    total = np.bincount(place, weight, cells)
    # Of one value exactly that: the product of two float32 is exact in a double, and so is its quotient.
    with np.errstate(invalid="ignore"):
        means: Floats = np.bincount(place, weight * values, cells) / total
    return means


def _any(flags: NDArray[np.bool_], place: NDArray[np.intp], cells: int) -> NDArray[np.bool_]:
    return np.bincount(place[flags], minlength=cells) > 0
