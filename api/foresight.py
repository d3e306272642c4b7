"""From the outlook that the store holds to the JSON shapes of what is usual and what is coming. Pure."""

from __future__ import annotations

from datetime import timedelta

from api.models.forecast import AheadOut, ForecastOut
from sensors.level import Abnormality
from store.outlooks import OutlookRow

INTERVAL = 0.8
_ENOUGH = 0.75
_NO_READING = "no reading yet"
_NO_SPEED = "only sensors that measure speed are forecast"
_TOO_FEW = "less than 75 % of the expected readings came in the last hour"
_NO_VALUE = "no usable speed, or its free speed is not known yet"
_NOT_LEARNT = "nothing is usual at this time of the week yet: that takes a week of readings"


def forecast_out(thing: str, row: OutlookRow | None) -> ForecastOut:
    ahead = _ahead(row) if row and row.time else []
    return ForecastOut(
        sensor=thing,
        unit="km/h",
        time=row.time if row else None,
        method=None if not ahead else "last" if any(each.usual is None for each in ahead) else "usual",
        interval=INTERVAL,
        coverage=row.coverage if row else None,
        items=ahead,
        reason=None if ahead else _why_none(row),
    )


def _ahead(row: OutlookRow) -> list[AheadOut]:
    assert row.time is not None
    columns = zip(row.minutes, row.speed, row.low, row.high, row.usual_ahead, strict=True)
    return [
        AheadOut(
            minutes=minutes, time=row.time + timedelta(minutes=minutes), speed=speed, low=low, high=high, usual=usual
        )
        for minutes, speed, low, high, usual in columns
    ]


def _why_none(row: OutlookRow | None) -> str:
    if row is None or row.time is None:
        return _NO_READING
    if row.abnormality is None:
        return _NO_SPEED
    return _TOO_FEW if row.coverage is not None and row.coverage < _ENOUGH else _NO_VALUE


def why_unknown(abnormality: int | None, usual: float | None) -> str | None:
    """Say why an abnormality is unknown; None where it is known, or its kind is not compared."""
    if abnormality != Abnormality.UNKNOWN:
        return None
    return _NOT_LEARNT if usual is None else _NO_VALUE
