"""A bias that grows by the day: of a reading as a share of itself, or of a count by those who pass unseen."""

from __future__ import annotations

from typing import Final

from simulators.faults.effect import Case, Reading
from simulators.faults.profiles import like, number
from simulators.faults.values import ValueFault
from simulators.gates import LORRY_M
from simulators.world import Values

_DAY_S: Final = 86_400.0

_SERVICE_S: Final = 90.0
"""A lorry at a gate that does not say how long it takes."""


class Drift(ValueFault):
    """The size is what a day adds: 0.03 is 3 % of the value, of the range of a temperature, or of what passes."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._unseen = 0.0

    def distorted(self, reading: Reading) -> Values:
        match reading.thing.kind:
            case "gate":
                return self._queue(reading.values)
            case "parking":
                return self._park(reading.values)
            case _:
                return self._grown(reading)

    def _grown(self, reading: Reading) -> Values:
        bias, values = self.case.size * (reading.at_s - self.case.injection.start_s) / _DAY_S, dict(reading.values)
        for name in self.profile.main:
            if values[name] is not None:
                value = number(values, name)
                values[name] = like(value + bias * self._scale(name, value), values[name])
        return values

    def _scale(self, name: str, value: float) -> float:
        """A share of the value, or of the range where 0 means nothing (°C)."""
        field = self.case.kind.field(name)
        if field.low is not None and field.high is not None and field.low < 0:
            return field.high - field.low
        return value

    def _queue(self, values: Values) -> Values:
        """Of those who leave the queue some are not seen to: it never empties."""
        self._unseen += self.case.size * number(values, "departures")
        queue = max(0, round(number(values, "queue_trucks") + self._unseen))
        more = queue - number(values, "queue_trucks")
        each_s = (number(values, "service_s") or _SERVICE_S) / max(number(values, "lanes_open"), 1.0)
        return values | {
            "queue_trucks": queue,
            "queue_m": round(queue * LORRY_M, 1),
            "wait_s": round(max(0.0, number(values, "wait_s") + more * each_s), 1),
        }

    def _park(self, values: Values) -> Values:
        """Of those who come some are counted twice, or not."""
        self._unseen += self.case.size * number(values, "entries")
        return values | {"occupied": max(0, round(number(values, "occupied") + self._unseen))}
