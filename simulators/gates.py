"""Terminal gates: lorries arrive by appointment, wait for a lane, go in, stay for their turn and leave.

A queue is arrivals minus departures, the wait is the queue over the served rate. Every lorry that passes is an event:
a visit is the pair of its gate-in and its gate-out, with the container number that the camera reads or misses.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import NamedTuple

import numpy as np

from sensors.catalogue import Catalogue, Sensor
from sensors.container import check_digit
from simulators.demand import OPENS_H, Demand, Moment
from simulators.noise import smooth_noise

LORRY_M = 18.5
"""Road that one waiting lorry takes."""

_SERVICE_S = 88.0
"""A lorry at a lane: 60 to 120 s are normal."""

_TURN_S = (1900.0, 0.35)
"""Median and spread (log) of gate-in to gate-out: 30 min are wanted."""

_READ_RATE = 0.97
"""Cameras read 95 to 99 % of the container numbers."""

_RATE_S = 900.0
"""The served rate is that of the last 15 min."""

_OWNERS = ("CMAU", "MSCU", "MSKU", "HLXU", "TGHU", "TCLU", "TRHU", "GESU")
_DEFAULT_DAY = 300.0
_LANES = 2
_STREAM = 2


class Visit(NamedTuple):
    """A lorry at a terminal."""

    id: str
    container: str | None


class Passage(NamedTuple):
    """One lorry through one lane; `gate` is the index of the gate."""

    gate: int
    at_s: float
    values: dict[str, float | str | None]


class _Gate:
    """The state of one gate: lorries in its queues, lanes, and sums since the start."""

    def __init__(self, sensor: Sensor, lorries_day: float) -> None:
        self.lanes = sensor.lanes or _LANES
        self.lets_in = sensor.direction != "out"
        self.lets_out = sensor.direction != "in"
        self.both = self.lets_in and self.lets_out
        self.lorries_day = lorries_day
        self.room = int((sensor.storage_m or 3700.0) / LORRY_M)
        self.coming = 0
        self.leaving: deque[Visit] = deque()
        self.lanes_open = 0
        self.service_s = _SERVICE_S
        self.served_h = 0.0
        self.credit = 0.0
        self.arrivals = self.departures = 0
        self.mark = (0, 0)

    @property
    def queue(self) -> int:
        return self.coming + len(self.leaving)

    @property
    def wait_s(self) -> float:
        """The queue over the served rate; when hardly anybody was served lately, over what the lanes can do."""
        able_h = max(self.lanes_open, 1) * 3600 / self.service_s
        return self.queue / max(self.served_h, 0.7 * able_h) * 3600


class Gates:
    """All gates of a catalogue and the lorries inside their terminals."""

    def __init__(self, catalogue: Catalogue, demand: Demand, seed: int) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "gate")
        self._seed = seed
        self._gates = [_Gate(sensor, _lorries_day(sensor, self.sensors, demand)) for sensor in self.sensors]
        self._exits = [self._exits_of(sensor) for sensor in self.sensors]
        self._inside: list[tuple[float, int, int, Visit]] = []
        self._visits = 0
        self._passages: list[Passage] = []

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        pace = 1 + 0.12 * smooth_noise(self._seed, _STREAM, now.at_s, 3600, len(self._gates))
        surge = 1 + 0.18 * smooth_noise(self._seed, _STREAM + 100, now.at_s, 7200, len(self._gates))
        self._send_home(now)
        share = now.gates()
        for index, gate in enumerate(self._gates):
            gate.service_s = float(np.clip(_SERVICE_S * pace[index], 60.0, 120.0))
            self._arrive(gate, gate.lorries_day * share, now, step_s * max(float(surge[index]), 0.2), rng)
            gate.lanes_open = self._lanes(gate, gate.lorries_day * share, now)
            self._serve(index, gate, now, step_s, rng)

    def mark(self, index: int) -> None:
        gate = self._gates[index]
        gate.mark = (gate.arrivals, gate.departures)

    def measure(self, index: int) -> dict[str, float | str | None]:
        gate = self._gates[index]
        return {
            "queue_trucks": gate.queue,
            "queue_m": round(gate.queue * LORRY_M, 1),
            "wait_s": round(gate.wait_s, 1),
            "lanes_open": gate.lanes_open,
            "service_s": round(gate.service_s, 1) if gate.lanes_open else None,
            "arrivals": gate.arrivals - gate.mark[0],
            "departures": gate.departures - gate.mark[1],
        }

    def take_passages(self) -> list[Passage]:
        """The passages since the last call, in order of time."""
        passages, self._passages = sorted(self._passages, key=lambda passage: passage.at_s), []
        return passages

    def _exits_of(self, sensor: Sensor) -> list[int]:
        gates = enumerate(zip(self.sensors, self._gates, strict=True))
        return [index for index, (other, gate) in gates if other.site == sensor.site and gate.lets_out]

    def _send_home(self, now: Moment) -> None:
        """Lorries whose turn is done come to an exit."""
        while self._inside and self._inside[0][0] <= now.at_s:
            _, number, entry, visit = heapq.heappop(self._inside)
            exits = self._exits[entry]
            if exits:
                gate = self._gates[exits[number % len(exits)]]
                gate.leaving.append(visit)
                gate.arrivals += 1

    def _arrive(self, gate: _Gate, hourly: float, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        # The first half hour after opening brings those who slept before the gate.
        wanted = rng.poisson(hourly * step_s / 3600) if gate.lets_in and (now.open or now.hour < OPENS_H) else 0
        arrived = min(int(wanted), max(gate.room - gate.queue, 0))
        gate.coming += arrived
        gate.arrivals += arrived

    def _lanes(self, gate: _Gate, hourly: float, now: Moment) -> int:
        """Lanes follow the plan of the day and, one more, a queue; after closing time one lane empties the yard."""
        if not now.open:
            return 1 if gate.leaving or (gate.coming and now.hour >= OPENS_H) else 0
        expected = hourly * (2 if gate.both else 1)
        planned = int(np.ceil(expected * gate.service_s / 3600)) + (gate.queue > 5 * gate.lanes)
        return max(1, min(planned, gate.lanes))

    def _serve(self, index: int, gate: _Gate, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        gate.credit += gate.lanes_open * step_s / gate.service_s * rng.uniform(0.7, 1.3)
        served = min(int(gate.credit), gate.queue)
        gate.credit = gate.credit - served if gate.queue > served else min(gate.credit - served, 1.0)
        for place in range(served):
            at_s = now.at_s - step_s + (place + rng.uniform(0.05, 0.95)) * step_s / served
            self._pass(index, gate, round(at_s, 3), place, rng)
        gate.departures += served
        gate.served_h += (served * 3600 / step_s - gate.served_h) * step_s / _RATE_S

    def _pass(self, index: int, gate: _Gate, at_s: float, place: int, rng: np.random.Generator) -> None:
        out = bool(gate.leaving) and (not gate.coming or place % 2 == 1)
        if out:
            visit = gate.leaving.popleft()
        else:
            gate.coming -= 1
            visit = self._admit(index, at_s, rng)
        values: dict[str, float | str | None] = {
            "lane": self._visits % max(gate.lanes_open, 1) + 1,
            "duration_s": round(gate.service_s * rng.uniform(0.7, 1.4), 1),
            "direction": "out" if out else "in",
            "container": visit.container,
            "visit": visit.id,
        }
        self._passages.append(Passage(index, at_s, values))

    def _admit(self, index: int, at_s: float, rng: np.random.Generator) -> Visit:
        self._visits += 1
        container = container_number(rng) if rng.random() < _READ_RATE else None
        visit = Visit(f"{self.sensors[index].site}-{int(at_s):x}-{self._visits % 4096:x}", container)
        turn_s = _TURN_S[0] * float(np.exp(_TURN_S[1] * rng.standard_normal()))
        heapq.heappush(self._inside, (at_s + turn_s, self._visits, index, visit))
        return visit


def container_number(rng: np.random.Generator) -> str:
    """A container number of ISO 6346 with its check digit."""
    # Of numbers whose remainder is 10 the standard advises against: they share the digit 0 with others.
    number = f"{_OWNERS[rng.integers(len(_OWNERS))]}{rng.integers(1_000_000):06d}"
    return f"{number}{check_digit(number)}"


def _lorries_day(sensor: Sensor, gates: tuple[Sensor, ...], demand: Demand) -> float:
    """A gate's part of its site's lorries, by its part of the lanes in its direction."""
    outwards = sensor.direction == "out"
    beside = [gate for gate in gates if gate.site == sensor.site and (gate.direction == "out") == outwards]
    lanes = sum(gate.lanes or _LANES for gate in beside)
    return demand.gates.get(sensor.site, _DEFAULT_DAY) * (sensor.lanes or _LANES) / lanes
