"""What the weather and the ships decide: wind, cranes that stop in it, racks of refrigerated containers.

All of it is a function of instant and seed (and of what intervenes), so it needs no history. Arrays are N, one entry a
sensor of the kind.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sensors.catalogue import Catalogue
from simulators.family import Output
from simulators.interventions import Interventions
from simulators.network import Floats, Ints
from simulators.noise import smooth_noise
from simulators.profile import Moment

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

    outputs = (Output("mean_ms"), Output("gust_ms"), Output("direction_deg"))

    def __init__(self, catalogue: Catalogue, seed: int, interventions: Interventions) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "wind")
        self._seed, self._interventions = seed, interventions
        self._at_s = 0.0

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        del step_s, rng
        self._at_s = now.at_s

    def mistral_ms(self, at_s: float) -> float:
        """The mistral of the region, at least what intervenes."""
        return max(_mistral_ms(self._seed, at_s), self._interventions.largest(at_s, "wind", ""))

    def state(self) -> Floats:
        """Mean, gust and direction of now."""
        return self._all(self._at_s).T

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        del member, before
        return np.column_stack((np.round(after[:, :2], 1), np.round(after[:, 2], 0)))

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

    outputs = (
        Output("moves_h"),
        Output("cycle_s"),
        Output("idle_share"),
        Output("state", choices=("working", "idle", "wind_stop")),
    )

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

    def state(self) -> Floats:
        """What each crane does now."""
        return np.column_stack((self.moves_h, self.cycle_s, self.idle, self.wind_stop))

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        del member, before
        moves_h, cycle_s, idle, wind_stop = after.T
        works = moves_h > 0
        return np.column_stack(
            (
                np.round(moves_h, 1),
                np.where(works, np.round(cycle_s, 1), np.nan),
                np.where(works, np.round(idle, 3), 1.0),
                np.where(works, 0.0, 1.0 + wind_stop),
            )
        )

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

    outputs = (
        Output("setpoint_c"),
        Output("supply_c"),
        Output("return_c"),
        Output("ambient_c"),
        Output("plugs_used", whole=True),
        Output("plugs_failed", whole=True),
    )

    def __init__(self, catalogue: Catalogue, seed: int, interventions: Interventions) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "reefer")
        self._seed, self._interventions = seed, interventions
        self._at_s = 0.0
        places = np.arange(len(self.sensors)) % len(_SETPOINTS_C)
        self._setpoint_c = np.array(_SETPOINTS_C)[places]

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        del step_s, rng
        self._at_s = now.at_s

    def state(self) -> Floats:
        """The readings of now: nothing is counted between two of them."""
        seed, at_s, n = self._seed, self._at_s, len(self.sensors)
        noises = ((_REEFER, 900.0), (_REEFER + 100, 6 * 3600.0), (_REEFER + 200, 12 * 3600.0))
        small, used, fails = (smooth_noise(seed, stream, at_s, knot_s, n) for stream, knot_s in noises)
        ambient = _ambient_c(seed, at_s)
        into = (at_s + np.arange(n) * _DEFROST_EVERY_S / max(n, 1)) % _DEFROST_EVERY_S
        defrost = np.where(into < _DEFROST_S, _DEFROST_C * np.sin(np.pi * into / _DEFROST_S), 0.0)
        plugs = np.rint(np.clip(52 + 9 * used, 5, _PLUGS))
        tripped, warmth = self._tripped(at_s, ambient - self._setpoint_c)
        supply = self._setpoint_c - 0.4 + 0.15 * small + 0.5 * defrost + 1.1 * warmth
        back = self._setpoint_c + 0.8 + 0.25 * small + defrost + warmth
        failed = np.maximum(np.rint(tripped * plugs), fails > _PLUG_FAILS)
        return np.column_stack((self._setpoint_c, supply, back, np.full(n, ambient), plugs, failed))

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        del member, before
        return np.column_stack((after[:, 0], np.round(after[:, 1:3], 2), np.round(after[:, 3], 1), after[:, 4:]))

    def _tripped(self, at_s: float, gap_c: Floats) -> tuple[Floats, Floats]:
        """The share of plugs without power now, and by how much that has warmed each rack."""
        share, warmth = np.zeros(len(self.sensors)), np.zeros(len(self.sensors))
        for trip in self._interventions.of(at_s, "reefer_trip"):
            here = np.array([trip.where in (sensor.id, sensor.site) for sensor in self.sensors], bool)
            warms = gap_c * trip.size * (1 - math.exp((trip.start_s - at_s) / _WARMS_S))
            share, warmth = np.where(here, np.maximum(share, trip.size), share), np.where(here, warmth + warms, warmth)
        return share, warmth


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
