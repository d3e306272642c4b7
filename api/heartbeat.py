"""The heartbeat: how far the feed is, how old the data are, and until when what was told still stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from store.api_rows import Progress

MISSED = 3
"""So many missed heartbeats and nothing may be believed any more: fewer fail at every hiccup of the network, more act
on what may long be over."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """cursor: the last event of the feed. data_age_s: since readings were last stored, None if never."""

    time: datetime
    cursor: int
    data_age_s: float | None
    valid_until: datetime

    @property
    def json(self) -> str:
        told = {
            "time": self.time,
            "cursor": str(self.cursor),
            "data_age_s": self.data_age_s,
            "valid_until": self.valid_until,
        }
        return msgspec.json.encode(told).decode()


def heartbeat(progress: Progress, cursor: int, every_s: float) -> Heartbeat:
    """What can be said now, from how far everybody is."""
    stored_at = progress.committed_at
    age_s = None if stored_at is None else round(max(0.0, (progress.now - stored_at).total_seconds()), 1)
    return Heartbeat(progress.now, cursor, age_s, progress.now + timedelta(seconds=MISSED * every_s))
