"""Road sensors: loops in one lane that count the vehicles of their cell and the time they are covered.

Each keeps sums of vehicles and of the time that they spend on a stretch; flow, speed, density and occupancy follow from
these, so every reading agrees with itself over any interval: occupancy% = 100 x density x effective length.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sensors.catalogue import Catalogue
from sensors.roads import RoadGraph
from simulators.cells import UNIT
from simulators.family import Output
from simulators.network import Floats, Ints
from simulators.noise import smooth_noise
from simulators.profile import Moment
from simulators.roads import Roads
from simulators.routing import CARS, LORRIES
from simulators.sections import watched

CAR_M: Final = 4.5
LORRY_M: Final = 16.5
DETECTOR_M: Final = 2.0
"""The detector's own length adds to each vehicle's."""

_MOST_OCCUPIED: Final = 0.97
"""Moving traffic leaves gaps: above, only standing traffic is."""

_MOST_IN_STEP: Final = 19 / 30
"""Vehicles a second that one lane can pass; 20 in 30 s would be suspect of chatter."""

_CRAWL_KMH: Final = 8.0
"""Below, the time on the loop is that of the vehicles that stand there, not of the few that passed."""

_KEEPS_RIGHT: Final = 0.75
"""Share of the lorries in the right one of two lanes."""

_COUNT_NOISE: Final = 0.8
_RETURN: Final = 0.3
"""Who passes before or after the mean is made up for, by this part in each step."""

_STREAM: Final = 101


class Loops:
    """All road sensors of a catalogue. Arrays are S float64, one lane each."""

    outputs = (
        Output("count", whole=True),
        Output("flow_veh_h"),
        Output("occupancy_pct"),
        Output("speed_kmh"),
        Output("hgv_share"),
    )

    def __init__(self, catalogue: Catalogue, roads: Roads, seed: int) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "traffic")
        self.names = tuple(sensor.id for sensor in self.sensors)
        self._roads, self._seed = roads, seed
        net = roads.network
        place = {section.id: index for index, section in enumerate(net.sections)}
        graph = RoadGraph(catalogue)
        seen = [watched(sensor, graph) for sensor in self.sensors]
        ends = [net.last[place[name]] if at_end else net.first[place[name]] for name, at_end in seen]
        self.cell = np.array(ends, np.intp)
        self._lane = np.array([float(sensor.lane or 1) for sensor in self.sensors])
        self._lanes = np.maximum(net.lanes[self.cell], self._lane)
        free = net.free_kmh[self.cell]
        self._free = np.array([s.free_speed_kmh or 0.0 for s in self.sensors])
        self._free = np.where(self._free > 0, self._free, free)
        self._length_km = net.length_km[self.cell]
        self._owed = np.zeros((2, len(self.sensors)))
        self._sums = np.zeros((len(self.sensors), 5))

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        roads, hours, n = self._roads, step_s / 3600, len(self.sensors)
        share = self._share(now.at_s)
        passing = share * _by_class(roads.flow[:, self.cell]) / UNIT
        standing = share * _by_class(roads.present[:, self.cell]) / UNIT / self._length_km
        speed = self._free * roads.ratio[self.cell]
        count, lorries = self._count(passing, roads.ratio[self.cell], step_s, rng)
        noise = 1 + 0.1 * rng.standard_normal(n) / np.sqrt(np.maximum(count, 1))
        noise += 0.02 * smooth_noise(self._seed, _STREAM, now.at_s, 1800, n)
        speed = np.maximum(speed * np.clip(noise, 0.7, 1.2), 0.1)
        spent = np.where((speed > _CRAWL_KMH) & (passing.sum(axis=0) > 0), count / speed, standing.sum(axis=0) * hours)
        length_km = (CAR_M + (LORRY_M - CAR_M) * lorries / np.maximum(count, 1) + DETECTOR_M) / 1000
        spent = np.where(count > 0, np.minimum(spent, _MOST_OCCUPIED * hours / length_km), spent)
        spent = np.where((count > 0) & (spent < count / (1.3 * self._free)), count / self._free, spent)
        covered = (standing[0] * (CAR_M + DETECTOR_M) + standing[1] * (LORRY_M + DETECTOR_M)) * hours / 1000
        covered = np.where(roads.ratio[self.cell] * self._free > _CRAWL_KMH, 0.0, covered)
        self._sums += np.stack((count, lorries, spent, np.minimum(covered, hours), np.full(n, hours)), axis=1)

    def state(self) -> Floats:
        """Vehicles, lorries, hours that they spent on a km, hours covered by who stands, hours."""
        return self._sums.copy()

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        """What passed; without a vehicle, how long the loop was covered by one that stood."""
        del member
        counted, lorries, spent, covered, hours = (after - before).T
        count = np.rint(counted)
        passed = (count > 0) & (hours > 0)
        share = np.rint(lorries) / np.maximum(count, 1.0)
        length_km = ((1 - share) * CAR_M + share * LORRY_M + DETECTOR_M) / 1000
        busy = np.where(passed, spent * length_km, covered) / np.maximum(hours, 1e-9)
        found = np.empty((len(count), len(self.outputs)))
        found[:, 0] = np.where(hours > 0, count, 0.0)
        found[:, 1] = np.round(np.where(passed, count, 0.0) / np.maximum(hours, 1e-9), 1)
        found[:, 2] = np.round(np.minimum(100 * busy, 100.0), 2)
        found[:, 3] = np.where(passed, np.round(count / np.maximum(spent, 1e-12), 2), np.nan)
        found[:, 4] = np.where(passed, np.round(share, 4), np.nan)
        return found

    def _share(self, at_s: float) -> Floats:
        """2,S the sensor's lane's part of the cars and of the lorries; lanes carry equal numbers of vehicles."""
        right = np.where(self._lane == 1, _KEEPS_RIGHT, np.where(self._lane == 2, 1 - _KEEPS_RIGHT, 0.0))  # noqa: PLR2004
        lorries = np.where(self._lanes > 1, right, 1.0)
        cars_all, lorries_all = _by_class(self._roads.present[:, self.cell])
        cars = (cars_all + lorries_all) / self._lanes - lorries * lorries_all
        cars = np.where(self._lanes > 1, np.clip(cars / np.maximum(cars_all, 1.0), 0.05, 0.95), 1.0)
        for cell, closed in self._roads.narrowed_lanes(at_s).items():
            here, left = self.cell == cell, self._lanes - self._lane
            cars = np.where(here, np.where(left < closed, 0.0, 1 / np.maximum(self._lanes - closed, 1)), cars)
            lorries = np.where(here, np.where(left < closed, 0.0, 1 / np.maximum(self._lanes - closed, 1)), lorries)
        return np.stack((cars, lorries))

    def _count(self, passing: Floats, ratio: Floats, step_s: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Whole vehicles and lorries of one step: free ones come by chance, those in a queue one after the other."""
        mean = np.stack((passing.sum(axis=0), passing[1]))
        chance = _COUNT_NOISE * np.sqrt(mean) * np.where(ratio < 0.7, 0.4, 1.0)  # noqa: PLR2004
        found = np.rint(mean + _RETURN * self._owed + chance * rng.standard_normal(mean.shape))
        found[0] = np.clip(found[0], 0.0, np.floor(_MOST_IN_STEP * step_s))
        found = np.where(mean > 0, found, 0.0)
        found[1] = np.clip(found[1], 0.0, found[0])
        self._owed += mean - found
        return found[0], found[1]


def _by_class(commodities: Floats) -> Floats:
    """2,S cars and lorries of K,S commodities."""
    return np.stack((commodities[CARS], commodities[LORRIES:].sum(axis=0)))
