"""How long each fault must last before a system has to have named it, and which faults leave nothing to see.

A window covers what makes the fault recognisable, not what a certain detector needs: most show in minutes, a value that
does not move only when it should have moved, a few samples too few only over many samples. At most two hours, except
for what creeps or comes with the day. Shorter windows count faults that nobody can know; longer ones excuse the slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sensors.fault import Fault

_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400.0

WINDOW_S: Final[Mapping[Fault, float]] = {
    # No data for three periods; the slowest sensors (yards, racks) report every 5 to 15 min.
    Fault.SILENT: _HOUR_S,
    Fault.SITE_DOWN: _HOUR_S,
    Fault.NETWORK_DOWN: _HOUR_S,
    # Shares of samples: two hours are 24 of a yard block, an hour 60 of a lorry park.
    Fault.INSUFFICIENT: 2 * _HOUR_S,
    Fault.DUPLICATE: _HOUR_S,
    Fault.OUT_OF_ORDER: _HOUR_S,
    Fault.SPIKE: 2 * _HOUR_S,
    # Values that cannot be, each by itself.
    Fault.CHATTER: _HOUR_S,
    Fault.SENTINEL: _HOUR_S,
    Fault.MISMATCH: _HOUR_S,
    Fault.TRUNCATED: _HOUR_S,
    Fault.INVALID: _HOUR_S,
    Fault.WRONG_TYPE: _HOUR_S,
    Fault.OVERSIZED: _HOUR_S,
    # Against what neighbours and the time of day say.
    Fault.STUCK: 2 * _HOUR_S,
    Fault.LOCKED_ON: 2 * _HOUR_S,
    Fault.CARD_OFF: 2 * _HOUR_S,
    Fault.UNIT_SWAPPED: 2 * _HOUR_S,
    Fault.LANE_SWAPPED: 2 * _HOUR_S,
    Fault.DIRECTION_SWAPPED: 2 * _HOUR_S,
    Fault.IDENTITY_SWAPPED: 2 * _HOUR_S,
    # Times against those of the other sensors.
    Fault.CLOCK_OFFSET: _HOUR_S,
    Fault.FUTURE: _HOUR_S,
    Fault.LATE_BATCH: _HOUR_S,
    Fault.COUNTER_RESET: _HOUR_S,
    # It shows at every reconnect, which may be 20 min apart.
    Fault.STALE_RETAINED: _HOUR_S,
    # What creeps, or comes with the day: 1 to 5 % a day need days.
    Fault.DRIFT: 5 * _DAY_S,
    Fault.CLOCK_DRIFT: 5 * _DAY_S,
    Fault.DAYLIGHT_SAVING: 2 * _DAY_S,
}

LONG_RUN_ONLY: Final = frozenset({Fault.DRIFT, Fault.CLOCK_DRIFT, Fault.DAYLIGHT_SAVING})
"""Faults that a scenario of some hours cannot show: they are injected with `--days` only."""

_NOTHING_COMES: Final = {Fault.SILENT, Fault.SITE_DOWN, Fault.NETWORK_DOWN, Fault.LATE_BATCH}
_NO_READING_COMES: Final = {
    Fault.TRUNCATED,
    Fault.INVALID,
    Fault.WRONG_TYPE,
    Fault.OVERSIZED,
    Fault.IDENTITY_SWAPPED,  # on the topic of another, or in its name
}
_NOTHING_TRUE_COMES: Final = {Fault.STUCK, Fault.LOCKED_ON, Fault.CARD_OFF, Fault.SENTINEL}

BLIND: Final = frozenset(_NOTHING_COMES | _NO_READING_COMES | _NOTHING_TRUE_COMES)
"""Faults while which nothing that comes tells of the road: what only such a sensor could have seen nobody can know, and
a verdict over it hides nothing. All others lose, repeat, delay or distort what could still be understood."""

_LOOPS_AND_CORRIDORS: Final = frozenset({"traffic", "travel_time"})

OF_ANOTHER: Final[Mapping[Fault, frozenset[str]]] = {
    Fault.LANE_SWAPPED: _LOOPS_AND_CORRIDORS,
    Fault.DIRECTION_SWAPPED: _LOOPS_AND_CORRIDORS,
}
"""Faults while which kinds tell only what another sensor has measured, nothing of their own: as blind as one whose
readings come under another name. (A gate or park that counts the wrong way still tells of itself.)"""


def is_blind(fault: Fault, kind: str | None) -> bool:
    """Whether nothing that comes from a thing of a kind tells of its place; None is a site or a basin."""
    return fault in BLIND or kind in OF_ANOTHER.get(fault, ())
