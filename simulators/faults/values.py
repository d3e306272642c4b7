"""Faults of what is measured: the sensor speaks on time, in order, and is wrong."""

from __future__ import annotations

import math
from typing import Final

from simulators.faults.effect import Case, FaultEffect, Reading
from simulators.faults.profiles import PROFILES, like, number, tells
from simulators.world import Values

IMPOSSIBLE_COUNT: Final = 38
"""Vehicles in 30 s on one lane: chatter (domain section 2)."""
_COUNT_S: Final = 30.0

_SPIKES: Final = 0.1
"""Share of the readings that leap: more would be noise, fewer would not be seen in an hour of a slow sensor."""

_ABOVE: Final = 0.1
_HALF: Final = 0.5


class ValueFault(FaultEffect):
    """Distorts the readings of the thing itself, not the passages of a gate."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.profile = PROFILES[case.thing.kind]

    def values(self, reading: Reading) -> Values:
        return self.distorted(reading) if reading.thing.kind == self.case.thing.kind else reading.values

    def distorted(self, reading: Reading) -> Values:
        return reading.values


class Stuck(ValueFault):
    """The last reading that told anything, to the digit, for ever; where there was none, the first that does."""

    def distorted(self, reading: Reading) -> Values:
        past, kind = self.case.past, reading.thing.kind
        if past.telling is None and tells(kind, reading.values):
            past.telling = reading.values
        return reading.values if past.telling is None else past.telling


class LockedOn(ValueFault):
    """A loop that is covered all the time, and by nothing: the other lane and the neighbours flow."""

    def distorted(self, reading: Reading) -> Values:
        return reading.values | _no_vehicle(100.0)


class CardOff(ValueFault):
    """A loop whose card is off: no occupancy and no vehicle, in daytime too."""

    def distorted(self, reading: Reading) -> Values:
        return reading.values | _no_vehicle(0.0)


class Chatter(ValueFault):
    """More counts than can be, another number each time."""

    def distorted(self, reading: Reading) -> Values:
        values = dict(reading.values)
        for name in self.profile.counts:
            least = self.case.size * self._impossible(name)
            values[name] = math.ceil(least * (1 + _HALF * self.case.rng.random()))
        if "flow_veh_h" in values:
            values["flow_veh_h"] = round(number(values, "count") * 3600 / self.case.thing.period_s, 1)
        return values

    def _impossible(self, name: str) -> float:
        high = self.case.kind.field(name).high
        return IMPOSSIBLE_COUNT * self.case.thing.period_s / _COUNT_S if high is None else high


class Mismatch(ValueFault):
    """Two fields that contradict each other."""

    def distorted(self, reading: Reading) -> Values:
        values = reading.values
        match reading.thing.kind:
            case "traffic" if self.case.size:
                return values | {"occupancy_pct": 0.0}
            case "traffic":
                return values | _no_vehicle(number(values, "occupancy_pct"))
            case "travel_time":
                return values | {"p85_s": _half(values["median_s"])}
            case "wind":
                return values | {"gust_ms": _half(values["mean_ms"])}
            case _:
                return values | {"occupied": math.ceil((1 + _ABOVE) * number(values, "capacity"))}


class Spike(ValueFault):
    """Now and then a reading leaps by a share of the field's range, up or down, and is back with the next."""

    def distorted(self, reading: Reading) -> Values:
        if self.case.rng.random() >= _SPIKES:
            return reading.values
        way, values = 1 if self.case.rng.random() < _HALF else -1, dict(reading.values)
        for name in self.profile.main:
            values[name] = like(self._leapt(name, number(values, name), way), values[name])
        return values

    def _leapt(self, name: str, value: float, way: int) -> float:
        field = self.case.kind.field(name)
        low, high = field.low or 0.0, field.high or 0.0
        leap = self.case.size * (high - low)
        return value + way * leap if low <= value + way * leap <= high else value - way * leap


class Sentinel(ValueFault):
    """A number that stands for "not measured", in the fields that a failed transducer fills."""

    def distorted(self, reading: Reading) -> Values:
        said = None if math.isnan(self.case.size) else self.case.size
        return reading.values | dict.fromkeys(self.profile.measured, said)


class UnitSwapped(ValueFault):
    """Right values in another unit than the field's name says."""

    def distorted(self, reading: Reading) -> Values:
        values = dict(reading.values)
        for name, convert in self.profile.units.items():
            if values[name] is not None:
                values[name] = round(convert(number(values, name)), 2)
        return values


def _half(value: float | str | None) -> float | None:
    return round(value / 2, 1) if isinstance(value, int | float) else None


def _no_vehicle(occupancy_pct: float) -> Values:
    return {
        "count": 0,
        "flow_veh_h": 0.0,
        "occupancy_pct": occupancy_pct,
        "speed_kmh": None,
        "hgv_share": None,
    }
