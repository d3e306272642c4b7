"""Which effect each fault has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sensors.fault import Fault
from simulators.faults.clocks import ClockDrift, Future, Offset
from simulators.faults.delivery import (
    CounterReset,
    Cut,
    Duplicate,
    Insufficient,
    LateBatch,
    OutOfOrder,
    Silent,
    StaleRetained,
)
from simulators.faults.drift import Drift
from simulators.faults.effect import Case, Effect
from simulators.faults.identity import OtherName, OtherReadings, OtherTopic, WrongWay
from simulators.faults.payloads import Invalid, Oversized, Truncated, WrongType
from simulators.faults.values import CardOff, Chatter, LockedOn, Mismatch, Sentinel, Spike, Stuck, UnitSwapped


def effect_of(case: Case) -> Effect:
    """The effect of one injection at one thing."""
    return _EFFECTS[case.injection.what](case)


def _direction(case: Case) -> Effect:
    return WrongWay(case) if case.other is None else OtherReadings(case)


def _identity(case: Case) -> Effect:
    return OtherName(case) if case.size else OtherTopic(case)


_EFFECTS: Final[Mapping[Fault, Callable[[Case], Effect]]] = {
    Fault.SILENT: Silent,
    Fault.SITE_DOWN: Cut,
    Fault.NETWORK_DOWN: Cut,
    Fault.INSUFFICIENT: Insufficient,
    Fault.STUCK: Stuck,
    Fault.LOCKED_ON: LockedOn,
    Fault.CARD_OFF: CardOff,
    Fault.CHATTER: Chatter,
    Fault.MISMATCH: Mismatch,
    Fault.SPIKE: Spike,
    Fault.DRIFT: Drift,
    Fault.SENTINEL: Sentinel,
    Fault.UNIT_SWAPPED: UnitSwapped,
    Fault.LANE_SWAPPED: OtherReadings,
    Fault.DIRECTION_SWAPPED: _direction,
    Fault.IDENTITY_SWAPPED: _identity,
    Fault.CLOCK_OFFSET: Offset,
    Fault.CLOCK_DRIFT: ClockDrift,
    Fault.DAYLIGHT_SAVING: Offset,
    Fault.FUTURE: Future,
    Fault.DUPLICATE: Duplicate,
    Fault.OUT_OF_ORDER: OutOfOrder,
    Fault.LATE_BATCH: LateBatch,
    Fault.COUNTER_RESET: CounterReset,
    Fault.STALE_RETAINED: StaleRetained,
    Fault.TRUNCATED: Truncated,
    Fault.INVALID: Invalid,
    Fault.WRONG_TYPE: WrongType,
    Fault.OVERSIZED: Oversized,
}
"""Every fault has one; a test keeps it so."""
