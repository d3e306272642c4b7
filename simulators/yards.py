"""Where lorries and containers stand: lorry parks and yard blocks, filled and emptied by whole moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue
from simulators.demand import Moment
from simulators.noise import smooth_noise

# Share of a lorry park that is taken, by hour: drivers sleep there, leave for the opening, and rest at noon.
_PARK_HOURS = (0, 4, 5.5, 7.5, 10, 12.5, 15, 18, 21, 24)
_PARK_TAKEN = (0.72, 0.78, 0.84, 0.52, 0.42, 0.66, 0.46, 0.5, 0.66, 0.72)
_STAY_S = 5400.0
"""How long a lorry stays by day."""

_TEU_PER_MOVE = 1.6
_MOVES_H = 26.0
"""Moves in and moves out of one block in a busy hour, by lorries and to a ship."""

_PULL = 5.0
"""How strongly a block that is fuller than planned sends more out than it takes in; 0 lets it drift away."""

_PARKING_STREAM, _YARD_STREAM = 3, 4


class Parking:
    """All lorry parks of a catalogue."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "parking")
        self._seed = seed
        self._capacity = np.array([round(sensor.capacity or 50) for sensor in self.sensors], np.int64)
        self._taken: NDArray[np.int64] | None = None
        self._sums = np.zeros((len(self.sensors), 2), np.int64)
        self._marks = self._sums.copy()

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        target = self._target(now)
        if self._taken is None:
            self._taken = np.rint(target).astype(np.int64)
        turnover = self._taken * step_s / _STAY_S * (0.25 if now.hour < 5 or now.hour > 21 else 1.0)  # noqa: PLR2004  night
        missing = (target - self._taken) * step_s / 900
        entries = np.minimum(rng.poisson(turnover + np.maximum(missing, 0)), self._capacity - self._taken)
        exits = np.minimum(rng.poisson(turnover + np.maximum(-missing, 0)), self._taken)
        self._taken += entries - exits
        self._sums += np.stack((entries, exits), axis=1)

    def mark(self, index: int) -> None:
        self._marks[index] = self._sums[index]

    def measure(self, index: int) -> dict[str, float | str | None]:
        entries, exits = (self._sums[index] - self._marks[index]).tolist()
        taken = 0 if self._taken is None else int(self._taken[index])
        return {"occupied": taken, "capacity": int(self._capacity[index]), "entries": entries, "exits": exits}

    def _target(self, now: Moment) -> NDArray[np.float64]:
        wander = 0.06 * smooth_noise(self._seed, _PARKING_STREAM, now.at_s, 4 * 3600, len(self.sensors))
        weekend = 0.8 if now.weekday > 4 else 1.0  # noqa: PLR2004  Saturday
        share = weekend * float(np.interp(now.hour, _PARK_HOURS, _PARK_TAKEN)) + wander
        target: NDArray[np.float64] = np.clip(share, 0.05, 0.98)
        target *= self._capacity
        return target


class Yards:
    """All yard blocks of a catalogue. Ships fill or empty a block for days; lorries work while the gates are open."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "yard")
        self._seed = seed
        self._capacity = np.array([round(sensor.capacity or 3000) for sensor in self.sensors], np.int64)
        self._used: NDArray[np.int64] | None = None
        self._sums = np.zeros((len(self.sensors), 2), np.int64)
        self._marks = self._sums.copy()

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        n, hours = len(self.sensors), step_s / 3600
        plan = 0.655 + 0.055 * smooth_noise(self._seed, _YARD_STREAM, now.at_s, 36 * 3600, n)
        if self._used is None:
            self._used = np.rint(plan * self._capacity).astype(np.int64)
        ship = np.maximum(smooth_noise(self._seed, _YARD_STREAM + 100, now.at_s, 9 * 3600, n), 0.0)
        busy = _MOVES_H * (0.12 + 13 * now.gates() + 0.6 * ship)
        excess = _PULL * (self._used / self._capacity - plan)
        moves_in = rng.poisson(busy * np.clip(1 - excess, 0.1, 1.9) * hours)
        moves_out = rng.poisson(busy * np.clip(1 + excess, 0.1, 1.9) * hours)
        used = self._used + _teu(moves_in, rng) - _teu(moves_out, rng)
        self._used = np.clip(used, 0, self._capacity)
        self._sums += np.stack((moves_in, moves_out), axis=1)

    def mark(self, index: int) -> None:
        self._marks[index] = self._sums[index]

    def measure(self, index: int) -> dict[str, float | str | None]:
        moves_in, moves_out = (self._sums[index] - self._marks[index]).tolist()
        used = 0 if self._used is None else int(self._used[index])
        return {
            "teu_used": used,
            "teu_capacity": int(self._capacity[index]),
            "moves_in": moves_in,
            "moves_out": moves_out,
        }


def _teu(moves: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Each move is a box of one or two TEU."""
    return moves + rng.binomial(moves, _TEU_PER_MOVE - 1)
