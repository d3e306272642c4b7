"""Road traffic: demand by hour and weekday, a triangular fundamental diagram, queues at the known bottlenecks.

Each sensor counts vehicles and the time they spend over a stretch of road; flow, speed, density and occupancy follow
from these two sums, so every reading is consistent with itself over any interval:
occupancy% = 100 x density x effective length, density = flow / speed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue, Sensor
from simulators.demand import Demand, Moment
from simulators.noise import smooth_noise

CAR_M = 4.5
LORRY_M = 16.5
DETECTOR_M = 2.0
"""The detector's own length adds to each vehicle's."""

_JAM_CARS = 120.0
_JAM_LORRIES = 70.0
"""Vehicles per km and lane that stand, with gaps."""

_MOST_OCCUPIED = 0.92
"""Moving traffic leaves gaps: above, only standing traffic is."""

_MOST_IN_STEP = 19 / 30
"""Vehicles a second that one lane can pass; 20 in 30 s would be suspect of chatter."""

_FULL_QUEUE = 12.0
"""Waiting vehicles a lane from which the whole stretch at a bottleneck moves at the queue's speed."""

_LORRIES_IN_LANE = {1: 1.0, 2: 0.3}
"""On two lanes the lorries keep right."""

_STREAM = 1


class Traffic:
    """All road sensors of a catalogue. Arrays are S float64, one lane each."""

    def __init__(self, catalogue: Catalogue, demand: Demand, seed: int) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "traffic")
        self._seed = seed
        roads = [demand.road(sensor.road) for sensor in self.sensors]
        shares = [demand.lorry_share(s.road, s.site) * _LORRIES_IN_LANE.get(s.lane or 1, 1.0) for s in self.sensors]
        self._cars = np.array([r.vehicles_day * (1 - share) for r, share in zip(roads, shares, strict=True)])
        self._lorries = np.array([r.vehicles_day * share for r, share in zip(roads, shares, strict=True)])
        self._morning = np.array([r.way(s.direction).morning for r, s in zip(roads, self.sensors, strict=True)])
        self._free = np.array([s.free_speed_kmh or 50.0 for s in self.sensors])
        self._capacity = np.array([r.capacity_veh_h for r in roads])
        self._narrow = np.array([_narrow(demand, sensor) for sensor in self.sensors])
        self._upstream = _upstream(catalogue, demand, self.sensors)
        self._queue = np.zeros(len(self.sensors))
        self.speed_kmh = self._free.copy()
        self.flow_veh_h = np.zeros(len(self.sensors))
        # Sums since the start: vehicles, lorries, and hours per km that the vehicles spent.
        self._sums = np.zeros((len(self.sensors), 4))
        self._marks = self._sums.copy()

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        hours = step_s / 3600
        flow, share = self._demand(now)
        self._queue = np.maximum(0.0, self._queue + (flow - np.minimum(self._narrow, self._capacity)) * hours)
        jam = _jam_density(share)
        passing, density = self._congest(flow, jam)
        count, lorries = _draw(passing, share, self._queue > 0, step_s, rng)
        noise = 1 + 0.1 * rng.standard_normal(len(count)) / np.sqrt(np.maximum(count, 1))
        noise += 0.02 * smooth_noise(self._seed, _STREAM + 100, now.at_s, 1800, len(count))
        speed = np.minimum(passing / np.maximum(density, 1e-9), self._free) * np.clip(noise, 0.7, 1.2)
        length_km = (CAR_M + (LORRY_M - CAR_M) * lorries / np.maximum(count, 1) + DETECTOR_M) / 1000
        speed = np.maximum(speed, count / hours * length_km / _MOST_OCCUPIED)
        self.speed_kmh, self.flow_veh_h = speed, passing
        self._sums += np.stack((count, lorries, count / speed, np.full(len(count), hours)), axis=1)

    def mark(self, index: int) -> None:
        """The next reading of this sensor starts here."""
        self._marks[index] = self._sums[index]

    def measure(self, index: int) -> dict[str, float | str | None]:
        """What the sensor has seen since its mark."""
        count, lorries, spent, hours = (self._sums[index] - self._marks[index]).tolist()
        count, lorries = round(count), round(lorries)
        if not count or not hours:
            return {"count": 0, "flow_veh_h": 0.0, "occupancy_pct": 0.0, "speed_kmh": None, "hgv_share": None}
        share = lorries / count
        length_km = ((1 - share) * CAR_M + share * LORRY_M + DETECTOR_M) / 1000
        return {
            "count": count,
            "flow_veh_h": round(count / hours, 1),
            "occupancy_pct": round(min(100 * spent / hours * length_km, 100.0), 2),
            "speed_kmh": round(count / spent, 2),
            "hgv_share": round(share, 4),
        }

    def _demand(self, now: Moment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Vehicles an hour that want to pass, and the share of lorries."""
        busy = now.morning() * self._morning + (1 - now.morning()) * (2 - self._morning)
        day = 1 + 0.04 * smooth_noise(self._seed, _STREAM, now.at_s, 5400, len(self.sensors))
        cars, lorries = self._cars * now.cars() * busy * day, self._lorries * now.lorries() * day
        return cars + lorries, lorries / np.maximum(cars + lorries, 1e-9)

    def _congest(
        self, flow: NDArray[np.float64], jam: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Flow and density at each sensor, where queues stand on it from a bottleneck at it or downstream of it."""
        critical = self._capacity / self._free
        wave = self._capacity / np.maximum(jam - critical, 1.0)
        narrow = np.minimum(self._narrow, self._capacity)
        queued = np.maximum(jam - narrow / wave, critical)
        reach_km = self._queue / np.maximum(queued, 1.0)
        covered = np.clip((reach_km[None, :] - self._upstream) / 0.2, 0.0, 1.0)
        np.fill_diagonal(covered, np.clip(self._queue / _FULL_QUEUE, 0.0, 1.0))
        worst = covered.argmax(axis=1) if len(flow) else np.zeros(0, np.intp)
        part = covered[np.arange(len(flow)), worst]
        passing = np.where(part > 0, (1 - part) * np.minimum(flow, narrow) + part * narrow[worst], flow)
        passing = np.minimum(passing, self._capacity)
        in_queue = np.maximum(jam - passing / wave, critical)
        return passing, (1 - part) * passing / self._free + part * in_queue


def _draw(
    flow: NDArray[np.float64],
    share: NDArray[np.float64],
    queued: NDArray[np.bool_],
    step_s: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Vehicles and lorries of one step: free ones come by chance, those in a queue one after the other."""
    mean = flow * step_s / 3600
    even = np.rint(np.maximum(mean + 0.5 * np.sqrt(mean) * rng.standard_normal(len(mean)), 1.0))
    count = np.where(queued, even, rng.poisson(mean))
    count = np.minimum(count, np.floor(_MOST_IN_STEP * step_s))
    return count, rng.binomial(count.astype(np.int64), np.clip(share, 0.0, 1.0)).astype(np.float64)


def _jam_density(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vehicles per km and lane that stand, for a share of lorries."""
    mixed: NDArray[np.float64] = 1 / ((1 - share) / _JAM_CARS + share / _JAM_LORRIES)
    return mixed


def _narrow(demand: Demand, sensor: Sensor) -> float:
    """What the place itself lets pass; infinite where it is as wide as its road."""
    here = (sensor.road, sensor.direction, sensor.site)
    found = [b.capacity_veh_h for b in demand.bottlenecks if (b.road, b.direction, b.site) == here]
    return min(found, default=np.inf)


def _upstream(catalogue: Catalogue, demand: Demand, sensors: Sequence[Sensor]) -> NDArray[np.float64]:
    """S,S km of road from the row's sensor down to the column's; infinite where no queue of the column can come."""
    lengths = {(section.from_site, section.to_site): section.length_km for section in catalogue.sections}
    distance = np.full((len(sensors), len(sensors)), np.inf)
    for row, above in enumerate(sensors):
        sites = demand.road(above.road).way(above.direction).sites
        for column, below in enumerate(sensors):
            if (above.road, above.direction) == (below.road, below.direction):
                distance[row, column] = way_km(sites, above.site, below.site, lengths)
    return distance


def way_km(sites: Sequence[str], start: str, end: str, lengths: dict[tuple[str, str], float]) -> float:
    """Length of the way from `start` down to `end`; infinite where it does not lead there."""
    if start not in sites or end not in sites or sites.index(start) > sites.index(end):
        return np.inf
    legs = sites[sites.index(start) : sites.index(end) + 1]
    return sum(lengths.get(leg, np.inf) for leg in itertools.pairwise(legs))
