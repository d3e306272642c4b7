"""Followers of the feed: events in order, and how far each follower has come."""

from __future__ import annotations

from psycopg.rows import class_row

from store.api_rows import EventRow
from store.database import Connection

EVENT_CHANNEL = "vigie_event"

_AFTER = "select id, time, type, subject, data from event where id > %s order by id limit %s"
_CURSOR = "select event from feed_cursor where reader = %s"
_MOVE = """
insert into feed_cursor (reader, event) values (%s, %s)
on conflict (reader) do update set event = excluded.event, moved_at = clock_timestamp()"""


async def feed_cursor(conn: Connection, reader: str) -> int | None:
    """The last event that a follower has dealt with; None where it never began."""
    row = await (await conn.execute(_CURSOR, (reader,))).fetchone()
    return None if row is None else int(row[0])


async def move_feed_cursor(conn: Connection, reader: str, event: int) -> None:
    """In the transaction that stores what the follower made of the events up to this one."""
    await conn.execute(_MOVE, (reader, event))


async def feed_after(conn: Connection, event: int, limit: int) -> list[EventRow]:
    async with conn.cursor(row_factory=class_row(EventRow)) as cursor:
        await cursor.execute(_AFTER, (event, limit))
        return await cursor.fetchall()
