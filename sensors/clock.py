"""A sensor's clock against ours, in words: whole hours are somebody's setting, the rest is drift."""

from __future__ import annotations

HOUR_S = 3600.0
WHOLE_HOUR_S = 120.0
"""How near to whole hours an offset must be to be called so: drift and delay beside the error (the 2 minutes by which a
reading may be ahead). Lower: the hour of a clock that drifts too is not named; higher: drift is called an hour."""


def whole_hours(offset_s: float) -> int | None:
    """Hours by which a clock is set wrong, positive when it is ahead; None where the offset is not whole hours."""
    hours = round(offset_s / HOUR_S)
    return hours if hours and abs(offset_s - hours * HOUR_S) <= WHOLE_HOUR_S else None


def describe_offset(offset_s: float) -> str:
    """Say it as a field engineer would.

    >>> describe_offset(7199.2), describe_offset(-95)
    ('2 h ahead: daylight saving or time zone', '95 s behind')
    """
    side = "ahead" if offset_s > 0 else "behind"
    hours = whole_hours(offset_s)
    if hours is None:
        return f"{abs(offset_s):.0f} s {side}"
    return f"{abs(hours)} h {side}: daylight saving or time zone"
