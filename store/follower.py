"""One follower of the feed at a time: it holds a lock, goes on where the last one stopped, and is woken by events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from store.api_rows import EventRow
from store.database import Connection, listen, patient, wait_for_notices
from store.feed import EVENT_CHANNEL, feed_after, feed_cursor, latest_event, move_feed_cursor
from store.leadership import Lock, wait_for_lock


class Follower:
    """What comes next for one reader of the feed. Every method raises `DatabaseUnavailable` when there is none."""

    def __init__(self, conn: Connection, reader: str, cursor: int) -> None:
        self.cursor = cursor
        self._conn = conn
        self._reader = reader

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, reader: str, lock: Lock) -> AsyncIterator[Self]:
        """Wait until no other process follows as `reader`; who never followed begins with what comes from now on."""
        async with patient(url, name=reader) as conn:
            await wait_for_lock(conn, lock)
            await listen(conn, EVENT_CHANNEL)
            cursor = await feed_cursor(conn, reader)
            if cursor is None:
                cursor = await latest_event(conn)
                await move_feed_cursor(conn, reader, cursor)
            yield cls(conn, reader, cursor)

    async def next(self, limit: int) -> list[EventRow]:
        """What was not dealt with yet, oldest first."""
        return await feed_after(self._conn, self.cursor, limit)

    async def done(self, event: int) -> None:
        """Everything up to this event was dealt with."""
        await move_feed_cursor(self._conn, self._reader, event)
        self.cursor = event

    async def wait(self, timeout_s: float) -> None:
        """Until there may be something new, at most so long."""
        await wait_for_notices(self._conn, timeout_s)
