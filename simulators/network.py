"""The road graph as arrays: cells of sections, origins, receivers and the movements between them at junctions.

Cells of a section lie side by side, in the direction of travel. A cell is at least as long as a vehicle drives freely
in one step, so that nobody leaps over one (Courant, Friedrichs, Lewy).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Section
from simulators.demand import END, Demand
from simulators.routing import Routes

ROAD_STEP_S: Final = 15.0
"""The roads' step: the shortest section, 370 m at 50 km/h, is driven in 27 s."""

JAM_CARS: Final = 120.0
JAM_LORRIES: Final = 70.0
"""Vehicles per km and lane that stand, with gaps (domain: 120 cars, 70 lorries)."""

LORRY_CARS: Final = JAM_CARS / JAM_LORRIES
"""A lorry takes the room of so many cars."""

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Ignoring = dict[str, list[tuple[int, int, float]]]


@dataclass(frozen=True, slots=True)
class Network:
    """C cells, O origins (sources 0..C-1 and C..C+O-1), S sections, G gates, M movements, K commodities.

    `names` are the ids of the sections. Receivers are the S sections, `outside` and the G gates, in this order.
    Movements are in order of their source; `shares` is K,M; `ignoring` holds, per banned section, commodity, movement
    and what is added to its share when nobody keeps the ban.
    """

    sections: tuple[Section, ...]
    names: tuple[str, ...]
    origins: tuple[str, ...]
    gates: tuple[str, ...]
    commodity: dict[str, int]
    cell_section: Ints
    first: Ints
    last: Ints
    length_km: Floats
    free_kmh: Floats
    lanes: Floats
    capacity_h: Floats
    narrow_h: Floats
    source: Ints
    receiver: Ints
    shares: Floats
    ignoring: Ignoring

    @property
    def outside(self) -> int:
        return len(self.sections)

    def gate_receiver(self, place: int) -> int:
        return len(self.sections) + 1 + place


def build(sections: tuple[Section, ...], demand: Demand, gates: tuple[str, ...]) -> tuple[Network, Routes]:
    """Cut the sections into cells and join them at their sites."""
    routes = Routes(sections, demand, gates)
    count = [max(math.floor(s.length_km / (s.free_speed_kmh * ROAD_STEP_S / 3600)), 1) for s in sections]
    last = np.cumsum(count, dtype=np.intp) - 1
    section = np.repeat(np.arange(len(sections), dtype=np.intp), count)
    origins = tuple(sorted({origin.site for origin in demand.origins} | set(gates)))
    lanes = np.array([float(s.lanes) for s in sections])
    lane_h = np.array([demand.road(s.road).capacity_veh_h for s in sections])
    narrow = {b.section: b.capacity_veh_h for b in demand.bottlenecks}
    source, receiver, shares, ignoring = _movements(sections, origins, gates, routes, last)
    network = Network(
        sections=sections,
        names=tuple(section.id for section in sections),
        origins=origins,
        gates=gates,
        commodity=routes.commodity,
        cell_section=section,
        first=last - np.array(count, np.intp) + 1,
        last=last,
        length_km=np.array([s.length_km / n for s, n in zip(sections, count, strict=True)])[section],
        free_kmh=np.array([s.free_speed_kmh for s in sections])[section],
        lanes=lanes[section],
        capacity_h=(lanes * lane_h)[section],
        narrow_h=np.array([narrow.get(s.id, np.inf) for s in sections]),
        source=source,
        receiver=receiver,
        shares=shares,
        ignoring=ignoring,
    )
    return network, routes


def _movements(
    sections: tuple[Section, ...], origins: tuple[str, ...], gates: tuple[str, ...], routes: Routes, last: Ints
) -> tuple[Ints, Ints, Floats, Ignoring]:
    cells = len(last) and int(last[-1]) + 1
    sources = {s.id: int(last[place]) for place, s in enumerate(sections)}
    sources |= {site: cells + place for place, site in enumerate(origins)}
    receivers = {s.id: place for place, s in enumerate(sections)} | {END: len(sections)}
    receivers |= {gate: len(sections) + 1 + place for place, gate in enumerate(gates)}
    kinds = range(routes.commodities)
    table = {(name, kind): routes.shares(name, kind) for name in sources for kind in kinds}
    found = sorted({(sources[name], receivers[to]) for (name, _), shares in table.items() for to in shares})
    place = {movement: index for index, movement in enumerate(found)}
    shares = np.zeros((routes.commodities, len(found)))
    ignoring: dict[str, list[tuple[int, int, float]]] = {name: [] for name in routes.bans}
    for (name, kind), told in table.items():
        for to, part in told.items():
            shares[kind, place[sources[name], receivers[to]]] = part
        for banned in [to for to in told if to in ignoring]:
            free = routes.shares(name, kind, banned)
            for to, part in told.items():
                ignoring[banned].append((kind, place[sources[name], receivers[to]], free.get(to, 0.0) - part))
    pairs = np.array(found, np.intp).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy(), shares, ignoring
