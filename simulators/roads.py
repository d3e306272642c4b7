"""The vehicles of the port: who comes onto the roads, what narrows them, who leaves; driven by the cells."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue
from simulators.cells import UNIT, Cells
from simulators.demand import Demand, GateDemand
from simulators.interventions import InterventionError, Interventions
from simulators.network import ROAD_STEP_S, Floats, Network, build
from simulators.noise import smooth_noise
from simulators.profile import Moment
from simulators.routing import CARS, LORRIES, Routes
from simulators.sections import complete

_STREAM: Final = 1
_WANDER: Final = 0.04
"""How much an origin's hour differs from its ordinary one, as a share."""

_BUNCHED: Final = 0.15
"""How much lorries of one hour and origin are more or fewer than their appointments would have it."""

_OPEN_GATE_DAY: Final = 300.0
"""Lorries a day to a gate that the demand does not name."""

_STANDS: Final = 0.5
"""Below this share of free speed lorries before a gate queue."""


@dataclass(frozen=True, slots=True)
class _Booked:
    """Lorries a day from an origin to a gate, and how long before their appointment they leave it."""

    origin: int
    gate: int
    commodity: int
    lorries_day: float
    lead_s: float


class Roads:
    """All roads of a catalogue. Counts are millionths of vehicles by commodity, whole numbers."""

    def __init__(self, catalogue: Catalogue, demand: Demand, seed: int, interventions: Interventions) -> None:
        self._seed, self._interventions = seed, interventions
        sections, self.demand = complete(catalogue, demand)
        gates = _sites_with_entry(catalogue)
        self.network, routes = build(sections, self.demand, gates)
        self.cells = Cells(self.network)
        self._place = {section.id: place for place, section in enumerate(sections)}
        self._before: dict[str, list[int]] = defaultdict(list)
        for place, section in enumerate(sections):
            self._before[section.to_site].append(place)
        self._origin = {site: place for place, site in enumerate(self.network.origins)}
        known = {origin.site: origin for origin in self.demand.origins}
        found = [known.get(site) for site in self.network.origins]
        self._cars_day = np.array([origin.cars_day if origin else 0.0 for origin in found])
        self._lorries_day = np.array([origin.lorries_day if origin else 0.0 for origin in found])
        self._morning = np.array([origin.morning if origin else 1.0 for origin in found])
        self._booked = [
            booked for site in gates for booked in _bookings(site, self.network, routes, self.demand, self._origin)
        ]
        self._booked_day = np.array([b.lorries_day for b in self._booked])
        self._booked_from = np.array([b.origin for b in self._booked], np.intp)
        self._booked_as = np.array([b.commodity for b in self._booked], np.intp)
        self._leads, self._lead = np.unique(np.array([b.lead_s for b in self._booked]), return_inverse=True)
        self._check_origins()
        commodities = len(self.cells.vehicles)
        self.entered, self.left, self.to_gates = np.zeros(commodities), np.zeros(commodities), np.zeros(commodities)
        self.appointments = self.no_shows = self.departed = 0
        self.flow = np.zeros((commodities, self.cells.cells))
        self.present = self.flow.copy()
        self.ratio = np.ones(self.cells.cells)
        self.passed = np.zeros((2, len(sections)))

    def step(self, now: Moment, step_s: float, rng: np.random.Generator, gate_room: Floats) -> Floats:
        """Drive for one step of the world; returns G millionths of lorries that came to the gates."""
        self._come(now, step_s, rng)
        self.cells.shares = self._shares(now.at_s)
        kept = self._kept(now.at_s)
        came = np.zeros(len(gate_room))
        self.flow, self.present, ratio = np.zeros_like(self.flow), np.zeros_like(self.present), 0.0 * self.ratio
        steps = round(step_s / ROAD_STEP_S)
        for _ in range(steps):
            self._stand(now.at_s)
            beyond = self.cells.step(kept, gate_room - came / UNIT)
            self.left += beyond[:, 0]
            self.to_gates += beyond[:, 1:].sum(axis=1)
            came += beyond[:, 1:].sum(axis=0)
            self.flow += self.cells.left
            self.present += self.cells.vehicles[:, : self.cells.cells] / steps
            ratio += self.cells.ratio / steps
        self.ratio = ratio
        at_end = self.flow[:, self.network.last]
        self.passed += np.stack((at_end[CARS], at_end[LORRIES:].sum(axis=0)))
        return came

    def leave_gate(self, site: str, lorries: int) -> None:
        """Lorries drive from a terminal onto the road."""
        self.departed += lorries
        self.cells.vehicles[LORRIES, self.cells.cells + self._origin[site]] += lorries * UNIT
        self.entered[LORRIES] += lorries * UNIT

    def waiting(self, gate: int) -> float:
        """Lorries that queue for a gate on the sections that end at it."""
        site, commodity = self.network.gates[gate], self.network.commodity[self.network.gates[gate]]
        total = 0.0
        for place in self._before[site]:
            for cell in range(int(self.network.last[place]), int(self.network.first[place]) - 1, -1):
                if self.cells.ratio[cell] > _STANDS:
                    break
                total += float(self.cells.vehicles[commodity, cell])
        return total / UNIT

    def _come(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        hours = step_s / 3600
        busy = now.morning() * self._morning + (1 - now.morning()) * (2 - self._morning)
        wander = 1 + _WANDER * smooth_noise(self._seed, _STREAM, now.at_s, 5400, len(busy))
        wander = np.maximum(wander, 0.0) * hours * self._demanded(now.at_s)
        self._appear(CARS, rng.poisson(self._cars_day * now.cars() * busy * wander))
        self._appear(LORRIES, rng.poisson(self._lorries_day * now.lorries() * wander))
        if self._booked:
            share = np.array([now.gates(lead_s) for lead_s in self._leads.tolist()])[self._lead]
            bunched = 1 + _BUNCHED * smooth_noise(self._seed, _STREAM + 10, now.at_s, 3600, len(self._booked))
            meant = (
                self._booked_day
                * self._surge(now.at_s)
                * share
                * np.clip(bunched, 0.2, 2.0)
                * hours
                / (1 - self.demand.no_shows)
            )
            booked = rng.poisson(meant)
            came = rng.binomial(booked, 1 - self.demand.no_shows)
            self.appointments += int(booked.sum())
            self.no_shows += int(booked.sum() - came.sum())
            np.add.at(self.cells.vehicles, (self._booked_as, self.cells.cells + self._booked_from), came * UNIT)
            np.add.at(self.entered, self._booked_as, came * UNIT)

    def _appear(self, commodity: int, vehicles: NDArray[np.int64]) -> None:
        self.cells.vehicles[commodity, self.cells.cells :] += vehicles * UNIT
        self.entered[commodity] += float(vehicles.sum()) * UNIT

    def _check_origins(self) -> None:
        """A catalogue does not know which of its sites send vehicles."""
        for one in self._interventions.all:
            if one.what == "demand" and one.where not in ("", *self._origin):
                known = ", ".join(site for site in self._origin if ":" not in site)
                raise InterventionError(f"demand: where = {one.where!r} sends no vehicles; expected one of {known}")

    def _demanded(self, at_s: float) -> Floats | float:
        """By how much more vehicles than ordinary come from each origin."""
        busier: Floats | float = 1.0
        for one in self._interventions.of(at_s, "demand"):
            here = np.array([one.where in ("", site) for site in self.network.origins], bool)
            busier = busier * np.where(here, one.size, 1.0)
        return busier

    def _surge(self, at_s: float) -> Floats:
        surge = np.ones(len(self._booked))
        for one in self._interventions.of(at_s, "surge"):
            surge[[self.network.gates[b.gate] == one.where for b in self._booked]] *= one.size
        return surge

    def _shares(self, at_s: float) -> Floats:
        shares = self.network.shares
        if not any(self._interventions.of(at_s, "ban_ignored")):
            return shares
        shares = shares.copy()
        for section, changes in self.network.ignoring.items():
            ignored = min(self._interventions.largest(at_s, "ban_ignored", "", section), 1.0)
            for kind, movement, more in changes if ignored else ():
                shares[kind, movement] += ignored * more
        return shares

    def _kept(self, at_s: float) -> Floats | None:
        """C share of each cell's capacity; None when nothing narrows any."""
        narrowed = list(self._interventions.of(at_s, "incident", "lane_closure", "standing_lorries"))
        if not narrowed:
            return None
        kept = np.ones(self.cells.cells)
        for one in narrowed:
            place = self._place[one.where]
            cell = self.cell_at(place, 1.0 if one.what == "standing_lorries" else one.position)
            lost = one.size / self.network.lanes[cell] if one.what == "lane_closure" else one.size
            kept[cell] *= max(1 - lost, 0.0)
        return kept

    def cell_at(self, place: int, position: float) -> int:
        """The cell at a position, 0 to 1, of a section."""
        first, last = int(self.network.first[place]), int(self.network.last[place])
        return min(first + int(position * (last - first + 1)), last)

    def _stand(self, at_s: float) -> None:
        """Lorries come from the roadside and stand, until their stretch is full."""
        for one in self._interventions.of(at_s, "standing_lorries"):
            cell = int(self.network.last[self._place[one.where]])
            room = self.cells.jam[cell] - float(self.cells.cars_each @ self.cells.vehicles[:, cell])
            more = max(float(np.floor(room / self.cells.cars_each[LORRIES])), 0.0)
            self.cells.vehicles[LORRIES, cell] += more
            self.entered[LORRIES] += more

    def narrowed_lanes(self, at_s: float) -> dict[int, float]:
        """Lanes closed per cell, from the left."""
        found = self._interventions.of(at_s, "lane_closure")
        return {self.cell_at(self._place[one.where], one.position): one.size for one in found}


def _sites_with_entry(catalogue: Catalogue) -> tuple[str, ...]:
    gates = (sensor for sensor in catalogue.sensors if sensor.kind == "gate" and sensor.direction != "out")
    return tuple(dict.fromkeys(gate.site for gate in gates))


def _bookings(site: str, network: Network, routes: Routes, demand: Demand, place: dict[str, int]) -> list[_Booked]:
    """Where the lorries of a gate come from; those without a road to it appear before it."""
    told = demand.gate_by_site.get(site) or GateDemand(site, _OPEN_GATE_DAY, {})
    origins = told.origins if set(told.origins) <= set(place) and told.origins else {site: 1.0}
    found = []
    for origin, share in origins.items():
        lead_s = routes.lead_s(origin, site)
        start = origin if lead_s is not None else site
        found.append(
            _Booked(
                place[start],
                network.gates.index(site),
                network.commodity[site],
                told.lorries_day * share,
                lead_s or 0.0,
            )
        )
    return found
