"""What the API is told by the store: typed rows, free of SQL and of psycopg."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sensors.kind import Kind

Resolution = Literal["raw", "5min", "1h", "1d"]
STEP_S: dict[Resolution, int] = {"5min": 300, "1h": 3600, "1d": 86400}
"""Length of the means, by the resolution that names it."""


@dataclass(frozen=True, slots=True)
class StateRow:
    """The present state of a sensor or corridor; `reading` is its latest reading by event time.

    coverage: share of the expected readings of about the last hour. abnormality: an `Abnormality`, None where the kind
    is not compared with what is usual; usual: that speed in km/h, z: robust deviations below it.
    """

    thing: str
    time: datetime | None
    level: int | None
    since: datetime | None
    verdict: str
    reading: dict[str, float | str | None]
    coverage: float | None = None
    abnormality: int | None = None
    usual: float | None = None
    z: float | None = None


@dataclass(frozen=True, slots=True)
class ClockRow:
    """How far a sensor's clock is ahead of ours, negative when it is behind; whole hours where it is set wrong."""

    offset_s: float
    measured_at: datetime
    whole_hours: int | None


@dataclass(frozen=True, slots=True)
class StandingRow:
    """How far the numbers of one boot of a sender are settled; below `highest` some may be missing."""

    thing: str
    boot: int
    settled: int
    highest: int
    missing: int
    quarantined: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class EventRow:
    """An entry of the feed; ids are in commit order."""

    id: int
    time: datetime
    type: str
    subject: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class ReadingsQuery:
    """Readings of one thing in [start, end), at most `limit` of them, the oldest first."""

    thing: str
    kind: Kind
    start: datetime
    end: datetime
    resolution: Resolution
    limit: int


@dataclass(frozen=True, slots=True)
class ReadingsTable:
    """Columns of equal length. Raw readings have `quality` and `texts`, means the others."""

    time: list[datetime]
    values: dict[str, list[float | None]]
    low: dict[str, list[float | None]] | None = None
    high: dict[str, list[float | None]] | None = None
    coverage: list[float | None] | None = None
    quality: list[int] | None = None
    texts: dict[str, list[str | None]] | None = None
    revised: list[bool] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the parts of the service are.

    `held` are the ingest slots that a living process holds. `committed_at` is the time of the newest batch, None before
    the first. `unread` says, for every reader with batches it has not read, when the oldest of them was committed.
    """

    now: datetime
    held: tuple[int, ...]
    committed_at: datetime | None
    readers: tuple[str, ...]
    unread: dict[str, datetime]
