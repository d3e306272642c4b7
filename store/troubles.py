"""What of each batch did not become a row: booked with the batch, read by who recognises faults of senders.

A few rows a batch at most: one for each thing and kind of trouble, whatever the number of its messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import class_row

from ingest.columns import Columns, Quarantined
from store.database import Connection
from store.spans import at
from store.staging import Fate

DUPLICATE, CONFLICT = "duplicate", "conflict"
"""Beside the reasons of the quarantine (`sensors.payload.Reason`)."""

_FATES = {Fate.DUPLICATE: DUPLICATE, Fate.CONFLICT: CONFLICT}

# Only of things that exist: the names come from topics, and anybody can invent those.
_BOOK = """
insert into batch_trouble
    (slot, batch, thing, what, times, first_received_at, last_received_at, min_time, max_time)
select %s, %s, new.*
from unnest(%s::text[], %s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
    %s::timestamptz[]) as new (thing, what, times, first_received, last_received, min_time, max_time)
where exists (select from sensor where id = thing) or exists (select from corridor where id = thing)"""

_READ = """
select thing, what, times, first_received_at, last_received_at, min_time, max_time
from batch_trouble trouble
join unnest(%s::smallint[], %s::bigint[]) as read (slot, last) on read.slot = trouble.slot
left join cursor on cursor.reader = %s and cursor.slot = trouble.slot
where trouble.batch > coalesce(cursor.batch, 0) and trouble.batch <= read.last
order by trouble.slot, trouble.batch, thing, what"""

_BETWEEN = """
select thing, what, times, first_received_at, last_received_at, min_time, max_time
from batch_trouble where first_received_at > %s and first_received_at <= %s order by slot, batch, thing, what"""


@dataclass(frozen=True, slots=True)
class TroubleRow:
    """Messages of one thing in one batch that became no rows, for one cause, with when they came and were measured."""

    thing: str
    what: str
    times: int
    first_received_at: datetime
    last_received_at: datetime
    min_time: datetime | None
    max_time: datetime | None


async def book_troubles(
    conn: Connection,
    batch: tuple[int, int],
    readings: Iterable[tuple[Columns, NDArray[np.int8] | None]],
    quarantined: Sequence[Quarantined],
) -> None:
    """Book what did not become a row of a batch (slot, number), in the caller's transaction."""
    found: dict[tuple[str, str], list[tuple[int, int | None]]] = {}
    for thing, what, received_us, time_us in (*_from_readings(readings), *_from_quarantine(quarantined)):
        found.setdefault((thing, what), []).append((received_us, time_us))
    if found:
        rows = [(*key, *_summed(moments)) for key, moments in sorted(found.items())]
        await conn.execute(_BOOK, (*batch, *map(list, zip(*rows, strict=True))))


async def read_troubles(conn: Connection, reader: str, cursors: Mapping[int, int]) -> list[TroubleRow]:
    """What a reader has not been through up to these batches (by slot), in commit order within each slot."""
    async with conn.cursor(row_factory=class_row(TroubleRow)) as cursor:
        await cursor.execute(_READ, (list(cursors), list(cursors.values()), reader))
        return await cursor.fetchall()


async def troubles_between(conn: Connection, after: datetime, until: datetime) -> list[TroubleRow]:
    """What first arrived in (after, until], in commit order within each slot."""
    async with conn.cursor(row_factory=class_row(TroubleRow)) as cursor:
        await cursor.execute(_BETWEEN, (after, until))
        return await cursor.fetchall()


def _from_readings(
    readings: Iterable[tuple[Columns, NDArray[np.int8] | None]],
) -> Iterator[tuple[str, str, int, int | None]]:
    for columns, fates in readings:
        for row in np.flatnonzero(fates != Fate.COMMITTED).tolist() if fates is not None else ():
            what = _FATES[Fate(int(fates[row]))]  # type: ignore[index]  # without fates there are no rows
            yield columns.thing[row], what, int(columns.received_us[row]), int(columns.time_us[row])


def _from_quarantine(messages: Iterable[Quarantined]) -> Iterator[tuple[str, str, int, int | None]]:
    for message in messages:
        if message.thing is not None:
            yield message.thing, message.reason.value, message.received_us, None


def _summed(moments: list[tuple[int, int | None]]) -> tuple[int, datetime, datetime, datetime | None, datetime | None]:
    received, measured = [moment for moment, _ in moments], [time for _, time in moments if time is not None]
    low, high = (at(min(measured)), at(max(measured))) if measured else (None, None)
    return len(moments), at(min(received)), at(max(received)), low, high
