"""Faults of the clock: readings are right and sent in time, and say another time."""

from __future__ import annotations

from typing import Final

from simulators.faults.effect import FaultEffect, Reading

_DAY_S: Final = 86_400.0

_WILD: Final = 0.25
"""Share of the readings from the future: a clock that is set anew now and then, not one that is ahead."""

_LEAST_AHEAD_S: Final = 180.0
"""Beyond the two minutes that a clock may be ahead."""


class Offset(FaultEffect):
    """A clock that is wrong by the size from the start on: time zone, daylight saving."""

    def told_s(self, reading: Reading) -> float:
        return reading.at_s + self.case.size


class ClockDrift(FaultEffect):
    """A clock that gains so many seconds a day."""

    def told_s(self, reading: Reading) -> float:
        gained = self.case.size * (reading.at_s - self.case.injection.start_s) / _DAY_S
        return round(reading.at_s + gained, 3)


class Future(FaultEffect):
    """Single readings from the future, each from another."""

    def told_s(self, reading: Reading) -> float:
        if self.case.rng.random() >= _WILD:
            return reading.at_s
        return round(reading.at_s + float(self.case.rng.uniform(_LEAST_AHEAD_S, self.case.size)), 3)
