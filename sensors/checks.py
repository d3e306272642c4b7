"""What a kind declares about implausible readings, beside the range of each field.

Declarations only: ingest applies them, `docs/quality.md` explains them. Fields are named; `sensors.kind` verifies that
they exist.
"""

from __future__ import annotations

import msgspec

COMMON_SENTINELS = (-99.0, -999.0, -9999.0, 327.67, 32767.0, 65535.0)
"""Numbers that stand for "not measured" (domain section 3; the largest 16-bit numbers, the first of them in hundredths
too). One that lies within the declared range of a field is a value there, unless the field itself names it."""

LATE_AFTER_S = 60.0
"""Seconds between measuring and arrival from which a reading is counted as late (design: event time is kept open for
60 s). Lower: every slow radio link; higher: what no longer changes a level is not seen."""

CLOCK_TOLERANCE_S = 60.0
"""Seconds by which a sensor's clock may be off (as above: beyond, its readings miss the window of their neighbours).
Lower: a slow link is taken for a wrong clock; higher: readings in the wrong five minutes without a word."""


class ZeroWhile(msgspec.Struct, frozen=True, tag_field="rule", tag="zero_while", forbid_unknown_fields=True):
    """`field` is 0 while `other` is above `above`; from `until` up that is no contradiction (traffic that stands)."""

    field: str
    other: str
    above: float = 0.0
    until: float | None = None


class Below(msgspec.Struct, frozen=True, tag_field="rule", tag="below", forbid_unknown_fields=True):
    """`field` is less than `other`, which it cannot be."""

    field: str
    other: str


Mismatch = ZeroWhile | Below


class Balance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stock that what comes in raises and what goes out lowers, from one reading to the next."""

    stock: str
    inflow: str
    outflow: str

    @property
    def fields(self) -> tuple[str, str, str]:
        return self.stock, self.inflow, self.outflow
