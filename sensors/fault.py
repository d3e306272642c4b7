"""What can be wrong with a sensor: one vocabulary for who injects faults, who recognises them and who compares.

Domain section 3 lists what each looks like. `docs/detection.md` says how each is recognised and how long that takes.
"""

from __future__ import annotations

import enum


class Scope(enum.StrEnum):
    """What a fault befalls: one sensor, all of a site, all of a basin."""

    SENSOR = "sensor"
    SITE = "site"
    BASIN = "basin"


class Fault(enum.StrEnum):
    """Faults by name: the word in scenarios, in the truth, in events, in the API and in the score."""

    SILENT = "silent"
    SITE_DOWN = "site_down"
    NETWORK_DOWN = "network_down"
    INSUFFICIENT = "insufficient"
    STUCK = "stuck"
    LOCKED_ON = "locked_on"
    CARD_OFF = "card_off"
    CHATTER = "chatter"
    MISMATCH = "mismatch"
    SPIKE = "spike"
    DRIFT = "drift"
    SENTINEL = "sentinel"
    UNIT_SWAPPED = "unit_swapped"
    LANE_SWAPPED = "lane_swapped"
    DIRECTION_SWAPPED = "direction_swapped"
    IDENTITY_SWAPPED = "identity_swapped"
    CLOCK_OFFSET = "clock_offset"
    CLOCK_DRIFT = "clock_drift"
    DAYLIGHT_SAVING = "daylight_saving"
    FUTURE = "future"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    LATE_BATCH = "late_batch"
    COUNTER_RESET = "counter_reset"
    STALE_RETAINED = "stale_retained"
    TRUNCATED = "truncated"
    INVALID = "invalid"
    WRONG_TYPE = "wrong_type"
    OVERSIZED = "oversized"

    @property
    def scope(self) -> Scope:
        """Whether it befalls one sensor or all of a place."""
        match self:
            case Fault.SITE_DOWN:
                return Scope.SITE
            case Fault.NETWORK_DOWN:
                return Scope.BASIN
            case _:
                return Scope.SENSOR
