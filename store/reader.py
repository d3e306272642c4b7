"""Committed batches in commit order, for whoever makes something of them: analytics, rollups.

A reader has a name and one cursor per slot. Numbers of batches are given before commit, but a slot has one transaction
in flight, so within a slot nothing can appear behind its cursor. Cursors move only in the transaction that stores what
the reader made of the batches (`advance`): reading again before that gives the same batches again.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from psycopg import sql
from psycopg.rows import class_row

from sensors.kind import Kind, Kinds
from store.copy_out import ReadColumns, copy_columns, joined, selected
from store.database import Connection, connect, listen, wait_for_notices
from store.spans import SPAN_GAP_US

BATCH_CHANNEL = "vigie_batch"
_GAP = timedelta(microseconds=SPAN_GAP_US)
_SPANS_AT_ONCE = 4096
"""Rows of `batch` looked at per slot and step: more than one batch can have."""

# Slots are found by stepping through the primary key: a plain distinct would read the whole table.
_UNREAD = """
with recursive slots as (
    (select slot from batch order by slot limit 1)
    union all
    select (select slot from batch where batch.slot > slots.slot order by slot limit 1)
    from slots where slots.slot is not null
)
select unread.slot, unread.batch, unread.kind, unread.min_time, unread.max_time, unread.rows,
    unread.committed_at
from slots
left join cursor on cursor.reader = %(reader)s and cursor.slot = slots.slot
cross join lateral (
    select * from batch where batch.slot = slots.slot and batch.batch > coalesce(cursor.batch, 0)
    order by batch.batch limit %(limit)s
) unread
where slots.slot is not null
order by unread.slot, unread.batch"""

_READ = """
select {columns} from {table}
where time between {low} and {high} and batch = any({batches}) order by time"""

_ADVANCE = """
insert into cursor (reader, slot, batch) select %s, * from unnest(%s::smallint[], %s::bigint[])
on conflict (reader, slot) do update set batch = greatest(cursor.batch, excluded.batch)"""


class BatchSpan(NamedTuple):
    """A stretch of time in which a batch stored readings of a kind; bounds included."""

    slot: int
    batch: int
    kind: str
    min_time: datetime
    max_time: datetime
    rows: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Unread:
    """The next batches of one slot that a reader has not been through, up to and including `last`."""

    slot: int
    last: int
    spans: tuple[BatchSpan, ...]


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """The readings of consecutive batches of one slot, up to and including the number `last`."""

    slot: int
    last: int
    columns: tuple[ReadColumns, ...]

    @property
    def cursor(self) -> tuple[int, int]:
        """What to advance to when this is done with."""
        return self.slot, self.last


class BatchReader:
    """Read batches on a connection; the same one may store what is made of them."""

    def __init__(self, conn: Connection, reader: str, kinds: Kinds) -> None:
        self._conn = conn
        self._reader = reader
        self._kinds = kinds

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, reader: str, kinds: Kinds) -> AsyncIterator[Self]:
        """A reader with a connection of its own, subscribed to notifications. Raises `DatabaseUnavailable`."""
        conn = await connect(url, name=reader)
        async with conn:
            await listen(conn, BATCH_CHANNEL)
            yield cls(conn, reader, kinds)

    @property
    def connection(self) -> Connection:
        return self._conn

    async def next(self, limit_rows: int, limit_time: timedelta = timedelta.max) -> list[ReadBatch]:
        """Read what follows the cursors: per slot whole batches as `unread` has them, at least one."""
        found = await unread(self._conn, self._reader, limit_rows, limit_time)
        return [ReadBatch(part.slot, part.last, tuple([c async for c in self._columns(part)])) for part in found]

    async def wait(self, poll_s: float) -> set[str]:
        """Return the channels when something was notified, none after `poll_s`: a notification may be lost."""
        return await wait_for_notices(self._conn, poll_s)

    async def _columns(self, part: Unread) -> AsyncIterator[ReadColumns]:
        by_kind = sorted(part.spans, key=lambda span: span.kind)
        for name, spans in itertools.groupby(by_kind, key=lambda span: span.kind):
            # A kind whose definition is gone keeps its rows, but nobody here can say what they mean.
            if kind := self._kinds.get(name):
                yield await self._of_kind(kind, list(spans))

    async def _of_kind(self, kind: Kind, spans: list[BatchSpan]) -> ReadColumns:
        parts = [await copy_columns(self._conn, kind, read_query(kind, near)) for near in clusters(spans)]
        return parts[0] if len(parts) == 1 else joined(kind, parts)


async def unread(conn: Connection, reader: str, limit_rows: int, limit_time: timedelta = timedelta.max) -> list[Unread]:
    """The next batches of each slot: about `limit_rows` readings per slot, whole batches, at least one.

    They lie within about `limit_time` of event time, that of all kinds added up.
    """
    async with conn.cursor(row_factory=class_row(BatchSpan)) as cursor:
        await cursor.execute(_UNREAD, {"reader": reader, "limit": _SPANS_AT_ONCE})
        spans = await cursor.fetchall()
    by_slot = itertools.groupby(spans, key=lambda span: span.slot)
    return [_bounded(slot, list(group), limit_rows, limit_time) for slot, group in by_slot]


async def advance(conn: Connection, reader: str, cursors: Mapping[int, int]) -> None:
    """Move cursors (batch by slot), in the transaction that stores what was made of the batches; never back."""
    await conn.execute(_ADVANCE, (reader, list(cursors), list(cursors.values())))


def read_query(kind: Kind, near: Sequence[BatchSpan]) -> sql.Composed:
    """Select the readings of batches whose spans lie near each other, by the time index."""
    return sql.SQL(_READ).format(
        columns=selected(kind),
        table=sql.Identifier(kind.name),
        low=sql.Literal(min(span.min_time for span in near)),
        high=sql.Literal(max(span.max_time for span in near)),
        batches=sql.Literal(sorted({span.batch for span in near})),
    )


def clusters(spans: Iterable[BatchSpan]) -> Iterator[list[BatchSpan]]:
    """Group spans that one scan of the time index should cover: no gap longer than an hour inside a group."""
    near: list[BatchSpan] = []
    reached = datetime.max.replace(tzinfo=UTC)
    for span in sorted(spans, key=lambda span: span.min_time):
        if near and span.min_time - reached > _GAP:
            yield near
            near = []
        reached = max(reached, span.max_time) if near else span.max_time
        near.append(span)
    if near:
        yield near


def _bounded(slot: int, spans: list[BatchSpan], limit_rows: int, limit_time: timedelta) -> Unread:
    numbers = sorted({span.batch for span in spans})
    if len(spans) == _SPANS_AT_ONCE and len(numbers) > 1:
        numbers.pop()  # perhaps only a part of its spans was returned
    rows, time = dict.fromkeys(numbers, 0), dict.fromkeys(numbers, timedelta())
    for span in spans:
        if span.batch in rows:
            rows[span.batch] += span.rows
            time[span.batch] += span.max_time - span.min_time
    running = zip(itertools.accumulate(rows.values()), itertools.accumulate(time.values()), strict=True)
    wanted = sum(count <= limit_rows and passed <= limit_time for count, passed in running) or 1
    last = numbers[wanted - 1]
    return Unread(slot, last, tuple(span for span in spans if span.batch <= last))
