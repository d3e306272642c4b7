"""Receivers of alerts: what they want, how far they are, and what became of every try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from store.database import Connection
from store.events import NewEvent, append_events

CHANNEL = "vigie_subscription"
DISABLED = "vigie.subscription.disabled.v1"
ENABLED = "vigie.subscription.enabled.v1"
DELETED = "vigie.subscription.deleted.v1"

LOG_FOR = timedelta(days=30)
"""How long tries are kept: shorter and nobody can say what a holiday missed, longer fills the disk with them."""

Kind = Literal["webhook", "email"]
State = Literal["pending", "active", "paused", "disabled"]
What = Literal["alert", "again", "test", "challenge"]

_ALL = """
select * from subscription
where (%(before)s::bigint is null or id < %(before)s) and (%(terminal)s::text is null or terminal = %(terminal)s)
order by id desc limit %(limit)s"""
_ACTIVE = "select * from subscription where state = 'active' order by id"
_ONE = "select * from subscription where id = %s"
_LOCKED = "select * from subscription where id = %s for update"
_COUNT = "select count(*) from subscription where %(terminal)s::text is null or terminal = %(terminal)s"

_CREATE = """
insert into subscription (kind, name, target, choice, heartbeat, language, state, cursor, salt, created_by, terminal)
values (%(kind)s, %(name)s, %(target)s, %(choice)s, %(heartbeat)s, %(language)s, 'pending', %(cursor)s, %(salt)s,
    %(created_by)s, %(terminal)s) returning *"""

_CHANGE = """
update subscription set version = version + 1, name = %(name)s, choice = %(choice)s, heartbeat = %(heartbeat)s,
    language = %(language)s, state = %(state)s, why = %(why)s, cursor = %(cursor)s, salt = %(salt)s,
    old_salt = %(old_salt)s, old_until = %(old_until)s, code = %(code)s, code_until = %(code_until)s,
    failures = %(failures)s, failing_since = %(failing_since)s, next_at = %(next_at)s
where id = %(id)s returning *"""

# Only while it is active and where it was: somebody may have paused it or set it back meanwhile, and that counts.
_DELIVERED = """
update subscription set cursor = %(to)s, failures = 0, failing_since = null, next_at = %(next)s,
    delivered_at = %(at)s
where id = %(id)s and state = 'active' and cursor = %(from)s"""
_PASSED = """
update subscription set cursor = %(to)s where id = %(id)s and state = 'active' and cursor = %(from)s"""
_FAILED = """
update subscription set failures = failures + 1, failing_since = coalesce(failing_since, %(at)s), next_at = %(next)s
where id = %(id)s and state = 'active' and cursor = %(from)s"""
_DISABLE = """
update subscription set version = version + 1, state = 'disabled', why = %(why)s, next_at = null
where id = %(id)s and state = 'active' returning *"""

_LOG = """
insert into delivery (subscription, message, what, at, delivered, status, error, duration_ms, answer)
values (%(subscription)s, %(message)s, %(what)s, %(at)s, %(delivered)s, %(status)s, %(error)s, %(duration_ms)s,
    %(answer)s)
returning id"""
_TRIES = """
select id, subscription, message, what, at, delivered, status, error, duration_ms, answer from delivery
where subscription = %(subscription)s and (%(before)s::bigint is null or id < %(before)s)
  and (%(delivered)s::boolean is null or delivered = %(delivered)s)
  and (%(message)s::text is null or message = %(message)s)
order by id desc limit %(limit)s"""

_KEY = "insert into signing_key (fingerprint) values (%s) on conflict (only_one) do nothing"
_KEY_IN_USE = "select fingerprint from signing_key"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a receiver wants: `store.feed.FeedChoice` with terminals instead of their sites."""

    types: tuple[str, ...] | None = None
    subjects: tuple[str, ...] | None = None
    sites: tuple[str, ...] | None = None
    terminals: tuple[str, ...] | None = None
    levels: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A receiver. cursor: the last event it has, or does not want. failures: in a row. next_at: not before.

    terminal: whose it is, and whose rows alone it gets; None: the port's.
    """

    id: int
    version: int
    kind: Kind
    name: str
    target: str
    wanted: Wanted
    heartbeat: bool
    language: str
    state: State
    why: str
    cursor: int
    salt: bytes
    old_salt: bytes | None
    old_until: datetime | None
    code: str | None
    code_until: datetime | None
    failures: int
    failing_since: datetime | None
    next_at: datetime | None
    delivered_at: datetime | None
    created_by: str
    created_at: datetime
    terminal: str | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One try to deliver. message: the id that it carried, the same at every try of an event."""

    subscription: int
    message: str
    what: What
    at: datetime
    delivered: bool
    status: int | None
    error: str | None
    duration_ms: float
    answer: str
    id: int = 0


async def create(conn: Connection, values: Mapping[str, Any], wanted: Wanted) -> Subscription:
    """A new receiver, which gets nothing before it is verified."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_CREATE, {**values, "choice": _choice(wanted)})
        row = await cursor.fetchone()
    assert row is not None
    return _subscription(row)


async def count(conn: Connection, terminal: str | None = None) -> int:
    """How many there are, or how many of a terminal."""
    row = await (await conn.execute(_COUNT, {"terminal": terminal})).fetchone()
    return int(row[0]) if row else 0


async def find_all(
    conn: Connection, *, terminal: str | None = None, before: int | None, limit: int
) -> list[Subscription]:
    """The newest first; those of a terminal, or all."""
    return await _read(conn, _ALL, {"terminal": terminal, "before": before, "limit": limit})


async def active(conn: Connection) -> list[Subscription]:
    return await _read(conn, _ACTIVE, {})


async def find(conn: Connection, number: int, *, lock: bool = False) -> Subscription | None:
    """One receiver, with `lock` for the rest of the transaction its only user."""
    found = await _read(conn, _LOCKED if lock else _ONE, (number,))
    return found[0] if found else None


async def change(conn: Connection, changed: Subscription, before: State, now: datetime) -> Subscription:
    """Store what a person changed; the feed is told who is served again. Only inside a transaction."""
    values = {name: getattr(changed, name) for name in Subscription.__slots__ if name != "wanted"}
    found = await _read(conn, _CHANGE, {**values, "choice": _choice(changed.wanted)})
    await _notify(conn, changed.id)
    if before == "disabled" and changed.state == "active":
        await append_events(conn, [_event(ENABLED, changed, now)])
    return found[0]


async def delete(conn: Connection, gone: Subscription, now: datetime) -> None:
    """Forget a receiver with its log. Only inside a transaction."""
    await conn.execute("delete from subscription where id = %s", (gone.id,))
    await _notify(conn, gone.id)
    await append_events(conn, [_event(DELETED, gone, now)])


async def note_delivered(
    conn: Connection, tried: Try, *, before: int, to: int, next_at: datetime | None = None
) -> None:
    """It was delivered: the log and the cursor move together; `next_at` keeps the next one back."""
    values = {"id": tried.subscription, "from": before, "to": to, "at": tried.at, "next": next_at}
    async with conn.transaction():
        await log(conn, tried)
        await conn.execute(_DELIVERED, values)


async def note_passed(conn: Connection, number: int, *, before: int, to: int) -> None:
    """What lies between is not wanted."""
    await conn.execute(_PASSED, {"id": number, "from": before, "to": to})


async def note_failed(conn: Connection, tried: Try, *, before: int, next_at: datetime) -> None:
    async with conn.transaction():
        await log(conn, tried)
        await conn.execute(_FAILED, {"id": tried.subscription, "from": before, "at": tried.at, "next": next_at})


async def disable(conn: Connection, tried: Try, why: str) -> None:
    """Give a receiver up; the feed is told, and with it the operator."""
    async with conn.transaction():
        await log(conn, tried)
        found = await _read(conn, _DISABLE, {"id": tried.subscription, "why": why})
        if found:
            await append_events(conn, [_event(DISABLED, found[0], tried.at)])


async def log(conn: Connection, tried: Try) -> Try:
    """Note a try; it as it is in the log."""
    row = await (await conn.execute(_LOG, asdict(tried))).fetchone()
    assert row is not None
    return replace(tried, id=int(row[0]))


async def tries(
    conn: Connection,
    subscription: int,
    *,
    before: int | None = None,
    delivered: bool | None = None,
    message: str | None = None,
    limit: int,
) -> list[Try]:
    """The log of one receiver, the newest first."""
    values = {"subscription": subscription, "before": before, "delivered": delivered, "message": message}
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_TRIES, {**values, "limit": limit})
        return [Try(**row) for row in await cursor.fetchall()]


async def forget_tries(conn: Connection, now: datetime) -> None:
    await conn.execute("delete from delivery where at < %s", (now - LOG_FOR,))


async def same_key(conn: Connection, fingerprint: bytes) -> bool:
    """Whether the key in use has this fingerprint; the first one that asks decides."""
    await conn.execute(_KEY, (fingerprint,))
    row = await (await conn.execute(_KEY_IN_USE)).fetchone()
    return row is not None and bytes(row[0]) == fingerprint


async def _read(
    conn: Connection, statement: str, values: Mapping[str, object] | Sequence[object]
) -> list[Subscription]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement.encode(), values)
        return [_subscription(row) for row in await cursor.fetchall()]


def _subscription(row: dict[str, Any]) -> Subscription:
    wanted = msgspec.convert(row.pop("choice"), Wanted)
    salts = {name: None if row[name] is None else bytes(row[name]) for name in ("salt", "old_salt")}
    return Subscription(**{**row, **salts, "wanted": wanted})


def _choice(wanted: Wanted) -> Jsonb:
    return Jsonb(wanted)


async def _notify(conn: Connection, number: int) -> None:
    await conn.execute("select pg_notify(%s, %s)", (CHANNEL, str(number)))


def _event(type_: str, about: Subscription, at: datetime) -> NewEvent:
    """Who is no longer served, or is again; neither target nor anything of a person is told."""
    data = {"subscription": str(about.id), "kind": about.kind, "name": about.name, "why": about.why}
    return NewEvent(at, type_, f"subscription-{about.id}", data)
