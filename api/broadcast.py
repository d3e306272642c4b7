"""One reader of the event feed per process, fanning out to every open stream through bounded queues.

A stream subscribes first and then reads what it missed from the database; because ids are in commit order, dropping
what it has already sent leaves neither a gap nor a double. Who falls behind by more than its queue loses the queue,
not the events: it is told to resume from the last id it was sent, and reads the rest from the database.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from api.frames import COMMENT, alert_frame, heartbeat_frame
from api.heartbeat import heartbeat
from api.source import Source
from store.api_rows import EventRow
from store.database import DatabaseUnavailable

PAGE_ROWS = 1000
KEPT_OPEN_S = 15.0
"""A stream hears something at least so often: proxies close a line that is silent for a minute or even half of it."""
_RETRY_S = 0.5

_log = structlog.get_logger(__name__)


class End(enum.Enum):
    """Why a subscription delivers nothing more."""

    CLOSED = "closed"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class Told:
    """What streams are sent, as it goes over the wire. row: the event; None for what is not of the feed."""

    frame: bytes
    row: EventRow | None = None


class Subscription:
    """The queue of one stream. Iterate over it; it ends with its `end` set."""

    def __init__(self, backlog: int) -> None:
        self.end: End | None = None
        self._items: asyncio.Queue[Told | None] = asyncio.Queue(backlog)

    @property
    def waits(self) -> bool:
        """Whether it has been sent everything."""
        return self._items.empty()

    def offer(self, told: Told) -> None:
        if self.end is None and self._items.full():
            self.stop(End.BEHIND)
        elif self.end is None:
            self._items.put_nowait(told)

    def stop(self, end: End) -> None:
        """Forget the backlog and end the iteration: the client resumes by id."""
        if self.end is not None:
            return
        self.end = end
        while not self._items.empty():
            self._items.get_nowait()
        self._items.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Told]:
        while (told := await self._items.get()) is not None:
            yield told


class Feed:
    """The event feed of this process: `subscribe` follows, `close` ends.

    `run` reads it, `beat` lets its heart beat, `keep_open` speaks where nothing happens.
    """

    def __init__(
        self, source: Source, *, backlog: int, poll_s: float, heartbeat_s: float, kept_open_s: float = KEPT_OPEN_S
    ) -> None:
        self._source = source
        self._backlog = backlog
        self._poll_s = poll_s
        self._heartbeat_s = heartbeat_s
        self._kept_open_s = kept_open_s
        self._subscriptions: set[Subscription] = set()
        self._last: int | None = None
        self._positioned = asyncio.Event()
        self._closed = False
        self.dropped = 0

    @property
    def streams(self) -> int:
        return len(self._subscriptions)

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """Everything that is committed from now on; wait for `positioned` before reading what was before."""
        subscription = Subscription(self._backlog)
        if self._closed:
            subscription.stop(End.CLOSED)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def positioned(self) -> None:
        """Wait until the feed knows where it stands, or is closed."""
        await self._positioned.wait()

    def close(self) -> None:
        """End every stream, present and future: the service is stopping."""
        self._closed = True
        self._positioned.set()
        for subscription in self._subscriptions:
            subscription.stop(End.CLOSED)

    async def run(self) -> None:
        """Follow the feed until cancelled; a database that is away is waited for, and nothing is skipped."""
        reported = False
        while True:
            try:
                await self._follow()
            except DatabaseUnavailable as exc:
                if not reported:
                    _log.warning("feed.database_unavailable", reason=str(exc))
                reported = True
                await asyncio.sleep(_RETRY_S)
            else:
                reported = False

    async def beat(self) -> None:
        """Tell every stream how far the feed is and how old the data, until cancelled; silent while nobody knows."""
        while True:
            await asyncio.sleep(self._heartbeat_s)
            if not self._subscriptions or self._last is None:
                continue
            try:
                progress = await self._source.progress()
            except DatabaseUnavailable as exc:
                _log.debug("feed.no_heartbeat", reason=str(exc))
                continue
            self._offer(Told(heartbeat_frame(heartbeat(progress, self._last, self._heartbeat_s))))

    async def keep_open(self) -> None:
        """Say something to every stream that has nothing to say, until cancelled."""
        while True:
            await asyncio.sleep(self._kept_open_s)
            for subscription in self._subscriptions:
                if subscription.waits:
                    subscription.offer(Told(COMMENT))

    async def _follow(self) -> None:
        async with self._source.wakes(self._poll_s) as wakes:
            if self._last is None:
                self._last = await self._source.latest_event_id()
            self._positioned.set()
            async for _ in wakes:
                await self._drain()

    async def _drain(self) -> None:
        assert self._last is not None
        full = True
        while full:
            rows = await self._source.events_after(self._last, limit=PAGE_ROWS)
            for row in rows:
                self._last = row.id
                self._offer(Told(alert_frame(row), row))
            full = len(rows) == PAGE_ROWS

    def _offer(self, told: Told) -> None:
        for subscription in self._subscriptions:
            before = subscription.end
            subscription.offer(told)
            self.dropped += before is None and subscription.end is End.BEHIND
