"""Why nobody is to be called for a condition: maintenance, a faulty sensor it rests on alone, a closed terminal.

It fails towards the road: one sensor that can be believed is enough to call, and what reaches a public road is never
muted by a terminal that is closed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.alarms.conditions import Condition, Sort
from analytics.alarms.ground import Ground
from analytics.alarms.machine import Holds


class Range(enum.StrEnum):
    """What is under maintenance; a terminal is closed rather than repaired."""

    SENSOR = "sensor"
    SITE = "site"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Work that was announced, with its end."""

    range: Range
    target: str
    why: str
    begins_at: datetime
    ends_at: datetime

    def at_work(self, at: datetime) -> bool:
        return self.begins_at <= at < self.ends_at


class Muting:
    """Finds what holds a condition back, from the faults that stand and the maintenance that is at work.

    faults: the fault conditions that stand. muting: names of faults whose sensor is not to be believed.
    """

    def __init__(
        self, ground: Ground, faults: Iterable[Condition], works: Iterable[Maintenance], muting: Iterable[str]
    ) -> None:
        self._ground = ground
        self._muting = frozenset(muting)
        self._faults: dict[str, list[str]] = {}
        for fault in faults:
            self._faults.setdefault(fault.subject, []).append(fault.what)
        self._works: Mapping[Range, Mapping[str, str]] = {
            range_: {work.target: work.why for work in works if work.range is range_} for range_ in Range
        }

    def holds(self, condition: Condition) -> Holds:
        return Holds(suppressed_by=self._suppressed(condition), out_of_service_by=self._worked_on(condition))

    def _worked_on(self, condition: Condition) -> str | None:
        """All that it rests on is under maintenance."""
        targets = {**self._works[Range.SITE], **self._works[Range.SENSOR]}
        reasons = [self._first(thing, targets) for thing in condition.sensors]
        return f"maintenance: {reasons[0]}" if reasons and all(reason is not None for reason in reasons) else None

    def _suppressed(self, condition: Condition) -> str | None:
        if condition.sort is Sort.SENSOR:
            return self._within(condition)
        if condition.sort is Sort.CONGESTION:
            return self._unbelieved(condition) or self._closed(condition)
        return None

    def _within(self, condition: Condition) -> str | None:
        """A fault of its reader, its site or its basin explains it."""
        _, *above = self._ground.covering(condition.subject)
        wider = next((name for name in above if name in self._faults), None)
        return f"{self._faults[wider][0]} of {wider}" if wider is not None else None

    def _unbelieved(self, condition: Condition) -> str | None:
        """Every sensor that it rests on has a fault that takes its word away."""
        faults = {name: fault for name, found in self._faults.items() for fault in found if fault in self._muting}
        found = [(thing, self._first(thing, faults)) for thing in condition.sensors]
        if not found or any(fault is None for _, fault in found):
            return None
        return "rests on " + ", ".join(f"{thing} ({fault})" for thing, fault in found)

    def _closed(self, condition: Condition) -> str | None:
        """Its gates belong to a terminal that is closed, and no public road is touched."""
        closed = self._works[Range.TERMINAL]
        terminals = self._ground.terminals(condition)
        if condition.what != "gate" or not terminals or self._ground.public_road(condition):
            return None
        if any(terminal not in closed for terminal in terminals):
            return None
        terminal = min(filter(None, terminals))
        return f"{terminal} is closed: {closed[terminal]}"

    def _first(self, thing: str, reasons: Mapping[str, str]) -> str | None:
        return next((reasons[name] for name in self._ground.covering(thing) if name in reasons), None)
