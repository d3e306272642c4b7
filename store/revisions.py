"""Published means that late readings changed, and how the feed is told.

A bucket counts as published some time after its end (`Rollup.published_s`), or after its first reading was stored where
that was later: an outage's backlog fills buckets that nobody has seen yet, which is no revision. At a recording's site
it is published when a later bucket of the same thing has begun.

One event a thing, kind, resolution and stretch of time: the backlog of an outage is one event, not one a bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from store.events import NewEvent
from store.kind_tables import ROLLUPS, Resolution

REVISED = "vigie.aggregate.revised.v1"
MAX_APART = 12
"""Buckets further apart are different stretches: fewer floods the feed when every other reading comes late, more blurs
what was revised."""
_LENGTH = {rollup.resolution: timedelta(seconds=rollup.seconds) for rollup in ROLLUPS}


@dataclass(frozen=True, slots=True)
class Revision:
    """One published bucket before and after; the means are in the order of `fields`, None where nothing was measured.

    `late` says that a reading reached the service after the bucket was published; else it was only stored so late.
    """

    kind: str
    resolution: Resolution
    fields: list[str]
    thing: str
    start: datetime
    stored_at: datetime
    late: bool
    old_readings: int
    old_coverage: float | None
    old_means: list[float | None]
    readings: int
    coverage: float | None
    means: list[float | None]


def announcements(revisions: Iterable[Revision]) -> list[NewEvent]:
    """Word what was revised, a stretch of buckets as one event."""
    ordered = sorted(revisions, key=attrgetter("kind", "resolution", "thing", "start"))
    return [_event(stretch) for stretch in _stretches(ordered)]


def _stretches(ordered: Iterable[Revision]) -> Iterator[list[Revision]]:
    stretch: list[Revision] = []
    for revision in ordered:
        if stretch and not _continues(stretch[-1], revision):
            yield stretch
            stretch = []
        stretch.append(revision)
    if stretch:
        yield stretch


def _continues(before: Revision, after: Revision) -> bool:
    same = (before.kind, before.resolution, before.thing) == (after.kind, after.resolution, after.thing)
    return same and after.start - before.start <= MAX_APART * _LENGTH[before.resolution]


def _event(stretch: Sequence[Revision]) -> NewEvent:
    first, last = stretch[0], stretch[-1]
    data = {
        "kind": first.kind,
        "resolution": first.resolution,
        "from": _text(first.start),
        "to": _text(last.start + _LENGTH[last.resolution]),
        "buckets": len(stretch),
        "why": "late" if any(revision.late for revision in stretch) else "stored_late",
        "old": _summary(stretch, attrgetter("old_readings", "old_coverage", "old_means")),
        "new": _summary(stretch, attrgetter("readings", "coverage", "means")),
    }
    return NewEvent(max(revision.stored_at for revision in stretch), REVISED, first.thing, data)


_Bucket = tuple[int, float | None, list[float | None]]


def _summary(stretch: Sequence[Revision], part: Callable[[Revision], _Bucket]) -> dict[str, object]:
    """The revised buckets as one, weighted as longer means are."""
    buckets = [part(revision) for revision in stretch]
    coverages = [coverage for _, coverage, _ in buckets if coverage is not None]
    means = {
        field: _mean([(readings, values[place]) for readings, _, values in buckets])
        for place, field in enumerate(stretch[0].fields)
    }
    return {
        "readings": sum(readings for readings, _, _ in buckets),
        "coverage": sum(coverages) / len(coverages) if coverages else None,
        "mean": means,
    }


def _mean(weighted: Sequence[tuple[int, float | None]]) -> float | None:
    known = [(weight, value) for weight, value in weighted if value is not None and weight]
    if len(known) == 1:
        return known[0][1]
    return sum(weight * value for weight, value in known) / sum(weight for weight, _ in known) if known else None


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
