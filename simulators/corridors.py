"""Travel times between two Bluetooth readers: what the traffic of the road between them needs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue, Corridor
from simulators.demand import Demand, Moment
from simulators.traffic import Traffic

_MATCHED = 0.3
"""Share of vehicles that are seen at both ends: 20 to 40 %."""

_THROUGH = 0.8
"""Share of those at one end that drive on to the other."""

_LANES = 2.0
"""Readers see all lanes, a road sensor one."""

_MEMORY_S = 240.0
"""Vehicles arrive after they met the traffic: speeds are those of the last minutes."""

_SLOWEST_KMH = 3.0


class Corridors:
    """All corridors of a catalogue, fed by the same traffic as the road sensors. Arrays are C; weights are C,S."""

    def __init__(self, catalogue: Catalogue, demand: Demand, traffic: Traffic) -> None:
        self.corridors = catalogue.corridors
        self._traffic = traffic
        sites = [_sites(corridor, demand) for corridor in self.corridors]
        self._weights = np.array([_weights(legs, traffic) for legs in sites]).reshape(len(sites), len(traffic.sensors))
        self._length_km = np.array([corridor.length_km for corridor in self.corridors])
        self._travel_s = np.zeros(len(sites))
        self._sums = np.zeros(len(sites), np.int64)
        self._marks = self._sums.copy()

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        """Move each travel time towards what the present speeds give, and match the vehicles of this step."""
        del now
        slowness = self._weights @ (1 / np.maximum(self._traffic.speed_kmh, _SLOWEST_KMH))
        travel_s = self._length_km * slowness * 3600
        known = self._travel_s > 0
        self._travel_s += np.where(known, step_s / _MEMORY_S, 1.0) * (travel_s - self._travel_s)
        flow = self._weights @ self._traffic.flow_veh_h
        self._sums += rng.poisson(flow * _LANES * _MATCHED * _THROUGH * step_s / 3600)

    def mark(self, index: int) -> None:
        self._marks[index] = self._sums[index]

    def measure(self, index: int) -> dict[str, float | str | None]:
        """Median and 85th percentile of the vehicles that were matched; without any, only that there were none."""
        matches = int(self._sums[index] - self._marks[index])
        median_s = float(self._travel_s[index])
        if not matches or not median_s:
            return {"median_s": None, "p85_s": None, "matches": 0}
        spread = 1.12 + 0.3 / math.sqrt(matches)
        return {"median_s": round(median_s, 1), "p85_s": round(median_s * spread, 1), "matches": matches}


def _sites(corridor: Corridor, demand: Demand) -> tuple[str, set[str]]:
    """The direction of travel and the sites that a corridor passes; only its ends when no road leads along it."""
    for road in demand.roads:
        for way in road.ways:
            if _leads(way.sites, corridor):
                start, end = way.sites.index(corridor.from_site), way.sites.index(corridor.to_site)
                return way.direction, set(way.sites[start : end + 1])
    return "", {corridor.from_site, corridor.to_site}


def _leads(sites: tuple[str, ...], corridor: Corridor) -> bool:
    ends = (corridor.from_site, corridor.to_site)
    return all(end in sites for end in ends) and sites.index(ends[0]) < sites.index(ends[1])


def _weights(legs: tuple[str, set[str]], traffic: Traffic) -> NDArray[np.float64]:
    """How much each sensor tells of the corridor: the same for all on its way; the ends where the way has none."""
    direction, sites = legs
    on_way = np.array([s.site in sites and s.direction == direction for s in traffic.sensors], np.float64)
    if not on_way.any():
        on_way = np.array([s.site in sites for s in traffic.sensors], np.float64)
    on_way /= max(on_way.sum(), 1.0)
    return on_way
