"""Announcements in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from analytics import snapshot
from analytics.changes import Change, Notes, What
from analytics.settings import Thing

_WHATS = tuple(What)


def worded(notes: Iterable[Notes], things: Sequence[Thing]) -> list[Change]:
    """Word announcements, in order of event time, then thing."""
    some = [table for table in notes if len(table.thing)]
    if not some:
        return []
    columns = (column.tolist() for column in reduce(Notes.join, some).columns())
    rows = (dict(zip(Notes.names(), row, strict=True)) for row in zip(*columns, strict=True))
    changes = [_change(things[row.pop("thing")], **row) for row in rows]
    return sorted(changes, key=lambda change: (change.time_us, change.thing, _WHATS.index(change.what)))


def _change(
    thing: Thing,
    *,
    time_us: int,
    what: int,
    level: int,
    previous: int,
    observed: float,
    value: float,
    free_kmh: float,
    faulty: bool,
) -> Change:
    return Change(
        thing=thing.id,
        site=thing.site,
        kind=thing.kind.name,
        time_us=time_us,
        what=_WHATS[what],
        level=snapshot.level_of(thing, level),
        previous=snapshot.level_of(thing, previous),
        verdict=snapshot.verdict(level, silent=_WHATS[what] is What.SILENT, faulty=faulty),
        value=snapshot.number(observed),
        evidence=snapshot.evidence(thing, value, free_kmh),
    )
