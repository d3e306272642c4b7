"""One rule from the interval between readings to everything that depends on it; nothing is tuned to one recording.

>>> derived(300.0)
Derived(weight=0.6, confirm_on=2, confirm_off=4)
>>> derived(30.0)
Derived(weight=0.35, confirm_on=4, confirm_off=20)
"""

from __future__ import annotations

import math
from typing import NamedTuple

FINE_S = 30.0
"""The finer interval that was measured (domain section 4)."""

COARSE_S = 300.0
"""The coarser interval that was measured (domain section 4)."""

WEIGHT_FINE, WEIGHT_COARSE = 0.35, 0.6
"""Weight of the newest reading. Too low: late; too high: noise opens and closes alarms."""

ON_FINE, ON_COARSE = 4, 2
"""Readings in a row to open. Too low: false alarms; too high: late."""

OFF_FINE, OFF_COARSE = 20, 4
"""Readings in a row to close: 10 and 20 min (own measurement, `docs/detection.md`; stop-and-go traffic frees itself for
minutes). Too low: several alarms for one jam; too high: it lingers."""

MOST_CONFIRMATIONS = 1000
"""Bound for very short intervals; the counters are int16."""

FALL_S = 180.0
"""Seconds clearly under a limit until its level ends (own measurement: on three simulated Tuesdays with a surge and an
outage 12 alarms of gates instead of 16, each 2 min longer). Too low: a wait that jumps makes several alarms of one; too
high: they outlast the queue."""

RESUME_S = 900.0
"""Seconds without a stop until a stoppage is over (own measurement: 38 % of 108 pauses between the wind stops of eight
simulated fortnights are shorter). Too low: each gust is a stoppage; too high: a crane that works is called stopped."""


class Derived(NamedTuple):
    """What the interval decides: weight of a reading, readings in a row to open and to close an alarm."""

    weight: float
    confirm_on: int
    confirm_off: int


def derived(period_s: float) -> Derived:
    """Derive the settings from the interval by power laws through the two measured ones."""
    decades = math.log(COARSE_S / period_s) / math.log(COARSE_S / FINE_S)
    weight, on, off = (
        coarse * (fine / coarse) ** decades
        for fine, coarse in ((WEIGHT_FINE, WEIGHT_COARSE), (ON_FINE, ON_COARSE), (OFF_FINE, OFF_COARSE))
    )
    return Derived(min(round(weight, 6), 1.0), _count(on), _count(off))


def readings(seconds: float, period_s: float) -> int:
    """How many readings a span takes, at least one."""
    return max(1, min(math.ceil(seconds / period_s), MOST_CONFIRMATIONS))


def _count(readings: float) -> int:
    return max(1, min(math.floor(readings + 0.5), MOST_CONFIRMATIONS))
