"""The true state of the world at one step, before any sensor: what congestion is defined on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.cells import UNIT
from simulators.gates import Gates
from simulators.loops import Loops
from simulators.network import Floats
from simulators.parking import Parking
from simulators.quay import Cranes, Reefers
from simulators.roads import Roads
from simulators.yards import Yards

_NOBODY = UNIT / 2
"""With less than half a car on it, a road is free."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything at `at_s` (Unix seconds).

    S sections with the mean speed of their vehicles over free speed, the vehicles on them, and how many cars and
    lorries have come to their ends since the world was built; C cells with their section, the same ratio, and density
    in cars per km; road sensors with the cell that each sees; G gates with queue and wait; Y blocks with the share that
    is full, and TEU; lorry parks with theirs; cranes, and whether wind stops them; racks, and plugs without power.
    """

    at_s: float
    sections: tuple[str, ...]
    speed_ratio: Floats
    vehicles: Floats
    cars_passed: Floats
    lorries_passed: Floats
    cell_section: NDArray[np.intp]
    cell_ratio: Floats
    cell_cars_km: Floats
    loops: tuple[str, ...]
    loop_cell: NDArray[np.intp]
    gates: tuple[str, ...]
    gate_queue: NDArray[np.int64]
    gate_wait_s: Floats
    yards: tuple[str, ...]
    yard_fill: Floats
    yard_teu: NDArray[np.int64]
    parks: tuple[str, ...]
    park_fill: Floats
    cranes: tuple[str, ...]
    crane_stopped: NDArray[np.bool_]
    racks: tuple[str, ...]
    rack_failed: Floats


@dataclass(frozen=True, slots=True)
class Balance:
    """Who came, who is there and who left since the start: vehicles in millionths, lorries at terminals, TEU."""

    entered: int
    on_road: int
    left: int
    to_gates: int
    arriving: int
    before_gates: int
    admitted: int
    inside: int
    leaving: int
    departed: int
    appointments: int
    no_shows: int
    teu_start: int
    teu_in: int
    teu_out: int
    teu_now: int

    @property
    def holds(self) -> bool:
        """Nothing came from nowhere and nothing got lost, to the unit."""
        roads = self.entered == self.on_road + self.left + self.to_gates
        gates = self.to_gates == (self.admitted + self.before_gates) * int(UNIT) + self.arriving
        terminals = self.admitted == self.inside + self.leaving + self.departed
        return roads and gates and terminals and self.teu_start + self.teu_in - self.teu_out == self.teu_now


class Terminals(NamedTuple):
    """What stands beside the roads."""

    gates: Gates
    yards: Yards
    parking: Parking
    cranes: Cranes
    reefers: Reefers


def view(at_s: float, roads: Roads, loops: Loops, terminals: Terminals) -> View:
    gates, yards, parking, cranes, reefers = terminals
    net, n = roads.network, len(roads.network.sections)
    cars = roads.cells.cars_each @ roads.cells.vehicles[:, : roads.cells.cells]
    total = np.bincount(net.cell_section, cars, n)
    driving = np.bincount(net.cell_section, cars * roads.ratio, n)
    return View(
        at_s=at_s,
        sections=net.names,
        speed_ratio=np.where(total < _NOBODY, 1.0, driving / np.maximum(total, 1.0)),
        vehicles=np.bincount(net.cell_section, roads.cells.vehicles[:, : roads.cells.cells].sum(axis=0), n) / UNIT,
        cars_passed=roads.passed[0] / UNIT,
        lorries_passed=roads.passed[1] / UNIT,
        cell_section=net.cell_section,
        cell_ratio=roads.ratio.copy(),
        cell_cars_km=cars / UNIT / net.length_km,
        loops=loops.names,
        loop_cell=loops.cell,
        gates=gates.names,
        gate_queue=gates.queue.copy(),
        gate_wait_s=gates.wait_s(),
        yards=yards.names,
        yard_fill=yards.used / np.maximum(yards.capacity, 1),
        yard_teu=yards.used.copy(),
        parks=tuple(sensor.id for sensor in parking.sensors),
        park_fill=parking.fill(),
        cranes=tuple(sensor.id for sensor in cranes.sensors),
        crane_stopped=cranes.wind_stop.copy(),
        racks=tuple(sensor.id for sensor in reefers.sensors),
        rack_failed=reefers.state()[:, -1],
    )


def balance(roads: Roads, gates: Gates, yards: Yards) -> Balance:
    teu = yards.teu
    return Balance(
        entered=int(roads.entered.sum()),
        on_road=int(roads.cells.vehicles.sum()),
        left=int(roads.left.sum()),
        to_gates=int(roads.to_gates.sum()),
        arriving=int(gates.porch.sum()),
        before_gates=int(gates.coming.sum()),
        admitted=gates.inside.admitted,
        inside=len(gates.inside),
        leaving=int(gates.out.sum()),
        departed=roads.departed,
        appointments=roads.appointments,
        no_shows=roads.no_shows,
        teu_start=teu["start"],
        teu_in=teu["lorries_in"] + teu["other_in"],
        teu_out=teu["lorries_out"] + teu["other_out"],
        teu_now=int(yards.used.sum()),
    )
