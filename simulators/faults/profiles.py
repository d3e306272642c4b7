"""What each kind of sensor measures, as far as faults need to know: which fields leap, fail, count and have a unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from simulators.world import Values

Convert = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Profile:
    """Fields of a kind by the part they play in faults.

    `main` is what the sensor is there for: it leaps and drifts, and while all of it is 0 the sensor tells nothing.
    `measured` is what a failed transducer leaves out or replaces. `counts` can be impossibly high. `units` are those
    that are easily mistaken, with what then comes out.
    """

    main: tuple[str, ...]
    measured: tuple[str, ...]
    counts: tuple[str, ...] = ()
    units: Mapping[str, Convert] = field(default_factory=dict)


def _mph(kmh: float) -> float:
    return kmh / 1.609344


def _minutes(seconds: float) -> float:
    return seconds / 60


def _knots(ms: float) -> float:
    return ms * 3600 / 1852


def _fahrenheit(celsius: float) -> float:
    return celsius * 1.8 + 32


PROFILES: Final[Mapping[str, Profile]] = {
    "traffic": Profile(
        main=("speed_kmh",),
        measured=("flow_veh_h", "occupancy_pct", "speed_kmh"),
        counts=("count",),
        units={"speed_kmh": _mph},
    ),
    "travel_time": Profile(
        main=("median_s", "p85_s"),
        measured=("median_s", "p85_s"),
        counts=("matches",),
        units={"median_s": _minutes, "p85_s": _minutes},
    ),
    "gate": Profile(
        main=("queue_trucks", "queue_m", "wait_s"),
        measured=("queue_trucks", "queue_m", "wait_s"),
        counts=("arrivals", "departures"),
        units={"wait_s": _minutes, "service_s": _minutes},
    ),
    "parking": Profile(main=("occupied",), measured=("occupied",), counts=("entries", "exits")),
    "yard": Profile(main=("teu_used",), measured=("teu_used",), counts=("moves_in", "moves_out")),
    "reefer": Profile(
        main=("supply_c", "return_c"),
        measured=("supply_c", "return_c", "ambient_c"),
        units=dict.fromkeys(("setpoint_c", "supply_c", "return_c", "ambient_c"), _fahrenheit),
    ),
    "crane": Profile(
        main=("moves_h",), measured=("moves_h", "cycle_s"), counts=("moves_h",), units={"cycle_s": _minutes}
    ),
    "wind": Profile(
        main=("mean_ms", "gust_ms"), measured=("mean_ms", "gust_ms"), units={"mean_ms": _knots, "gust_ms": _knots}
    ),
}
"""By name of the kind; the kinds that the world simulates."""


def number(values: Values, name: str) -> float:
    """A field as a number, 0 where it is missing."""
    value = values.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def tells(kind: str, values: Values) -> bool:
    """Whether the main values of a reading are not all 0."""
    return any(number(values, name) for name in PROFILES[kind].main)


def like(value: float, before: object) -> float:
    """`value` written as the reading had it: whole numbers stay whole, others keep two digits."""
    return round(value) if isinstance(before, int) else round(value, 2)
