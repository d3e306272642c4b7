"""Who may ask: keys, sign-in links and sessions, each known by the hash of what was given and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from psycopg.rows import class_row

from store.database import Connection
from store.operations import Operations

Use = Literal["key", "link", "session"]

KEPT_FOR = timedelta(days=90)
"""How long what is over stays listed: shorter and nobody can say whose key it was, longer keeps names for nothing."""

SESSION_LASTS = timedelta(hours=12)
"""Of a signed-in browser: a shift with its hand-over. Shorter signs an operator out at work, longer leaves one open."""
LINK_LASTS = timedelta(hours=1)
"""Of a sign-in link that nobody opened: it stands in a terminal's history meanwhile."""

_COLUMNS = "id, use, name, scopes, terminal, per_minute, created_at, expires_at, used_at, revoked_at"
_VALID = "revoked_at is null and (expires_at is null or expires_at > clock_timestamp())"
_CREATE = f"""
insert into access_grant (use, name, hash, scopes, terminal, per_minute, expires_at)
values (%(use)s, %(name)s, %(hash)s, %(scopes)s, %(terminal)s, %(per_minute)s,
    clock_timestamp() + %(lasts)s::interval) returning {_COLUMNS}"""  # noqa: S608  constants
_FIND = f"select {_COLUMNS} from access_grant where hash = %s and use = %s and {_VALID}"  # noqa: S608  constants
# Once a minute at the most: a row that is written at every request is a new version of it each time.
_USED = """
update access_grant set used_at = clock_timestamp()
where id = %s and (used_at is null or used_at < clock_timestamp() - interval '1 minute')"""
_REDEEM = f"""
update access_grant set used_at = clock_timestamp(), revoked_at = clock_timestamp()
where hash = %s and use = 'link' and {_VALID} returning {_COLUMNS}"""  # noqa: S608  constants
_LIST = f"select {_COLUMNS} from access_grant where use <> 'link' order by id"  # noqa: S608  constants
_REVOKE = f"""
update access_grant set revoked_at = clock_timestamp()
where {_VALID} and (id = %(id)s or name = %(name)s) returning {_COLUMNS}"""  # noqa: S608  constants
_TERMINALS = "select code from terminal order by code"
_FORGET = "delete from access_grant where least(expires_at, revoked_at) < clock_timestamp() - %s::interval"


@dataclass(frozen=True, slots=True)
class NewGrant:
    """What is to be given. hash: SHA-256 of what the other side keeps; lasts: None is until it is revoked."""

    use: Use
    name: str
    hash: bytes
    scopes: Sequence[str]
    terminal: str | None
    per_minute: int
    lasts: timedelta | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What was given to somebody, and when it was used last, to the minute."""

    id: int
    use: Use
    name: str
    scopes: list[str]
    terminal: str | None
    per_minute: int
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


async def create_grant(conn: Connection, new: NewGrant) -> Grant:
    values = {name: getattr(new, name) for name in NewGrant.__slots__} | {"scopes": list(new.scopes)}
    (grant,) = await _grants(conn, _CREATE, values)
    return grant


async def find_grant(conn: Connection, hash_: bytes, use: Use) -> Grant | None:
    """What belongs to a hash, while it is valid; that it was used is noted."""
    found = await _grants(conn, _FIND, (hash_, use))
    if found:
        await conn.execute(_USED, (found[0].id,))
    return found[0] if found else None


async def redeem_link(conn: Connection, hash_: bytes, session: bytes, lasts: timedelta) -> Grant | None:
    """Begin a session for who brings a link, once: of two who bring it at the same time one gets it."""
    async with conn.transaction():
        link = await _grants(conn, _REDEEM, (hash_,))
        if not link:
            return None
        of = link[0]
        return await create_grant(
            conn, NewGrant("session", of.name, session, of.scopes, of.terminal, of.per_minute, lasts)
        )


async def list_grants(conn: Connection) -> list[Grant]:
    """Every key and session, the oldest first."""
    return await _grants(conn, _LIST, ())


async def revoke_grants(conn: Connection, what: str) -> list[Grant]:
    """End what has this number or name; what ended by it, nothing where there was none."""
    number = int(what) if what.isascii() and what.isdigit() else None
    return await _grants(conn, _REVOKE, {"id": number, "name": what})


async def terminal_codes(conn: Connection) -> list[str]:
    return [str(code) for (code,) in await (await conn.execute(_TERMINALS)).fetchall()]


async def forget_grants(conn: Connection) -> int:
    """Delete what has been over for long; how many."""
    return (await conn.execute(_FORGET, (KEPT_FOR,))).rowcount


async def _grants(conn: Connection, statement: str, values: Sequence[object] | dict[str, object]) -> list[Grant]:
    async with conn.cursor(row_factory=class_row(Grant)) as cursor:
        await cursor.execute(statement.encode(), values)
        return await cursor.fetchall()


class DatabaseGrants:
    """The grants of a database for those who only ask whether one is valid."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def find(self, hash_: bytes, use: Use) -> Grant | None:
        return await self._operations.read(lambda conn: find_grant(conn, hash_, use))

    async def redeem(self, link: bytes, session: bytes) -> bool:
        """Begin a session for a link that was not used; False where it was, or is none."""
        return await self._operations.read(lambda conn: redeem_link(conn, link, session, SESSION_LASTS)) is not None
