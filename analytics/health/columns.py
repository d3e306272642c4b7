"""What each kind's columns mean to health: which are counts, which may stand still, whose unit is easily mistaken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from analytics.remains import COUNTS, effective_m
from analytics.table import Float32, Index
from sensors.kind import Kind
from sensors.rule import Cooling, Limits, SpeedRatio, Work

MISTAKEN: Final[Mapping[str, tuple[float, float]]] = {
    "km/h": (1 / 1.609344, 0.0),
    "s": (1 / 60, 0.0),
    "m/s": (3600 / 1852, 0.0),
    "°C": (1.8, 32.0),
}
"""Units that are easily mistaken, with what then comes out, factor and offset: miles an hour, minutes, knots, degrees
Fahrenheit (international mile and nautical mile)."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a kind by the part they play. low, high: ranges, infinite where none.

    excuses: what says by a 0 that there is nothing to tell of. counted: what is restless are numbers of pieces.
    balance: a stock, what raises and what lowers it; each: by how much one does. vane: a direction in degrees, and the
    wind that turns it. scaled: the one column whose unit is checked by its own past, or -1; factor, offset: what a
    mistake makes of it, or of the speed of a road.
    """

    kind: Kind
    main: Index
    restless: Index
    counts: Index
    excuses: Index
    counted: bool
    balance: tuple[int, int, int] | None
    each: float
    vane: tuple[int, int] | None
    low: Float32
    high: Float32
    scaled: int
    factor: float
    offset: float
    road: RoadColumns | None = field(default=None)
    work: WorkColumns | None = field(default=None)
    cold: ColdColumns | None = field(default=None)

    @classmethod
    def of(cls, kind: Kind) -> Columns:
        at = {name: place for place, name in enumerate(kind.field_names)}
        counts = [place for place, f in enumerate(kind.fields) if f.unit in COUNTS]
        road, (balance, each) = RoadColumns.of(kind, at), _stock(kind, at)
        scaled = [] if road else [n for n, f in enumerate(kind.fields) if f.unit in MISTAKEN]
        first = min(scaled, key=lambda place: _steadiness(kind.fields[place].name), default=-1)
        unit = "km/h" if road else kind.fields[first].unit if scaled else None
        factor, offset = (1.0, 0.0) if unit is None else MISTAKEN[unit]
        return cls(
            kind=kind,
            main=_index(at[name] for name in kind.main),
            restless=_index(at[name] for name in kind.restless),
            counts=_index(counts),
            excuses=_index(at[name] for name in _excuses(kind)),
            counted=bool(kind.restless) and all(kind.field(name).unit == "1" for name in kind.restless),
            balance=balance,
            each=each,
            vane=(at["direction_deg"], at["mean_ms"]) if {"direction_deg", "mean_ms"} <= at.keys() else None,
            low=np.array([-np.inf if f.low is None else f.low for f in kind.fields], np.float32),
            high=np.array([np.inf if f.high is None else f.high for f in kind.fields], np.float32),
            scaled=first,
            factor=factor,
            offset=offset,
            road=road,
            work=WorkColumns.of(at),
            cold=ColdColumns.of(kind, at),
        )


@dataclass(frozen=True, slots=True)
class RoadColumns:
    """The columns of a kind that is judged by its speed; hgv: -1 where it has no share of lorries."""

    speed: int
    occupancy: int
    flow: int
    hgv: int

    @classmethod
    def of(cls, kind: Kind, at: Mapping[str, int]) -> RoadColumns | None:
        match kind.level:
            case SpeedRatio(speed=speed, occupancy=occupancy, flow=flow):
                return cls(at[speed], at[occupancy], at[flow], at.get("hgv_share", -1))
            case _:
                return None

    def off_scale(self, values: Float32) -> Float32:
        """Log of the speed told over the speed that flow and occupancy tell; NaN where they tell nothing.

        occupancy% = 100 x flow / speed x effective length (domain section 2).
        """
        length = effective_m(values[:, self.hgv] if self.hgv >= 0 else np.full(len(values), np.nan, np.float32))
        speed, occupancy, flow = (values[:, at] for at in (self.speed, self.occupancy, self.flow))
        fit = (speed > _TOO_SLOW) & (occupancy > 0) & (flow > 0) & np.isfinite(speed + occupancy + flow)
        ratio = np.full(len(values), np.nan, np.float32)
        np.divide(speed * occupancy * 10, flow * length, out=ratio, where=fit)
        np.log(ratio, out=ratio, where=fit)
        return ratio


@dataclass(frozen=True, slots=True)
class WorkColumns:
    """The columns of a machine that tells its rate, how long a cycle takes, and what share of the time it is idle."""

    rate: int
    cycle: int
    idle: int

    @classmethod
    def of(cls, at: Mapping[str, int]) -> WorkColumns | None:
        names = ("moves_h", "cycle_s", "idle_share")
        return cls(*(at[name] for name in names)) if at.keys() >= set(names) else None

    def off_scale(self, values: Float32) -> Float32:
        """Log of the rate told over the one that cycles tell, 3600 x (1 - idle) / cycle; NaN where it stands."""
        rate, cycle, idle = (values[:, at] for at in (self.rate, self.cycle, self.idle))
        fit = (rate > 0) & (cycle > 0) & (idle < 1) & np.isfinite(rate + cycle + idle)
        ratio = np.full(len(values), np.nan, np.float32)
        np.divide(rate * cycle, 3600 * (1 - idle), out=ratio, where=fit)
        np.log(ratio, out=ratio, where=fit)
        return ratio


@dataclass(frozen=True, slots=True)
class ColdColumns:
    """The columns of cooled boxes: the air that returns from them, and what it is set to."""

    air: int
    setpoint: int
    tolerance_c: float

    @classmethod
    def of(cls, kind: Kind, at: Mapping[str, int]) -> ColdColumns | None:
        match kind.level:
            case Cooling() as rule:
                return cls(at[rule.temperature], at[rule.setpoint], rule.tolerance_c)
            case _:
                return None

    @property
    def limit_c(self) -> float:
        """Reached when half a day in a day was too cold by the tolerance: a setpoint that was raised takes hours."""
        return self.tolerance_c / 2

    def too_cold(self, values: Float32) -> Float32:
        """By how much the air is colder than set, in °C below 0, as far as the tolerance.

        Cargo is not cooled below what is set. Too warm it may well be, which is an alarm and no fault of the sensor.
        """
        found: Float32 = np.clip(values[:, self.air] - values[:, self.setpoint], -self.tolerance_c, 0)
        return found


_TOO_SLOW: Final = 8.0
"""Speed in km/h under which vehicles stand on the loop and occupancy tells of them, not of those that passed."""


def _stock(kind: Kind, at: Mapping[str, int]) -> tuple[tuple[int, int, int] | None, float]:
    """Columns of a stock, of what raises and of what lowers it, and by how much one does in the mean."""
    names = ("teu_used", "moves_in", "moves_out")
    if kind.balance is not None:
        return (at[kind.balance.stock], at[kind.balance.inflow], at[kind.balance.outflow]), 1.0
    return ((at[names[0]], at[names[1]], at[names[2]]), BOX_TEU) if at.keys() >= set(names) else (None, 1.0)


BOX_TEU: Final = 1.6
"""TEU of a container in the mean: most are of 40 feet (engineering knowledge). Where it is 0.1 more or less, a ship
that fills a block by 800 containers makes it drift."""


def _excuses(kind: Kind) -> tuple[str, ...]:
    """Where nobody passed there is no speed, and where no box is plugged in no air; a stock of nothing is 0."""
    match kind.level:
        case Limits() | Work():
            return ()
        case Cooling(used=used):
            return (used,)
        case _:
            return kind.field_names


def _steadiness(name: str) -> int:
    """Setpoints and service times hardly move; the first of these is what betrays a unit."""
    order = ("setpoint_c", "service_s", "cycle_s", "median_s", "mean_ms")
    return order.index(name) if name in order else len(order)


def _index(places: Iterable[int]) -> Index:
    return np.array(sorted(places), np.intp)
