"""Faults of who is who: right readings of something else, or right readings under another name."""

from __future__ import annotations

import msgspec

from simulators.faults.effect import FaultEffect, Reading
from simulators.faults.profiles import number
from simulators.faults.values import ValueFault
from simulators.world import Thing, Values

_HALF_TURN = 180


class OtherReadings(ValueFault):
    """Publishes what the sensor of the other lane or direction has measured last: one loop wired to two channels."""

    def distorted(self, reading: Reading) -> Values:
        other = self.case.other
        return reading.values if other is None else self.case.latest.get(other.id, reading.values)


class WrongWay(FaultEffect):
    """In for out: a gate or park that was mounted backwards, a vane that points the wrong way."""

    def values(self, reading: Reading) -> Values:
        values = reading.values
        match reading.thing.kind:
            case "gate":
                return values | {"arrivals": values["departures"], "departures": values["arrivals"]}
            case "passage":
                return values | {"direction": "out" if values["direction"] == "in" else "in"}
            case "parking":
                return values | {"entries": values["exits"], "exits": values["entries"]}
            case _:
                return values | {"direction_deg": (number(values, "direction_deg") + _HALF_TURN) % 360}


class OtherTopic(FaultEffect):
    """Publishes on the topic of another sensor, which goes on publishing too."""

    def sender(self, thing: Thing) -> Thing:
        other = self.case.other
        return thing if other is None else other._replace(kind=thing.kind)


class OtherName(FaultEffect):
    """Names another sensor in the payload, on its own topic."""

    def payload(self, payload: bytes) -> bytes:
        other = self.case.other
        name = "" if other is None else other.id
        return msgspec.json.encode(msgspec.json.decode(payload) | {"sensor": name})
