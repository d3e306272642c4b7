"""What the weather and the ships decide: wind, cranes that stop in it, racks of refrigerated containers.

All of it is a function of instant and seed, so it needs no history.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sensors.catalogue import Catalogue
from simulators.demand import Moment
from simulators.noise import smooth_noise

Values = dict[str, float | str | None]
Measure = Callable[[int, int, float, int], Values]
"""A reading from seed, index, instant (Unix seconds) and how many sensors of the kind there are."""

STOP_MS = 20.0
"""Mean wind at which cranes stop; terminals stop at 20 to 25 m/s."""

_STOP_GUST_MS = 27.0
_MISTRAL_DEG, _SEA_BREEZE_DEG = 325.0, 200.0
_MISTRAL_ALL_MS, _MISTRAL_FROM, _MISTRAL_SLOPE = 24.0, 0.35, 9.0
"""A mistral needs its weather to be above `_MISTRAL_FROM` deviations: about one day in three, as in Provence."""

_DEFROST_EVERY_S, _DEFROST_S, _DEFROST_C = 12 * 3600.0, 1800.0, 8.0
_SETPOINTS_C = (-20.0, 2.0, -25.0, 13.5)
_PLUGS = 80
_DAY_S = 86_400.0
_WIND, _CRANE, _REEFER = 5, 6, 7


class Momentary:
    """All sensors of one kind whose reading depends on the instant alone."""

    def __init__(self, catalogue: Catalogue, seed: int, kind: str, measure: Measure) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == kind)
        self._seed = seed
        self._measure = measure
        self._at_s = 0.0

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        del step_s, rng
        self._at_s = now.at_s

    def mark(self, index: int) -> None:
        """Nothing is counted between two readings."""

    def measure(self, index: int) -> Values:
        return self._measure(self._seed, index, self._at_s, len(self.sensors))


def wind(seed: int, index: int, at_s: float, n: int) -> Values:
    """Wind at a quay: a mistral for days, else a sea breeze in the afternoon; all places see the same weather."""
    mistral = _mistral_ms(seed, at_s)
    breeze = 2.2 + 3.2 * max(0.0, math.sin(2 * math.pi * (at_s / _DAY_S - 0.32)))
    local = 1 + 0.08 * _noise(seed, _WIND + 200, at_s, 600, n, index)
    mean = float(np.clip(max(mistral, breeze) * local, 0.2, 40.0))
    gusty = 1.25 + 0.12 * abs(_noise(seed, _WIND + 300, at_s, 120, n, index)) + 0.1 * (mistral > breeze)
    towards = _MISTRAL_DEG if mistral > breeze else _SEA_BREEZE_DEG
    degrees = (towards + 12 * _noise(seed, _WIND + 400, at_s, 900, n, index)) % 360
    return {"mean_ms": round(mean, 1), "gust_ms": round(mean * gusty, 1), "direction_deg": round(float(degrees), 0)}


def crane(seed: int, index: int, at_s: float, n: int) -> Values:
    """A crane works while its ship is there, 20 to 35 moves an hour, and stops in wind."""
    mean = _mistral_ms(seed, at_s)
    gust = mean * (1.3 + 0.1 * _noise(seed, _CRANE + 300, at_s, 300))
    if mean > STOP_MS or gust > _STOP_GUST_MS:
        return {"moves_h": 0.0, "cycle_s": None, "idle_share": 1.0, "state": "wind_stop"}
    ship = _noise(seed, _CRANE + 100, at_s, 8 * 3600, n, index)
    if ship < -0.6:  # noqa: PLR2004  in seven hours of ten there is a ship
        return {"moves_h": 0.0, "cycle_s": None, "idle_share": 1.0, "state": "idle"}
    cycle_s = float(np.clip(115 + 9 * _noise(seed, _CRANE + 200, at_s, 900, n, index), 100, 150))
    idle = float(np.clip(0.1 + 0.05 * _noise(seed, _CRANE + 400, at_s, 600, n, index), 0.04, 0.35))
    moves_h = 3600 / cycle_s * (1 - idle)
    return {
        "moves_h": round(moves_h, 1),
        "cycle_s": round(cycle_s, 1),
        "idle_share": round(idle, 3),
        "state": "working",
    }


def reefer(seed: int, index: int, at_s: float, n: int) -> Values:
    """A rack: return air within 2 degrees of the setpoint, except for half an hour of defrost every twelve hours."""
    setpoint = _SETPOINTS_C[index % len(_SETPOINTS_C)]
    small = _noise(seed, _REEFER, at_s, 900, n, index)
    into = (at_s + index * _DEFROST_EVERY_S / max(n, 1)) % _DEFROST_EVERY_S
    defrost = _DEFROST_C * math.sin(math.pi * into / _DEFROST_S) if into < _DEFROST_S else 0.0
    plugs = round(float(np.clip(52 + 9 * _noise(seed, _REEFER + 100, at_s, 6 * 3600, n, index), 5, _PLUGS)))
    failed = _noise(seed, _REEFER + 200, at_s, 12 * 3600, n, index) > 1.7  # noqa: PLR2004  a few hours a week
    return {
        "setpoint_c": setpoint,
        "supply_c": round(setpoint - 0.4 + 0.15 * small + 0.5 * defrost, 2),
        "return_c": round(setpoint + 0.8 + 0.25 * small + defrost, 2),
        "ambient_c": round(_ambient_c(seed, at_s), 1),
        "plugs_used": plugs,
        "plugs_failed": int(failed),
    }


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


def _noise(seed: int, stream: int, at_s: float, knot_s: float, n: int = 1, index: int = 0) -> float:  # noqa: PLR0917
    """The noise of one of N sensors; by default one that all share."""
    return float(smooth_noise(seed, stream, at_s, knot_s, n)[index])
