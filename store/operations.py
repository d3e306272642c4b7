"""What people and systems do through the API: each action one transaction, done once however often it is asked for.

The answer to an action is stored under its idempotency key in the transaction of the action. Who asks again is given
the same answer; who asks at the same time waits for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from store.database import Connection, Pool, away_is_unavailable

_T = TypeVar("_T")

_CLAIM = """
insert into answered (who, key, digest) values (%s, %s, %s) on conflict (who, key) do nothing returning true"""
_ANSWERED = "select digest, status, etag, body from answered where who = %s and key = %s"
_ANSWER = "update answered set status = %s, etag = %s, body = %s where who = %s and key = %s"


class KeyReused(Exception):  # noqa: N818  an answer, not a failure
    """An idempotency key that was given with another request before."""


@dataclass(frozen=True, slots=True)
class Once:
    """An idempotency key of somebody, and the digest of what is asked under it."""

    who: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: a JSON body, and its ETag if it has one. again: it was given before."""

    status: int
    body: bytes
    etag: str | None = None
    again: bool = False


class Operations:
    """Reads and actions over a pool; every method raises `DatabaseUnavailable` when the database is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, query: Callable[[Connection], Awaitable[_T]]) -> _T:
        with away_is_unavailable():
            async with self._pool.connection() as conn:
                return await query(conn)

    async def answered(self, once: Once) -> Answer | None:
        """The answer that was given under this key. Raises `KeyReused`."""
        return await self.read(lambda conn: _answered(conn, once))

    async def act(self, once: Once | None, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """Do `work` in a transaction, unless it was answered before. Raises `KeyReused`, and what `work` raises."""
        with away_is_unavailable():
            async with self._pool.connection() as conn, conn.transaction():
                return await work(conn) if once is None else await _once(conn, once, work)


async def _once(conn: Connection, once: Once, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    claimed = await (await conn.execute(_CLAIM, (once.who, once.key, once.digest))).fetchone()
    if claimed is None:
        given = await _answered(conn, once)
        assert given is not None
        return given
    answer = await work(conn)
    await conn.execute(_ANSWER, (answer.status, answer.etag, answer.body, once.who, once.key))
    return answer


async def _answered(conn: Connection, once: Once) -> Answer | None:
    row = await (await conn.execute(_ANSWERED, (once.who, once.key))).fetchone()
    if row is None:
        return None
    digest, status, etag, body = row
    if bytes(digest) != once.digest:
        raise KeyReused
    return Answer(status, bytes(body), etag, again=True)
