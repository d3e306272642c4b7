"""Times as people of the port say them: "7 h 12", "hier à 23 h 40", "le 2 mars vers 9 h"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

ROUNDED: Final = timedelta(minutes=5)
"""To what an expected end is rounded: it is known to some minutes at best. Finer: an accuracy that there is not."""


@dataclass(frozen=True, slots=True)
class ClockWords:
    """The words of one language (`headline.toml`, part `time`) in one time zone, on the day of `now_us`."""

    words: Mapping[str, Any]
    zone: ZoneInfo
    now_us: int

    def clock(self, at_us: int) -> str:
        """Return the time of day."""
        return self._clock(self._local(at_us))

    def since(self, at_us: int) -> str:
        """Return a past time, with its day where that is not today."""
        at = self._local(at_us)
        return self._clock(at) if at.date() == self._today else self._dated(at)

    def when(self, at_us: int) -> str:
        """Return the same after "ended"."""
        at = self._local(at_us)
        return self.words["today"].format(time=self._clock(at)) if at.date() == self._today else self._dated(at)

    def about(self, at_us: int) -> str:
        """Return an expected time, rounded."""
        at = self._local(rounded(at_us))
        known = {self._today: "about", self._today + timedelta(days=1): "about_tomorrow"}
        return self._on(known.get(at.date(), "about_date"), at)

    def _dated(self, at: datetime) -> str:
        day = timedelta(days=1)
        known = {self._today - day: "yesterday", self._today + day: "tomorrow"}
        return self._on(known.get(at.date(), "date"), at)

    def _on(self, form: str, at: datetime) -> str:
        day, month = self.words["first"] if at.day == 1 else str(at.day), self.words["months"][at.month - 1]
        return str(self.words[form].format(time=self._clock(at), day=day, month=month))

    def _clock(self, at: datetime) -> str:
        return str(self.words["at" if at.minute else "full"].format(hour=at.hour, minute=at.minute))

    def _local(self, at_us: int) -> datetime:
        return datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(self.zone)

    @property
    def _today(self) -> date:
        return self._local(self.now_us).date()


def rounded(at_us: int) -> int:
    """Round an instant to `ROUNDED`."""
    step_us = ROUNDED // timedelta(microseconds=1)
    return (at_us + step_us // 2) // step_us * step_us
