"""The cell transmission model of road traffic, with several commodities, exact to a millionth of a vehicle.

C. F. Daganzo, "The cell transmission model", Transportation Research B 28 (1994) 269-287 and 29 (1995) 79-93. The
fundamental diagram of a cell is a triangle in car units: free speed, capacity, and jam density, where a lorry takes the
room of 1.7 cars. A cell sends what its vehicles can drive, at most its capacity, and receives what finds room. On one
lane vehicles leave in the order they came, so one that cannot turn where it wants stops those behind it; of several
lanes one is stopped.

Vehicles are counted in millionths, as whole numbers in float64, which adds and subtracts them exactly below 2**53.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from simulators.network import JAM_CARS, LORRY_CARS, ROAD_STEP_S, Floats, Network

UNIT: Final = 1_000_000.0
"""Parts of one vehicle."""


class Cells:
    """The vehicles on all roads of a network. `vehicles` is K,C+O: in the cells, then before the origins."""

    def __init__(self, network: Network) -> None:
        self.network = network
        net, hours = network, ROAD_STEP_S / 3600
        self.cells, sources = len(net.length_km), len(net.length_km) + len(net.origins)
        self.vehicles = np.zeros((net.shares.shape[0], sources))
        self.cars_each = np.array([1.0] + [LORRY_CARS] * (len(self.vehicles) - 1))
        self._rate = np.concatenate([net.free_kmh * hours / net.length_km, np.ones(len(net.origins))])
        self.jam = JAM_CARS * net.lanes * net.length_km * UNIT
        critical = net.capacity_h / net.free_kmh
        self._wave = net.capacity_h / (JAM_CARS * net.lanes - critical) * hours / net.length_km
        self._capacity = net.capacity_h * hours * UNIT
        self._starts = np.flatnonzero(np.diff(net.source, prepend=-1))
        self._group = np.cumsum(np.diff(net.source, prepend=-1) != 0) - 1
        self._sources = net.source[self._starts]
        lanes = np.append(net.lanes, np.ones(len(net.origins)))
        self._beside = 1 - 1 / lanes[net.source]
        self._by_receiver = np.argsort(net.receiver, kind="stable")
        reached = net.receiver[self._by_receiver]
        self._reached = np.flatnonzero(np.diff(reached, prepend=-1))
        self._receivers = reached[self._reached]
        self._ends = np.zeros(self.cells, bool)
        self._ends[net.last] = True
        self._limits = np.concatenate([self._capacity, self._origin_capacity()])
        self._limits[net.last] = np.minimum(self._capacity[net.last], net.narrow_h * hours * UNIT)
        self._supply = np.full(len(net.sections) + 1 + len(net.gates), np.inf)
        self.shares = net.shares
        self.left = np.zeros((len(self.vehicles), self.cells))
        self.ratio = np.ones(self.cells)

    def _origin_capacity(self) -> Floats:
        """An origin sends at most what the roads behind it carry together."""
        net, per_step = self.network, np.zeros(len(self.network.origins))
        capacity = np.append(self._capacity[net.first], [UNIT * 100] * (1 + len(net.gates)))
        here = net.source >= self.cells
        np.add.at(per_step, net.source[here] - self.cells, capacity[net.receiver[here]])
        return per_step

    def step(self, kept: Floats | None, gate_room: Floats) -> Floats:
        """Drive for one step; `kept` is each cell's share of its capacity, None for all of it.

        `gate_room` is G vehicles; returns K,R what each receiver beyond the roads got: outside, then the gates.
        """
        vehicles = self.vehicles
        occupied = self.cars_each @ vehicles
        limits, capacity = self._limits, self._capacity
        if kept is not None:
            capacity = capacity * kept
            limits = np.concatenate([limits[: self.cells] * kept, limits[self.cells :]])
        wants = occupied * self._rate
        sends = np.minimum(wants, limits) / np.maximum(occupied, 1.0)
        room = np.maximum(np.minimum(capacity, self._wave * (self.jam - occupied[: self.cells])), 0.0)
        inner = self._inner(sends[: self.cells], occupied[: self.cells], room)
        turned = self._turn(sends, room, gate_room)
        leaves = np.add.reduceat(turned, self._starts, axis=1) if turned.size else turned
        vehicles[:, : self.cells] -= inner
        vehicles[:, 1 : self.cells] += inner[:, :-1]
        vehicles[:, self._sources] -= leaves
        beyond = self._arrive(turned)
        on_road = self._sources < self.cells
        inner[:, self._sources[on_road]] += leaves[:, on_road]
        self.left = inner
        driven = (self.cars_each @ inner) / np.maximum(wants[: self.cells], 1.0)
        self.ratio = np.where(occupied[: self.cells] < UNIT / 100, 1.0, np.minimum(driven, 1.0))
        return beyond

    def _inner(self, sends: Floats, occupied: Floats, room: Floats) -> Floats:
        """K,C vehicles that drive on to the next cell of their section."""
        fits = np.append(room[1:], 0.0) / np.maximum(occupied, 1.0)
        part = np.where(self._ends, 0.0, np.minimum(sends, fits))
        moved: Floats = np.floor(self.vehicles[:, : self.cells] * part)
        return moved

    def _turn(self, sends: Floats, room: Floats, gate_room: Floats) -> Floats:
        """K,M vehicles that pass a junction: receivers share their room by what wants in, sources keep their order."""
        net = self.network
        wants = self.shares * (self.vehicles * sends)[:, net.source]
        weight = self.cars_each @ wants
        supply = self._supply
        supply[: len(net.sections)] = room[net.first]
        supply[len(net.sections) + 1 :] = gate_room * LORRY_CARS * UNIT
        asked = np.bincount(net.receiver, weight, minlength=len(supply))
        part = np.minimum(supply / np.maximum(asked, 1.0), 1.0)[net.receiver]
        part[weight <= 0] = 1.0
        if not len(part):
            return wants
        slowest = np.minimum.reduceat(part, self._starts)[self._group]
        turned: Floats = np.floor(wants * (slowest + (part - slowest) * self._beside))
        return turned

    def _arrive(self, turned: Floats) -> Floats:
        got = np.zeros((len(self.vehicles), len(self._supply)))
        if turned.size:
            got[:, self._receivers] = np.add.reduceat(turned[:, self._by_receiver], self._reached, axis=1)
        roads = len(self.network.sections)
        self.vehicles[:, self.network.first] += got[:, :roads]
        return got[:, roads:]
