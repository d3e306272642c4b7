"""The account of a day: of each sensor what was expected, what became of it, and what is missing, to the unit.

Days are UTC: of the measuring, and for a message in quarantine of its arrival. What is missing counts on the day of the
next reading that came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from ingest.columns import Columns, Quarantined
from sensors.kind import Kinds
from sensors.receipt import Gap
from store.database import Connection
from store.spans import at
from store.staging import Fate

_DAY_US = 86_400_000_000

# Only of things that exist: the names come from topics, and anybody can invent those.
_BOOK = """
insert into account_day (day, thing, duplicates, conflicts, quarantined)
select day, thing, duplicates, conflicts, quarantined
from unnest(%s::date[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
    as new (day, thing, duplicates, conflicts, quarantined)
where exists (select from sensor where id = thing) or exists (select from corridor where id = thing)
order by day, thing
on conflict (day, thing) do update set
    duplicates = account_day.duplicates + excluded.duplicates,
    conflicts = account_day.conflicts + excluded.conflicts,
    quarantined = account_day.quarantined + excluded.quarantined"""

_STORED = """
select {subject}, coalesce(boot, -1), min(seq), max(seq), count(seq), count(*) - count(seq) from {table}
where time >= %s and time < %s group by 1, 2"""
_GAPS = "select thing, boot, first_seq, last_seq from sequence_gap where thing = any(%s) order by 1, 2, 3"
_QUARANTINED = """
select thing, boot, seq from sequence_quarantined where received_at >= %s and received_at < %s order by 1, 2, 3"""
_OTHERS = "select thing, duplicates, conflicts, quarantined from account_day where day = %s"


async def book_days(
    conn: Connection,
    readings: Iterable[tuple[Columns, NDArray[np.int8] | None]],
    quarantined: Sequence[Quarantined],
) -> None:
    """Count what did not become a row, in the caller's transaction; a message with a number is counted by that."""
    counts = Counter(
        (day, thing, fate)
        for columns, fates in readings
        if fates is not None
        for day, thing, fate in _not_stored(columns, fates)
    )
    for message in quarantined:
        if message.thing is not None and not message.numbers:
            counts[message.received_us // _DAY_US, message.thing, _QUARANTINE] += 1
    keys = {(day, thing) for day, thing, _ in counts}
    if keys:
        rows = [
            (at(day * _DAY_US).date(), thing, *(counts[day, thing, fate] for fate in _FATES)) for day, thing in keys
        ]
        await conn.execute(_BOOK, [list(column) for column in zip(*rows, strict=True)])


_QUARANTINE = -1
_FATES = (int(Fate.DUPLICATE), int(Fate.CONFLICT), _QUARANTINE)


def _not_stored(columns: Columns, fates: NDArray[np.int8]) -> Iterator[tuple[int, str, int]]:
    for row in np.flatnonzero(fates != Fate.COMMITTED).tolist():
        yield int(columns.time_us[row]) // _DAY_US, columns.thing[row], int(fates[row])


@dataclass(slots=True)
class Numbers:
    """What is stored of one boot on a day, and what of it is in quarantine."""

    first: int | None = None
    last: int = -1
    stored: int = 0
    quarantined: list[int] = field(default_factory=list)

    def add(self, first: int, last: int, stored: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last, self.stored = max(self.last, last), self.stored + stored

    def missing(self, gaps: Sequence[Gap]) -> tuple[int, list[Gap]]:
        """How many numbers the day has, and which of them are missing."""
        if self.first is None:
            return len(self.quarantined), []
        first = self._reach(gaps, self.first)
        named = [gap for gap in gaps if first <= gap[0] and gap[1] <= self.last]
        beyond = sum(not first <= number <= self.last for number in self.quarantined)
        return self.last - first + 1 + beyond, named

    def _reach(self, gaps: Sequence[Gap], first: int) -> int:
        """Down to the last number that came before the day."""
        before = {last: start for start, last in gaps} | {number: number for number in self.quarantined}
        while (start := before.get(first - 1)) is not None:
            first = start
        return first


@dataclass(slots=True)
class ThingDay:
    """The account of one sensor or corridor; `boots` by boot (-1 where the sender gives none)."""

    boots: dict[int, Numbers] = field(default_factory=dict)
    gaps: dict[int, list[Gap]] = field(default_factory=dict)
    unnumbered: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0


async def account_of_day(conn: Connection, kinds: Kinds, day: date) -> dict[str, ThingDay]:
    """What the database knows of a UTC day, by sensor or corridor; nothing of those that were silent."""
    start = datetime.combine(day, time(), UTC)
    bounds = (start, start + timedelta(days=1))
    days: dict[str, ThingDay] = {}
    for kind in kinds.values():
        query = sql.SQL(_STORED).format(subject=sql.Identifier(kind.subject), table=sql.Identifier(kind.name))
        for thing, boot, first, last, numbered, unnumbered in await (await conn.execute(query, bounds)).fetchall():
            entry = days.setdefault(thing, ThingDay())
            entry.unnumbered += unnumbered
            if numbered:
                entry.boots.setdefault(boot, Numbers()).add(first, last, numbered)
    for thing, boot, seq in await (await conn.execute(_QUARANTINED, bounds)).fetchall():
        days.setdefault(thing, ThingDay()).boots.setdefault(boot, Numbers()).quarantined.append(seq)
    for thing, *counts in await (await conn.execute(_OTHERS, (day,))).fetchall():
        entry = days.setdefault(thing, ThingDay())
        entry.duplicates, entry.conflicts, entry.quarantined = counts
    for thing, boot, first, last in await (await conn.execute(_GAPS, (list(days),))).fetchall():
        days[thing].gaps.setdefault(boot, []).append((first, last))
    return days
