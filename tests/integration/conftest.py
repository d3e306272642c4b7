"""A migrated database and readings to put into it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import numpy as np
import pytest

from api.access.tokens import hash_of
from ingest.columns import ABSENT, Batch, Columns
from sensors.kind import Kind, Kinds, load_kinds
from store.access import NewGrant, create_grant
from store.database import connected
from store.migrate import migrate

KEY = f"vigie_{'k' * 43}"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
WAIT_S = 10.0
START_US = int(START.timestamp()) * 1_000_000

MakeBatch = Callable[..., Batch]
CopyOf = Callable[[str, Callable[[str], None]], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def kinds() -> Kinds:
    """Few kinds make few tables: traffic, passages with a longer key, travel times of corridors."""
    return Kinds({name: load_kinds()[name] for name in ("traffic", "passage", "travel_time")})


@pytest.fixture
def migrated_url(copy_of: CopyOf, kinds: Kinds) -> Iterator[str]:
    """A database that was migrated for `kinds` and has the key of `bearer`."""
    with copy_of(f"migrated {sorted(kinds)}", lambda url: asyncio.run(_migrated(url, kinds))) as url:
        yield url


async def _migrated(url: str, kinds: Kinds) -> None:
    await migrate(url, kinds)
    await add_key(url)


async def add_key(url: str) -> None:
    async with connected(url, name="test") as conn:
        await create_grant(conn, NewGrant("key", "operator", hash_of(KEY), ["admin"], None, 100_000, None))


@pytest.fixture
def with_key() -> Callable[[str], Awaitable[None]]:
    """Give a migrated database the key of `bearer`."""
    return add_key


@pytest.fixture
def bearer() -> dict[str, str]:
    """The headers of somebody who may do everything in `migrated_url`."""
    return {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def make_columns(kinds: Kinds) -> Callable[..., Columns]:
    """Readings of one kind, one per entry of `seconds` (after START); `speed` goes into the kind's first field."""

    def make(
        seconds: Sequence[float],
        *,
        kind: Kind | None = None,
        things: Sequence[str] = ("W01-F1",),
        site: str = "W01",
        value: float | Sequence[float] = 50.0,
        quality: int = 0,
        seq: int = ABSENT,
        texts: tuple[list[str | None], ...] | None = None,
    ) -> Columns:
        kind, rows = kind or kinds["traffic"], len(seconds)
        values = np.full((rows, len(kind.fields)), np.nan, np.float32)
        values[:, 0] = value
        time_us = START_US + np.round(np.array(seconds, np.float64) * 1e6).astype(np.int64)
        return Columns(
            kind=kind,
            time_us=time_us,
            received_us=time_us + 5000,
            thing=[things[row % len(things)] for row in range(rows)],
            site=[site] * rows,
            boot=np.full(rows, ABSENT, np.int64),
            seq=np.full(rows, seq, np.int64),
            quality=np.full(rows, quality, np.int16),
            values=values,
            texts=texts if texts is not None else tuple([None] * rows for _ in kind.texts),
        )

    return make


@pytest.fixture
def make_batch(make_columns: Callable[..., Columns]) -> MakeBatch:
    """A batch of one kind; the arguments are those of `make_columns`."""

    def make(seconds: Sequence[float], *, slot: int = 0, **rest: object) -> Batch:
        return Batch(slot, (make_columns(seconds, **rest),), (), ())

    return make


@pytest.fixture
def until_waiting(database_url: str) -> Callable[[str], Awaitable[None]]:
    """Return when the connection of that name waits for a lock."""
    query = "select 1 from pg_stat_activity where application_name = %s and wait_event_type = 'Lock'"

    async def wait(application: str) -> None:
        async with connected(database_url, name="test") as conn, asyncio.timeout(WAIT_S):
            while not await (await conn.execute(query, (application,))).fetchone():
                await asyncio.sleep(0.01)

    return wait
