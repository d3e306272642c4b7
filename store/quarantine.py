"""The quarantine: what could not be used, redacted before it comes here; listed, shown, repaired, bounded.

The same payload on the same topic is one entry, with how often and until when: a broker may deliver a message again and
a broken sender repeats itself for days. What was re-ingested stays as an entry, marked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from ingest.columns import Quarantined
from store.database import Connection
from store.ledger import storable
from store.spans import at

_BOOK = """
insert into quarantine as kept (received_at, last_received_at, times, topic, payload, reason, detail, site, thing,
    length, whole, redacted, content_type, digest)
select * from unnest(%s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::text[], %s::bytea[], %s::text[],
    %s::text[], %s::text[], %s::text[], %s::int[], %s::boolean[], %s::boolean[], %s::text[], %s::bytea[])
    as new (received_at, last_received_at, times, topic, payload, reason, detail, site, thing,
        length, whole, redacted, content_type, digest)
order by digest
on conflict (digest) do update set
    times = kept.times + excluded.times,
    last_received_at = greatest(kept.last_received_at, excluded.last_received_at),
    reason = excluded.reason, detail = excluded.detail, repaired_at = null"""

_CHOSEN = """
where (%(reason)s::text is null or reason = %(reason)s) and (%(site)s::text is null or site = %(site)s)
  and (%(thing)s::text is null or thing = %(thing)s)
  and (%(start)s::timestamptz is null or last_received_at >= %(start)s)
  and (%(end)s::timestamptz is null or received_at < %(end)s)
  and (%(repaired)s::boolean is null or (repaired_at is not null) = %(repaired)s)
  and (%(ids)s::bigint[] is null or id = any(%(ids)s))"""

_COLUMNS = """
select id, received_at, last_received_at, times, topic, reason, detail, site, thing, length, whole, redacted,
    content_type, repaired_at, payload from quarantine"""

_NEWEST_FIRST = f"""{_COLUMNS}{_CHOSEN} and (%(before)s::bigint is null or id < %(before)s)
order by id desc limit %(limit)s"""

_REPAIRABLE = f"""{_COLUMNS}{_CHOSEN} and whole and repaired_at is null and id > %(after)s
order by id limit %(limit)s"""

_UNUSABLE = f"select count(*) from quarantine {_CHOSEN} and not whole and repaired_at is null"  # noqa: S608  no values

_REPAIRED = "update quarantine set repaired_at = %s where id = any(%s) and repaired_at is null"

_STILL = """
update quarantine set reason = new.reason, detail = new.detail
from unnest(%s::bigint[], %s::text[], %s::text[]) as new (id, reason, detail)
where quarantine.id = new.id and (quarantine.reason, quarantine.detail) <> (new.reason, new.detail)"""

# Entries are only added up when the files could hold too much: they do not shrink, but entries take the room of others.
_SIZE = """
select case when pg_total_relation_size('quarantine') <= %s then 0
    else (select coalesce(sum(bytes), 0) from quarantine) end"""

# The oldest by when they last came; down to nine tenths, so that it is not done for every entry.
_DROP = """
with kept as (
    select id, sum(bytes) over (order by last_received_at desc, id desc) as total from quarantine
), dropped as (
    delete from quarantine using kept where kept.id = quarantine.id and kept.total > %s
    returning quarantine.last_received_at
)
select count(*), max(last_received_at) from dropped"""

_TELL = """
insert into quarantine_dropped (entries, newest, dropped_at) values (%s, %s, clock_timestamp())
on conflict (only_one) do update set entries = quarantine_dropped.entries + excluded.entries,
    newest = greatest(quarantine_dropped.newest, excluded.newest), dropped_at = excluded.dropped_at"""

_DROPPED = "select entries, newest, dropped_at from quarantine_dropped"
_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the quarantine; `payload` is what may be kept of the `length` bytes that came."""

    id: int
    received_at: datetime
    last_received_at: datetime
    times: int
    topic: str
    reason: str
    detail: str
    site: str | None
    thing: str | None
    length: int
    whole: bool
    redacted: bool
    content_type: str | None
    repaired_at: datetime | None
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which entries: None leaves a thing open. `start` and `end` bound when the message came."""

    reason: str | None = None
    site: str | None = None
    thing: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    repaired: bool | None = None
    ids: tuple[int, ...] | None = None

    def values(self) -> dict[str, object]:
        names = ("reason", "site", "thing", "start", "end", "repaired")
        return {name: getattr(self, name) for name in names} | {"ids": None if self.ids is None else list(self.ids)}


@dataclass(frozen=True, slots=True)
class Dropped:
    """What the bound on the size has dropped so far; the newest of it came last at `newest`."""

    entries: int
    newest: datetime
    dropped_at: datetime


async def book_quarantine(conn: Connection, messages: Sequence[Quarantined]) -> None:
    """Keep messages, in the transaction that stores the readings beside them."""
    kept: dict[bytes, list[Quarantined]] = {}
    for message in messages:
        kept.setdefault(_digest(message), []).append(message)
    rows = [(*_row(same), digest) for digest, same in kept.items()]
    if rows:
        await conn.execute(_BOOK, tuple(_columns(rows)))


async def find_entries(conn: Connection, choice: Choice, *, before: int | None, limit: int) -> list[Entry]:
    """Entries with an id below `before`, the newest first."""
    return await _entries(conn, _NEWEST_FIRST, {**choice.values(), "before": before, "limit": limit})


async def find_repairable(conn: Connection, choice: Choice, *, after: int, limit: int) -> list[Entry]:
    """Entries that can be decoded again and were not, with an id above `after`, the oldest first."""
    return await _entries(conn, _REPAIRABLE, {**choice.values(), "after": after, "limit": limit})


async def count_unusable(conn: Connection, choice: Choice) -> int:
    """How many entries are chosen of which too little was kept to decode them again."""
    row = await (await conn.execute(_UNUSABLE, choice.values())).fetchone()
    return int(row[0]) if row else 0


async def settle_entries(
    conn: Connection, repaired: Sequence[int], still: Sequence[tuple[int, str, str]], *, now: datetime
) -> None:
    """Mark what is stored now; give what is not its present reason: `still` is id, reason, detail."""
    async with conn.transaction():
        await conn.execute(_REPAIRED, (now, list(repaired)))
        if still:
            await conn.execute(_STILL, tuple(_columns(still)))


async def bound_quarantine(conn: Connection, limit_bytes: int) -> Dropped | None:
    """Drop the oldest entries when all together are larger than the limit; what was dropped now."""
    size = await (await conn.execute(_SIZE, (limit_bytes,))).fetchone()
    if size is None or size[0] <= limit_bytes:
        return None
    async with conn.transaction():
        row = await (await conn.execute(_DROP, (int(limit_bytes * _FULL),))).fetchone()
        if row is None or not row[0]:
            return None
        await conn.execute(_TELL, row)
    return Dropped(row[0], row[1], row[1])


async def dropped_so_far(conn: Connection) -> Dropped | None:
    async with conn.cursor(row_factory=class_row(Dropped)) as cursor:
        await cursor.execute(_DROPPED)
        return await cursor.fetchone()


async def _entries(conn: Connection, statement: str, values: dict[str, object]) -> list[Entry]:
    async with conn.cursor(row_factory=class_row(Entry)) as cursor:
        await cursor.execute(statement.encode(), values)
        return await cursor.fetchall()


def _row(same: list[Quarantined]) -> tuple[object, ...]:
    last = same[-1]
    received = sorted(message.received_us for message in same)
    told = (storable(last.topic), last.payload, last.reason.value, storable(last.detail))
    whose = (storable(last.site), storable(last.thing))
    kept = (last.length, last.whole, last.redacted, storable(last.content_type))
    return at(received[0]), at(received[-1]), len(same), *told, *whose, *kept


def _digest(message: Quarantined) -> bytes:
    # Of what is kept and no more: a digest of a hidden plate would give it away to whoever tries them all.
    parts = (message.topic.encode(errors="replace"), str(message.length).encode(), message.payload)
    return hashlib.sha256(b"\0".join(parts)).digest()


def _columns(rows: Sequence[tuple[object, ...]]) -> Iterator[list[object]]:
    return map(list, zip(*rows, strict=True))
