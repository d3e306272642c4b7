"""Announcements in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from analytics import snapshot
from analytics.changes import Change, Notes, What
from analytics.evidence import comparison, evidence, reading, shown
from analytics.settings import Thing
from analytics.table import Float32
from sensors.level import Abnormality

_WHATS = tuple(What)


def worded(notes: Iterable[Notes], things: Sequence[Thing], values: Float32) -> list[Change]:
    """Word announcements, in order of event time, then thing; `values` are those of the batch that brought them."""
    some = [table for table in notes if len(table.thing)]
    if not some:
        return []
    columns = (column.tolist() for column in reduce(Notes.join, some).columns())
    rows = (dict(zip(Notes.names(), row, strict=True)) for row in zip(*columns, strict=True))
    changes = [_change(things[row.pop("thing")], _values(values, row.pop("source")), **row) for row in rows]
    return in_order(changes)


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Sort changes by event time, then thing."""
    return sorted(changes, key=lambda change: (change.time_us, change.thing, _WHATS.index(change.what)))


def _values(values: Float32, source: int) -> list[float]:
    return values[source].tolist() if source >= 0 else []


def _change(
    thing: Thing,
    values: list[float],
    *,
    time_us: int,
    what: int,
    level: int,
    previous: int,
    observed: float,
    value: float,
    free_kmh: float,
    faulty: bool,
    usual_kmh: float,
    z: float,
    unusual: int,
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
        value=shown(thing, observed),
        evidence={
            **evidence(thing, value, free_kmh, reading(thing, values)),
            **comparison(thing, usual_kmh, z, Abnormality(unusual)),
        },
    )
