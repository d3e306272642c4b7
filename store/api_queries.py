"""What the API reads: the catalogue, states, readings over a range, the feed, and how far everybody is.

Reads only. Every method raises `DatabaseUnavailable` when the database is away, and the next one connects anew.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

from psycopg.rows import class_row

from sensors.catalogue import Catalogue
from store.access import DatabaseGrants
from store.api_readings import read_readings
from store.api_rows import ClockRow, EventRow, Progress, ReadingsQuery, ReadingsTable, StandingRow, StateRow
from store.catalogue import load_catalogue
from store.clocks import newest_clock
from store.database import Connection, Pool, away_is_unavailable, connected, listen, wait_for_notices
from store.faults import FaultRow, load_faults
from store.feed import EVENT_CHANNEL, EVERYTHING, FeedChoice, feed_after, feed_newest, latest_event
from store.leadership import Lock
from store.operations import Operations
from store.outlooks import OutlookRow, outlook_of
from store.quarantine import Choice, Dropped, Entry, dropped_so_far, find_entries
from store.raw_payloads import RawRow, raw_payloads_of
from store.situations import SituationChoice, SituationRow, read_situation, read_situations
from store.standings import standings_of
from store.writer import REPAIR_SLOT

_STATES = """
select sensor as thing, state.time, level, since, verdict, value as reading, coverage, abnormality, usual, z
from state left join outlook using (sensor) where %(things)s::text[] is null or sensor = any(%(things)s)"""

# The transaction that wrote a row is another after every change, in whichever order they commit.
_MARKS = "select sensor, state.xmin, outlook.xmin from state left join outlook using (sensor)"

# Slots are taken from the cursors and the locks: asking the table of batches for its slots would read all of it.
_PROGRESS = """
with held as (
    select objid::int as slot from pg_locks
    where locktype = 'advisory' and classid = %(lock)s and objsubid = 2 and granted and objid <> %(repair)s
      and database = (select oid from pg_database where datname = current_database())
),
newest as (
    select max(latest.committed_at) as committed_at
    from (select slot from held union select slot from cursor) as slots
    cross join lateral (
        select committed_at from batch where batch.slot = slots.slot order by batch desc limit 1
    ) as latest
),
unread as (
    select reader, min(oldest.committed_at) as since
    from cursor cross join lateral (
        select committed_at from batch
        where batch.slot = cursor.slot and batch.batch > cursor.batch order by batch limit 1
    ) as oldest
    group by reader
)
select clock_timestamp(),
    (select coalesce(array_agg(slot order by slot), '{}') from held),
    (select committed_at from newest),
    (select coalesce(array_agg(distinct reader), '{}') from cursor),
    (select coalesce(array_agg(reader order by reader), '{}') from unread),
    (select coalesce(array_agg(since order by reader), '{}') from unread)"""


class DatabaseSource:
    """Answers from the database: short queries share `pool`, notifications have a connection of their own."""

    def __init__(self, pool: Pool, url: str) -> None:
        self.operations = Operations(pool)
        self.grants = DatabaseGrants(self.operations)
        self._pool = pool
        self._url = url

    async def catalogue(self) -> Catalogue:
        async with self._connection() as conn:
            return await load_catalogue(conn)

    async def clock(self, things: Sequence[str]) -> ClockRow | None:
        async with self._connection() as conn:
            return await newest_clock(conn, things)

    async def standings(self, things: Sequence[str]) -> list[StandingRow]:
        async with self._connection() as conn:
            return await standings_of(conn, things)

    async def state_marks(self) -> dict[str, object]:
        async with self._connection() as conn:
            return {thing: tuple(mark) for thing, *mark in await (await conn.execute(_MARKS)).fetchall()}

    async def states(self, things: Sequence[str] | None = None) -> list[StateRow]:
        async with self._connection() as conn, conn.cursor(row_factory=class_row(StateRow)) as cursor:
            wanted = None if things is None else list(things)
            await cursor.execute(_STATES, {"things": wanted})
            return await cursor.fetchall()

    async def faults(self) -> list[FaultRow]:
        async with self._connection() as conn:
            return await load_faults(conn)

    async def outlook(self, thing: str) -> OutlookRow | None:
        async with self._connection() as conn:
            return await outlook_of(conn, thing)

    async def events_after(self, after: int, *, limit: int, choice: FeedChoice = EVERYTHING) -> list[EventRow]:
        async with self._connection() as conn:
            return await feed_after(conn, after, limit, choice)

    async def newest_events(self, *, limit: int, choice: FeedChoice = EVERYTHING) -> list[EventRow]:
        async with self._connection() as conn:
            return await feed_newest(conn, limit, choice)

    async def latest_event_id(self) -> int:
        async with self._connection() as conn:
            return await latest_event(conn)

    async def progress(self) -> Progress:
        values: dict[str, object] = {"lock": int(Lock.SLOT), "repair": REPAIR_SLOT}
        now, held, committed_at, readers, behind, since = await self._row(_PROGRESS, values)
        return Progress(now, tuple(held), committed_at, tuple(readers), dict(zip(behind, since, strict=True)))

    async def situations(self, choice: SituationChoice, *, before: str | None, limit: int) -> list[SituationRow]:
        async with self._connection() as conn:
            return await read_situations(conn, choice, before=before, limit=limit)

    async def situation(self, name: str) -> SituationRow | None:
        async with self._connection() as conn:
            return await read_situation(conn, name)

    async def quarantine(self, choice: Choice, *, before: int | None, limit: int) -> list[Entry]:
        async with self._connection() as conn:
            return await find_entries(conn, choice, before=before, limit=limit)

    async def raw_payloads(self, thing: str) -> list[RawRow]:
        async with self._connection() as conn:
            return await raw_payloads_of(conn, thing)

    async def quarantine_dropped(self) -> Dropped | None:
        async with self._connection() as conn:
            return await dropped_so_far(conn)

    async def readings(self, query: ReadingsQuery) -> ReadingsTable:
        """One row more than `query.limit` where there is a rest."""
        async with self._connection() as conn:
            return await read_readings(conn, query)

    def wakes(self, poll_s: float) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Yield at once, after every notification of an event, and every `poll_s` because one may be lost."""
        return self._wakes(poll_s)

    @asynccontextmanager
    async def _wakes(self, poll_s: float) -> AsyncIterator[AsyncIterator[None]]:
        with away_is_unavailable():
            async with connected(self._url, name="feed") as conn:
                await listen(conn, EVENT_CHANNEL)
                async with aclosing(_notices(conn, poll_s)) as notices:
                    yield notices

    async def _row(self, statement: str, values: dict[str, object]) -> tuple[Any, ...]:
        async with self._connection() as conn:
            row = await (await conn.execute(statement, values)).fetchone()
        assert row is not None
        return row

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with away_is_unavailable():
            async with self._pool.connection() as conn:
                yield conn


async def _notices(conn: Connection, poll_s: float) -> AsyncGenerator[None]:
    while True:
        yield
        await wait_for_notices(conn, poll_s)
