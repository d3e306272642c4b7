"""What the weather and the ships decide: wind, cranes that stop in it, racks of refrigerated containers.

All of it is a function of instant and seed (and of what intervenes), so it needs no history. Arrays are N, one entry a
sensor of the kind.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sensors.catalogue import Catalogue
from simulators.interventions import Interventions
from simulators.network import Floats
from simulators.noise import smooth_noise
from simulators.profile import Moment

Values = dict[str, float | str | None]

STOP_MS: Final = 20.0
"""Mean wind at which cranes stop; terminals stop at 20 to 25 m/s."""

_STOP_GUST_MS: Final = 27.0
_MISTRAL_DEG, _SEA_BREEZE_DEG = 325.0, 200.0
_MISTRAL_ALL_MS, _MISTRAL_FROM, _MISTRAL_SLOPE = 24.0, 0.35, 9.0
"""A mistral needs its weather to be above `_MISTRAL_FROM` deviations: about one day in three, as in Provence."""

_NO_SHIP: Final = -0.6
"""In seven hours of ten there is a ship."""

_DEFROST_EVERY_S, _DEFROST_S, _DEFROST_C = 12 * 3600.0, 1800.0, 8.0
_SETPOINTS_C: Final = (-20.0, 2.0, -25.0, 13.5)
_PLUGS: Final = 80
_PLUG_FAILS: Final = 1.7
"""A few hours a week one plug of a rack is without power."""

_WARMS_S: Final = 6 * 3600.0
"""A container without power moves towards the air around it with this time constant."""

_DAY_S: Final = 86_400.0
_WIND, _CRANE, _REEFER = 5, 6, 7


class Wind:
    """All anemometers: a mistral for days, else a sea breeze in the afternoon; all places see the same weather."""

    def __init__(self, catalogue: Catalogue, seed: int, interventions: Interventions) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "wind")
        self._seed, self._interventions = seed, interventions
        self._at_s = 0.0
        self._known: tuple[float, Floats] = (math.nan, np.zeros(0))

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        del step_s, rng
        self._at_s = now.at_s

    def mark(self, index: int) -> None:
        """Nothing is counted between two readings."""

    def mistral_ms(self, at_s: float) -> float:
        """The mistral of the region, at least what intervenes."""
        return max(_mistral_ms(self._seed, at_s), self._interventions.largest(at_s, "wind", ""))

    def measure(self, index: int) -> Values:
        if self._known[0] != self._at_s:
            self._known = (self._at_s, self._all(self._at_s))
        mean, gust, degrees = self._known[1][:, index].tolist()
        return {"mean_ms": round(mean, 1), "gust_ms": round(gust, 1), "direction_deg": round(degrees, 0)}

    def _all(self, at_s: float) -> Floats:
        seed, n = self._seed, len(self.sensors)
        breeze = 2.2 + 3.2 * max(0.0, math.sin(2 * math.pi * (at_s / _DAY_S - 0.32)))
        mistral = np.full(n, self.mistral_ms(at_s))
        for one in self._interventions.of(at_s, "wind"):
            here = np.array([one.where == sensor.id for sensor in self.sensors], bool)
            mistral = np.where(here, np.maximum(mistral, one.size), mistral)
        blows = mistral > breeze
        local = 1 + 0.08 * smooth_noise(seed, _WIND + 200, at_s, 600, n)
        mean = np.clip(np.maximum(mistral, breeze) * local, 0.2, 40.0)
        gusty = 1.25 + 0.12 * np.abs(smooth_noise(seed, _WIND + 300, at_s, 120, n)) + 0.1 * blows
        veer = 12 * smooth_noise(seed, _WIND + 400, at_s, 900, n)
        return np.stack((mean, mean * gusty, (np.where(blows, _MISTRAL_DEG, _SEA_BREEZE_DEG) + veer) % 360))


class Cranes:
    """All cranes: they work while their ship is there, 20 to 35 moves an hour, and stop in wind."""

    _EVERY_S: Final = 60.0

    def __init__(self, catalogue: Catalogue, wind: Wind, seed: int) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "crane")
        self._wind, self._seed = wind, seed
        n = len(self.sensors)
        self.moves_h, self.cycle_s, self.idle = np.zeros(n), np.full(n, 115.0), np.ones(n)
        self.wind_stop = np.zeros(n, bool)

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        """Decide once a minute: what a crane does changes slowly."""
        del step_s, rng
        if now.at_s % self._EVERY_S == 0 and self.sensors:
            self._decide(now.at_s)

    def mark(self, index: int) -> None:
        """A crane reports what it does now."""

    def measure(self, index: int) -> Values:
        if not self.moves_h[index]:
            state = "wind_stop" if self.wind_stop[index] else "idle"
            return {"moves_h": 0.0, "cycle_s": None, "idle_share": 1.0, "state": state}
        return {
            "moves_h": round(float(self.moves_h[index]), 1),
            "cycle_s": round(float(self.cycle_s[index]), 1),
            "idle_share": round(float(self.idle[index]), 3),
            "state": "working",
        }

    def _decide(self, at_s: float) -> None:
        seed, n = self._seed, len(self.sensors)
        mean = self._wind.mistral_ms(at_s)
        gust = mean * (1.3 + 0.1 * float(smooth_noise(seed, _CRANE + 300, at_s, 300, 1)[0]))
        self.wind_stop = np.full(n, mean >= STOP_MS or gust > _STOP_GUST_MS)
        ship = smooth_noise(seed, _CRANE + 100, at_s, 8 * 3600, n) >= _NO_SHIP
        self.cycle_s = np.clip(115 + 9 * smooth_noise(seed, _CRANE + 200, at_s, 900, n), 100, 150)
        self.idle = np.clip(0.1 + 0.05 * smooth_noise(seed, _CRANE + 400, at_s, 600, n), 0.04, 0.35)
        self.moves_h = np.where(ship & ~self.wind_stop, 3600 / self.cycle_s * (1 - self.idle), 0.0)


class Reefers:
    """All racks: return air within 2 degrees of the setpoint, but for half an hour of defrost every twelve hours."""

    def __init__(self, catalogue: Catalogue, seed: int, interventions: Interventions) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "reefer")
        self._seed, self._interventions = seed, interventions
        self._at_s = 0.0
        self._known: tuple[float, Floats] = (math.nan, np.zeros(0))

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        del step_s, rng
        self._at_s = now.at_s

    def mark(self, index: int) -> None:
        """A rack reports its present state."""

    def measure(self, index: int) -> Values:
        seed, at_s, n = self._seed, self._at_s, len(self.sensors)
        if self._known[0] != at_s:
            noises = ((_REEFER, 900.0), (_REEFER + 100, 6 * 3600.0), (_REEFER + 200, 12 * 3600.0))
            self._known = (at_s, np.stack([smooth_noise(seed, stream, at_s, knot, n) for stream, knot in noises]))
        small, used, fails = self._known[1][:, index].tolist()
        setpoint, ambient = _SETPOINTS_C[index % len(_SETPOINTS_C)], _ambient_c(seed, at_s)
        into = (at_s + index * _DEFROST_EVERY_S / n) % _DEFROST_EVERY_S
        defrost = _DEFROST_C * math.sin(math.pi * into / _DEFROST_S) if into < _DEFROST_S else 0.0
        plugs = round(min(max(52 + 9 * used, 5), _PLUGS))
        tripped, warmth = self._tripped(index, at_s, ambient - setpoint)
        return {
            "setpoint_c": setpoint,
            "supply_c": round(setpoint - 0.4 + 0.15 * small + 0.5 * defrost + 1.1 * warmth, 2),
            "return_c": round(setpoint + 0.8 + 0.25 * small + defrost + warmth, 2),
            "ambient_c": round(ambient, 1),
            "plugs_used": plugs,
            "plugs_failed": max(round(tripped * plugs), int(fails > _PLUG_FAILS)),
        }

    def _tripped(self, index: int, at_s: float, gap_c: float) -> tuple[float, float]:
        """The share of plugs without power now, and by how much that has warmed the rack."""
        sensor = self.sensors[index]
        trips = [t for t in self._interventions.of(at_s, "reefer_trip") if t.where in (sensor.id, sensor.site)]
        warmth = [gap_c * t.size * (1 - math.exp((t.start_s - at_s) / _WARMS_S)) for t in trips]
        return max((t.size for t in trips), default=0.0), sum(warmth)


def _mistral_ms(seed: int, at_s: float) -> float:
    """The mistral of the region, 0 when it does not blow; stronger by day than by night."""
    weather = _noise(seed, _WIND, at_s, 40 * 3600)
    hours = _noise(seed, _WIND + 100, at_s, 2 * 3600)
    if weather < _MISTRAL_FROM:
        return 0.0
    by_day = 1 + 0.12 * math.sin(2 * math.pi * (at_s / _DAY_S - 0.3))
    strength = 8.0 + _MISTRAL_SLOPE * (weather - _MISTRAL_FROM) + 1.2 * hours
    return float(np.clip(strength * by_day, 0.0, _MISTRAL_ALL_MS))


def _ambient_c(seed: int, at_s: float) -> float:
    """Air temperature of Marseille: 7 degrees in January to 25 in July, 4 up and down in a day."""
    year = -math.cos(2 * math.pi * (at_s / (365.25 * _DAY_S) - 0.05))
    day = math.sin(2 * math.pi * (at_s / _DAY_S - 0.35))
    return 16 + 9 * year + 4 * day + 1.5 * _noise(seed, _REEFER + 300, at_s, 30 * 3600)


def _noise(seed: int, stream: int, at_s: float, knot_s: float) -> float:
    """Noise that all sensors share."""
    return float(smooth_noise(seed, stream, at_s, knot_s, 1)[0])
