"""Travel times between two Bluetooth readers: from trips that are driven through the cells between them.

Every step one trip starts into each corridor and drives at the speed of the cell where it is. What it took is known
when it arrives, as with real vehicles.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sensors.catalogue import Catalogue
from sensors.roads import RoadGraph
from simulators.cells import UNIT
from simulators.network import Floats
from simulators.profile import Moment
from simulators.roads import Roads

_MATCHED: Final = 0.3
"""Share of vehicles that are seen at both ends: 20 to 40 %."""

_THROUGH: Final = 0.8
"""Share of those at the end that came in at the beginning."""

_MOVES: Final = 2
"""Moves of a trip in one step: it meets each cell on its way."""

_SPREAD: Final = 0.12
"""Drivers differ: deviation of one vehicle's time, as a share."""

_LONGEST_S: Final = 4 * 3600.0
"""Beyond, the vehicle parked on the way."""

_UNKNOWN_KMH: Final = 50.0


class Trips:
    """All corridors of a catalogue. Corridors lie end to end on one line of kilometres; R cells are on it."""

    def __init__(self, catalogue: Catalogue, roads: Roads) -> None:
        self.corridors = catalogue.corridors
        self._roads = roads
        net = roads.network
        place = {section.id: index for index, section in enumerate(net.sections)}
        graph = RoadGraph(catalogue)
        ways = [graph.along(corridor) for corridor in self.corridors]
        cells = [[c for s in way for c in range(net.first[place[s.id]], net.last[place[s.id]] + 1)] for way in ways]
        self._known = np.array([bool(way) for way in ways], bool)
        self._cells = np.array([c for way in cells for c in way], np.intp)
        self._ends = np.cumsum(net.length_km[self._cells]) if len(self._cells) else np.zeros(0)
        count = np.array([len(way) for way in cells], np.intp)
        line = np.concatenate([[0.0], self._ends])
        self._to = line[np.cumsum(count)]
        self._from = line[np.cumsum(count) - count]
        self._exit = np.array([way[-1] if way else 0 for way in cells], np.intp)
        # A corridor's own length counts: sections may be a little longer or shorter.
        lengths = np.array([corridor.length_km for corridor in self.corridors])
        self._stretch = lengths / np.where(self._known, self._to - self._from, lengths)
        self._free_s = lengths / _UNKNOWN_KMH * 3600
        self._at, self._since = np.zeros(0), np.zeros(0)
        self._on = np.zeros(0, np.intp)
        self._last_s = np.zeros(len(ways))
        self._chance = np.zeros(len(ways))
        self._sums = np.zeros((len(ways), 3))
        self._marks = self._sums.copy()

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        """Start, drive and end trips; match the vehicles that leave the corridors in this step."""
        start = np.flatnonzero(self._known)
        self._on = np.concatenate([self._on, start])
        self._at = np.concatenate([self._at, self._from[start]])
        self._since = np.concatenate([self._since, np.full(len(start), now.at_s - step_s)])
        if len(self._on):
            self._drive(now.at_s, step_s)
        self._chance = np.clip(rng.standard_normal(len(self.corridors)), -2.0, 2.0)
        leaving = self._roads.flow[:, self._exit].sum(axis=0) / UNIT if len(self._exit) else np.zeros(0)
        leaving = np.where(self._known, leaving, step_s / 60)
        self._sums[:, 2] += rng.poisson(leaving * _MATCHED * _THROUGH)

    def _drive(self, at_s: float, step_s: float) -> None:
        speed = (self._roads.ratio * self._roads.network.free_kmh)[self._cells] / 3600
        for move in range(1, _MOVES + 1):
            cell = np.minimum(np.searchsorted(self._ends, self._at, "right"), len(speed) - 1)
            self._at += speed[cell] * step_s / _MOVES
            end = self._to[self._on]
            there = self._at >= end
            early = (self._at[there] - end[there]) / np.maximum(speed[cell[there]], 1e-9)
            took = at_s - step_s * (1 - move / _MOVES) - early - self._since[there]
            self._arrive(self._on[there], took * self._stretch[self._on[there]])
            stays = ~there & (at_s - self._since < _LONGEST_S)
            self._on, self._at, self._since = self._on[stays], self._at[stays], self._since[stays]

    def _arrive(self, corridor: np.ndarray[tuple[int], np.dtype[np.intp]], took: Floats) -> None:
        self._last_s[corridor] = took
        np.add.at(self._sums[:, 0], corridor, took)
        np.add.at(self._sums[:, 1], corridor, 1.0)

    def mark(self, index: int) -> None:
        self._marks[index] = self._sums[index]

    def measure(self, index: int) -> dict[str, float | str | None]:
        """Median and 85th percentile of the vehicles that were matched; without any, only that there were none."""
        took, trips, matches = (self._sums[index] - self._marks[index]).tolist()
        known_s = took / trips if trips else float(self._last_s[index])
        median_s = known_s if self._known[index] else float(self._free_s[index])
        if not matches or not median_s:
            return {"median_s": None, "p85_s": None, "matches": 0}
        spread = 1.12 + 0.3 / math.sqrt(matches)
        median_s *= 1 + _SPREAD * float(self._chance[index]) / math.sqrt(matches)
        return {"median_s": round(median_s, 1), "p85_s": round(median_s * spread, 1), "matches": round(matches)}
