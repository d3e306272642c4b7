"""Connections to PostgreSQL: how they are opened, pooled, woken up, and which failures pass by themselves.

Every connection of the project comes from `connect`: UTC inside, keepalives in both directions so that a dead peer is
noticed within seconds (an advisory lock lives as long as the server believes in its client).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from types import TracebackType
from typing import Self

import msgspec
import numpy as np
import psycopg
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_dumps, set_json_loads

from sensors.errors import OperatorError

Connection = AsyncConnection[TupleRow]

CONNECT_TIMEOUT_S = 10
_KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
_SESSION = "-c TimeZone=UTC " + " ".join(f"-c tcp_{name}={value}" for name, value in _KEEPALIVE.items())
_RETRYABLE = (
    "08",  # the connection broke
    "25006",  # read-only: a standby that is being promoted, or an administrator at work
    "25P",  # a transaction was ended because it took too long
    "40",  # deadlock, serialisation: the other one won
    "53",  # out of connections, memory or disk: somebody may free some
    "55P03",  # a lock was not to be had in time
    "57",  # cancelled, shutting down, starting up
    "58",  # the server's disk or system failed
)
"""SQLSTATE prefixes (PostgreSQL documentation, appendix A) after which the same statement may succeed later."""
_TO_BE_MENDED = (
    "28",  # the role may not connect
    "3D",  # no such database
    "3F",  # no such schema
    "42",  # no such table or column, no right to it: not migrated, or rights were taken away
    "XX001",  # corrupted data
    "XX002",  # corrupted index
)
"""SQLSTATE prefixes of failures that no other data would avoid: somebody must mend the installation."""


class DatabaseUnavailable(OperatorError):  # noqa: N818  a state of the world, as SinkUnavailable
    """No usable database at the address; one line says what to do."""


class DatabaseLost(DatabaseUnavailable):
    """It was there: a connection that worked, or a statement that was under way, broke."""


def is_retryable(sqlstate: str | None) -> bool:
    """Whether trying again may help; None is a connection that broke without a word, an unknown state is permanent."""
    return sqlstate is None or sqlstate.startswith(_RETRYABLE)


def passes_by_itself(exc: psycopg.Error) -> bool:
    """Whether a failed statement may succeed later; errors of the client's own making never do."""
    return is_retryable(exc.sqlstate) and (exc.sqlstate is not None or isinstance(exc, psycopg.OperationalError))


def needs_mending(exc: psycopg.Error) -> bool:
    """Whether the installation is at fault and not what was sent: the same succeeds once somebody has mended it."""
    return exc.sqlstate is not None and exc.sqlstate.startswith(_TO_BE_MENDED)


def place(url: str) -> str:
    """Host, port and database of a URL, for messages: never the password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "the database URL (it is not a PostgreSQL URL)"
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


async def connect(url: str, *, name: str) -> Connection:
    """Open one connection in autocommit mode; `name` is what an administrator sees in pg_stat_activity.

    Raises `DatabaseUnavailable`.
    """
    try:
        options = " ".join(filter(None, (str(conninfo_to_dict(url).get("options") or ""), _SESSION)))
        info = make_conninfo(
            url, application_name=f"vigie {name}", options=options, connect_timeout=CONNECT_TIMEOUT_S, **_KEEPALIVE
        )
        conn = await AsyncConnection.connect(info, autocommit=True)
    except psycopg.Error as exc:
        reason = str(exc).strip().splitlines()[-1] if str(exc).strip() else "no answer"
        raise DatabaseUnavailable(f"cannot use the database at {place(url)}: {reason}") from exc
    # In a third and a twentieth of the time; all states are a hundred values, and every step writes its memory.
    set_json_loads(msgspec.json.decode, conn)
    set_json_dumps(partial(msgspec.json.encode, enc_hook=_plain), conn)
    return conn


def _plain(value: object) -> object:
    """What JSON takes, of what JSON does not know but stands for something that it does."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


@asynccontextmanager
async def connected(url: str, *, name: str) -> AsyncIterator[Connection]:
    """One connection for the length of a block."""
    conn = await connect(url, name=name)
    async with conn:
        yield conn


@asynccontextmanager
async def patient(url: str, *, name: str) -> AsyncIterator[Connection]:
    """One connection for a block that somebody tries again when the database goes away; `DatabaseUnavailable` then."""
    conn = await connect(url, name=name)
    try:
        yield conn
    except psycopg.Error as exc:
        if not passes_by_itself(exc):
            raise
        raise DatabaseLost(f"the database at {place(url)} went away: {exc}") from exc
    finally:
        await conn.close()


@contextmanager
def away_is_unavailable() -> Iterator[None]:
    """A failure that passes by itself is a database that is away; everything else is a defect and stays one."""
    try:
        yield
    except psycopg.Error as exc:
        if passes_by_itself(exc):
            raise DatabaseLost(f"the database went away: {exc}") from exc
        raise


async def listen(conn: Connection, channel: str) -> None:
    """Subscribe a connection to notifications of one channel."""
    await conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))


async def wait_for_notices(conn: Connection, timeout_s: float) -> set[str]:
    """Wait until the connection is notified; on which channels. None after `timeout_s`: a notification may be lost.

    To the end, because leaving the iteration early would lose what came in the same packet.
    """
    return {notice.channel async for notice in conn.notifies(timeout=timeout_s, stop_after=1)}


class Pool:
    """A few connections shared by many short queries: at most `size` at once, opened when first needed."""

    def __init__(self, url: str, *, name: str, size: int) -> None:
        self._url = url
        self._name = name
        self._free: list[Connection] = []
        self._places = asyncio.Semaphore(size)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._free:
            await self._free.pop().close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection; a broken one is not given back. Raises `DatabaseUnavailable`."""
        async with self._places:
            conn = await self._take()
            try:
                yield conn
            finally:
                await self._give_back(conn)

    async def _take(self) -> Connection:
        while self._free:
            conn = self._free.pop()
            if not conn.closed:
                return conn
        return await connect(self._url, name=self._name)

    async def _give_back(self, conn: Connection) -> None:
        if conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            self._free.append(conn)
        else:
            await conn.close()
