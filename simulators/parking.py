"""Lorry parks: filled and emptied by whole lorries."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue
from simulators.family import Output
from simulators.network import Floats, Ints
from simulators.noise import smooth_noise
from simulators.profile import Moment

# Share of a lorry park that is taken, by hour: drivers sleep there, leave for the opening, and rest at noon.
_PARK_HOURS: Final = (0, 4, 5.5, 7.5, 10, 12.5, 15, 18, 21, 24)
_PARK_TAKEN: Final = (0.72, 0.78, 0.84, 0.52, 0.42, 0.66, 0.46, 0.5, 0.66, 0.72)
_STAY_S: Final = 5400.0
"""How long a lorry stays by day."""

_NIGHT_H: Final = (5, 21)
_EVERY_S: Final = 60.0
_SATURDAY: Final = 5
_STREAM: Final = 3


class Parking:
    """All lorry parks of a catalogue."""

    outputs = tuple(Output(name, whole=True) for name in ("occupied", "capacity", "entries", "exits"))

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "parking")
        self._seed = seed
        self._capacity = np.array([round(sensor.capacity or 50) for sensor in self.sensors], np.int64)
        self._taken: NDArray[np.int64] | None = None
        self._sums = np.zeros((len(self.sensors), 2), np.int64)

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        if self._taken is not None and now.at_s % _EVERY_S:
            return
        step_s = max(step_s, _EVERY_S)
        target = self._target(now)
        if self._taken is None:
            self._taken = np.rint(target).astype(np.int64)
        night = now.hour < _NIGHT_H[0] or now.hour > _NIGHT_H[1]
        turnover = self._taken * step_s / _STAY_S * (0.25 if night else 1.0)
        missing = (target - self._taken) * step_s / 900
        entries = np.minimum(rng.poisson(turnover + np.maximum(missing, 0)), self._capacity - self._taken)
        exits = np.minimum(rng.poisson(turnover + np.maximum(-missing, 0)), self._taken)
        self._taken += entries - exits
        self._sums += np.stack((entries, exits), axis=1)

    def fill(self) -> Floats:
        """Share of the spaces that is taken."""
        return self.state()[:, 2] / np.maximum(self._capacity, 1)

    def state(self) -> Floats:
        """Entries and exits since the start, spaces that are taken."""
        taken = np.zeros(len(self.sensors)) if self._taken is None else self._taken
        return np.column_stack((self._sums, taken))

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        return np.column_stack((after[:, 2], self._capacity[member], after[:, :2] - before[:, :2]))

    def _target(self, now: Moment) -> NDArray[np.float64]:
        wander = 0.06 * smooth_noise(self._seed, _STREAM, now.at_s, 4 * 3600, len(self.sensors))
        weekend = 0.8 if now.weekday >= _SATURDAY else 1.0
        share = weekend * float(np.interp(now.hour, _PARK_HOURS, _PARK_TAKEN)) + wander
        target: NDArray[np.float64] = np.clip(share, 0.05, 0.98)
        target *= self._capacity
        return target
