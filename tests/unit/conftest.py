"""A source of data in memory for the API: small, complete, and in the order of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx
import pytest
from fastapi import FastAPI

from api.access.tokens import hash_of
from api.app import broadcasting, create_app
from api.server import serve
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.kind import Kinds, load_kinds
from store.access import Grant, Use
from store.api_rows import ClockRow, EventRow, Progress, ReadingsQuery, ReadingsTable, StandingRow, StateRow
from store.database import DatabaseUnavailable, Pool
from store.faults import FaultRow
from store.feed import EVERYTHING, FeedChoice
from store.operations import Operations
from store.outlooks import OutlookRow
from store.quarantine import Choice, Dropped, Entry
from store.raw_payloads import RawRow
from store.situations import SituationChoice, SituationRow

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
KEY = f"vigie_{'k' * 43}"
BEARER = {"authorization": f"Bearer {KEY}"}


class MemoryGrants:
    """Keys, links and sessions by their hash; the test's own key may do everything."""

    def __init__(self) -> None:
        self.held: dict[tuple[bytes, Use], Grant] = {}
        self.add(KEY, "key", name="operator", scopes=["admin"])

    def add(self, token: str, use: Use, *, name: str, scopes: list[str], **rest: Any) -> None:
        told = {
            "terminal": None,
            "per_minute": 100_000,
            "expires_at": None,
            "used_at": None,
            "revoked_at": None,
            **rest,
        }
        number = len(self.held) + 1
        self.held[hash_of(token), use] = Grant(number, use, name, scopes, created_at=NOW, **told)

    async def find(self, hash_: bytes, use: Use) -> Grant | None:
        return self.held.get((hash_, use))

    async def redeem(self, link: bytes, session: bytes) -> bool:
        found = self.held.pop((link, "link"), None)
        if found is not None:
            self.held[session, "session"] = found
        return found is not None


class MemorySource:
    def __init__(self) -> None:
        self.installed = shipped_catalogue()
        self.state: dict[str, StateRow] = {}
        self.wrong: list[FaultRow] = []
        self.outlooks: dict[str, OutlookRow] = {}
        self.clocks: dict[str, ClockRow] = {}
        self.standing: list[StandingRow] = []
        self.events: list[EventRow] = []
        self.table = ReadingsTable([], {})
        self.asked: list[ReadingsQuery] = []
        self.raw: dict[str, list[RawRow]] = {}
        self.entries: list[Entry] = []
        self.dropped: Dropped | None = None
        self.situation_rows: list[SituationRow] = []
        self.chosen: list[SituationChoice] = []
        self.behind = Progress(NOW, (0,), NOW, ("analytics",), {})
        self.operations = Operations(Pool("postgresql://nobody@127.0.0.1:1/nowhere", name="away", size=1))
        self.grants = MemoryGrants()
        self.away = False
        self.broken = False
        self._changed = asyncio.Condition()

    def _reach(self) -> None:
        if self.away:
            raise DatabaseUnavailable("cannot use the database at localhost:5432/vigie: connection refused")
        if self.broken:
            raise RuntimeError("secret inside")

    async def add_event(self, subject: str = "W07-G1", **data: object) -> EventRow:
        row = EventRow(len(self.events) + 1, NOW, "vigie.congestion.began.v1", subject, {"level": "congested", **data})
        self.events.append(row)
        async with self._changed:
            self._changed.notify_all()
        return row

    async def catalogue(self) -> Catalogue:
        self._reach()
        return self.installed

    async def standings(self, things: Sequence[str]) -> list[StandingRow]:
        return [row for row in self.standing if row.thing in things]

    async def clock(self, things: Sequence[str]) -> ClockRow | None:
        self._reach()
        return next((self.clocks[thing] for thing in things if thing in self.clocks), None)

    async def state_marks(self) -> dict[str, object]:
        self._reach()
        return dict(self.state)

    async def states(self, things: Sequence[str] | None = None) -> list[StateRow]:
        self._reach()
        return [row for row in self.state.values() if things is None or row.thing in things]

    async def faults(self) -> list[FaultRow]:
        self._reach()
        return self.wrong

    async def outlook(self, thing: str) -> OutlookRow | None:
        self._reach()
        return self.outlooks.get(thing)

    async def readings(self, query: ReadingsQuery) -> ReadingsTable:
        self._reach()
        self.asked.append(query)
        return self.table

    async def events_after(self, after: int, *, limit: int, choice: FeedChoice = EVERYTHING) -> list[EventRow]:
        self._reach()
        rows = [row for row in self.events if row.id > after and choice.matches(row)]
        return rows[:limit]

    async def newest_events(self, *, limit: int, choice: FeedChoice = EVERYTHING) -> list[EventRow]:
        self._reach()
        return [row for row in self.events if choice.matches(row)][-limit:]

    async def latest_event_id(self) -> int:
        self._reach()
        return len(self.events)

    async def quarantine(self, choice: Choice, *, before: int | None, limit: int) -> list[Entry]:
        self._reach()
        wanted = [e for e in self.entries if choice.ids is None or e.id in choice.ids]
        wanted = [e for e in wanted if choice.thing in (None, e.thing) and choice.reason in (None, e.reason)]
        return sorted((e for e in wanted if before is None or e.id < before), key=lambda e: -e.id)[:limit]

    async def raw_payloads(self, thing: str) -> list[RawRow]:
        self._reach()
        return self.raw.get(thing, [])

    async def quarantine_dropped(self) -> Dropped | None:
        self._reach()
        return self.dropped

    async def situations(self, choice: SituationChoice, *, before: str | None, limit: int) -> list[SituationRow]:
        self._reach()
        self.chosen.append(choice)
        rows = sorted(self.situation_rows, key=lambda row: (row.onset, row.id), reverse=True)
        ids = [row.id for row in rows]
        return rows[ids.index(before) + 1 if before in ids else 0 :][:limit]

    async def situation(self, name: str) -> SituationRow | None:
        self._reach()
        return next((row for row in self.situation_rows if row.id == name), None)

    async def progress(self) -> Progress:
        self._reach()
        return self.behind

    @asynccontextmanager
    async def wakes(self, poll_s: float) -> AsyncIterator[AsyncIterator[None]]:
        assert poll_s > 0
        self._reach()
        async with aclosing(self._notices()) as notices:
            yield notices

    async def _notices(self) -> AsyncGenerator[None]:
        while True:
            yield
            async with self._changed:
                await self._changed.wait()


@pytest.fixture(scope="session")
def kinds() -> Kinds:
    return load_kinds()


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


@pytest.fixture
def app(source: MemorySource, kinds: Kinds) -> FastAPI:
    return create_app(source, kinds, now=lambda: NOW)


@pytest.fixture(scope="session")
def document(kinds: Kinds) -> dict[str, Any]:
    """The OpenAPI document, only to be looked at: it takes most of a second to make."""
    return create_app(MemorySource(), kinds).openapi()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with broadcasting(app), _client(transport) as client:
        yield client


def _client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000", headers=BEARER)


@pytest.fixture
def bearer() -> dict[str, str]:
    """The headers of somebody who may do everything."""
    return BEARER


@pytest.fixture
def congested() -> StateRow:
    """A gate with a queue, as analytics writes it."""
    since = NOW - timedelta(minutes=20)
    return StateRow("W07-G1", NOW, 2, since, "traffic", {"queue_trucks": 34.0, "wait_s": 1830.0, "service_s": None})


class Served:
    """The app behind a real uvicorn on a port of its own."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._url: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(serve(self._app, "127.0.0.1", 0, self._url.set_result), name="serve")
        self.url = await asyncio.wait_for(self._url, 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


@pytest.fixture
async def served(app: FastAPI) -> AsyncIterator[Served]:
    async with Served(app) as served:
        yield served


@pytest.fixture
def sse() -> Callable[..., AbstractAsyncContextManager[AsyncIterator[dict[str, str]]]]:
    """Open an event stream: an iterator of its events, comments left out."""
    return open_stream


@asynccontextmanager
async def open_stream(url: str, **headers: str) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
    async with (
        httpx.AsyncClient(timeout=10, headers=BEARER) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        async with aclosing(_events(response)) as events:
            yield events


async def _events(response: httpx.Response) -> AsyncGenerator[dict[str, str]]:
    event: dict[str, str] = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name and value:
            event[name] = value
        elif not line and "data" in event:
            yield event
            event = {}


@pytest.fixture
def served_with() -> type[Served]:
    """Serve an app with settings of its own."""
    return Served
