"""Quarter-hours of the week by the clock on the wall of a place, where a French public holiday is a Sunday."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.holidays import french_holidays
from analytics.table import Float32, Int64

SLOT_S = 900
SLOTS = 7 * 24 * 3600 // SLOT_S
"""Quarter-hours of a week, counted from Monday 00:00 (domain section 4). Shorter: fewer readings behind each; longer:
the flanks of the peaks are blurred."""

_SLOT_US = SLOT_S * 1_000_000
_FRENCH = "Europe/Paris"
_SUNDAY = 6
_LAST = int(datetime(9990, 1, 1, tzinfo=UTC).timestamp()) // SLOT_S
"""The last quarter-hour that has a date; later times, which are rubbish, count as this one."""


class Week:
    """Tells the quarter-hour of the week of instants at places of one time zone."""

    def __init__(self, timezone: str) -> None:
        self._zone, self._french = ZoneInfo(timezone), timezone == _FRENCH
        self._known: dict[int, int] = {}

    def slots(self, time_us: Int64) -> NDArray[np.intp]:
        """Return the slot (0 to `SLOTS` - 1) of each instant (microseconds since 1970 UTC)."""
        quarter = np.clip(time_us // _SLOT_US, 0, _LAST)
        if len(quarter) and quarter[0] == quarter[-1] and (quarter == quarter[0]).all():
            return np.full(len(quarter), self._slot(int(quarter[0])), np.intp)
        unique, place = np.unique(quarter, return_inverse=True)
        slots: NDArray[np.intp] = np.array([self._slot(each) for each in unique.tolist()], np.intp)[place]
        return slots

    def _slot(self, quarter: int) -> int:
        if quarter not in self._known:
            if len(self._known) > 2 * SLOTS:
                self._known.clear()
            self._known[quarter] = self._find(datetime.fromtimestamp(quarter * SLOT_S, self._zone))
        return self._known[quarter]

    def _find(self, local: datetime) -> int:
        holiday = self._french and local.date() in french_holidays(local.year)
        since_midnight = timedelta(hours=local.hour, minutes=local.minute)
        day = _SUNDAY if holiday else local.weekday()
        return int((timedelta(days=day) + since_midnight).total_seconds()) // SLOT_S


def within(time_us: Int64) -> Float32:
    """Return how far into its quarter-hour each instant is, 0 to 1: zones are whole quarters from UTC."""
    part: Float32 = ((time_us % _SLOT_US) / np.float64(_SLOT_US)).astype(np.float32)
    return part
