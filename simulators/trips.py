"""Travel times between two Bluetooth readers: from trips that are driven through the cells between them.

Every step one trip starts into each corridor and drives at the speed of the cell where it is. What it took is known
when it arrives, as with real vehicles.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sensors.catalogue import Catalogue
from sensors.roads import RoadGraph
from simulators.cells import UNIT
from simulators.family import Output
from simulators.network import Floats, Ints
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

    outputs = (Output("median_s"), Output("p85_s"), Output("matches", whole=True))

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

    def state(self) -> Floats:
        """Seconds of the trips that arrived, how many, vehicles matched; the last trip, and the chance of now."""
        return np.column_stack((self._sums, self._last_s, self._chance))

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        """Median and 85th percentile of the vehicles that were matched; without any, only that there were none."""
        took, trips, matches = (after[:, :3] - before[:, :3]).T
        last_s, chance = after[:, 3:].T
        known_s = np.where(trips > 0, took / np.maximum(trips, 1.0), last_s)
        median_s = np.where(self._known[member], known_s, self._free_s[member])
        seen, root = (matches > 0) & (median_s > 0), np.sqrt(np.maximum(matches, 1.0))
        median_s = np.where(seen, median_s * (1 + _SPREAD * chance / root), np.nan)
        p85_s = median_s * (1.12 + 0.3 / root)
        return np.column_stack((np.round(median_s, 1), np.round(p85_s, 1), np.where(seen, matches, 0.0)))
