"""What is dropped when it has become old: raw readings, rollups, and the books.

At a site with the wall's clock age counts from now. At the site of a recording it counts from the recording's own
newest reading: a recording of 2012 replayed today is not old. Chunks without rows of recordings are dropped whole,
which costs nothing; where a recording shares a chunk, rows are deleted. (merge_chunks crashes TimescaleDB 2.19.3.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg import sql

from sensors.kind import Kind, Kinds
from store.database import Connection
from store.kind_tables import ROLLUPS, Resolution
from store.leadership import Lock, lock_transaction

_RECORDED = """
select site.id, array_agg(thing.id) from site
join (select id, site from sensor
      union all select corridor.id, site from corridor join sensor on sensor.id = reader) thing on thing.site = site.id
where site.clock = 'recording' group by site.id"""

_OLD_CHUNKS = """
select chunk_schema::text, chunk_name::text, range_start, range_end from timescaledb_information.chunks
where hypertable_schema = current_schema() and hypertable_name = %s and range_end <= %s order by range_start"""

_HOLDS = "select exists (select from {chunk} where {subject} = any(%s))"
_DROP = "select drop_chunks(%s::regclass, older_than => %s::timestamptz, newer_than => %s::timestamptz)"
_DELETE = "delete from {chunk} where {subject} <> all(%s)"

_NEWEST = """
select max(newest.time) from unnest(%s::text[]) as thing
cross join lateral (select time from {table} where {subject} = thing order by time desc limit 1) newest"""

_DELETE_RECORDED = "delete from {table} where {subject} = any(%s) and time < %s"

# A batch that some reader has not been through stays, unless its readings are gone by age as well.
_BATCHES = """
delete from batch where committed_at < %(old)s and (
    committed_at < %(raw)s
    or batch <= (select min(cursor.batch) from cursor where cursor.slot = batch.slot))"""

# Those of a recording of years ago are as old as their last change here, which only the feed knows.
_SITUATIONS = """
delete from situation where state = 'ended' and ended < %s
    and not exists (select from event where event.subject = situation.id)"""

_TROUBLES = "delete from batch_trouble where last_received_at < %s"

_FORGET = "update {table} set {text} = null where received_at < %(old)s and {text} is not null"
_FORGET_APART = (
    "delete from conflict where kind = %(kind)s and received_at < %(old)s and reading ->> %(text)s is not null",
    "delete from quarantine where received_at < %(old)s and topic like '%%/' || %(kind)s",
    "delete from raw_payload where received_at < %(old)s and topic like '%%/' || %(kind)s",
)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days things are kept. Shorter saves disk; longer keeps history for comparisons.

    `kind_days` are raw readings of single kinds, `resolution_days` means of single resolutions, where they differ.
    """

    raw_days: float
    rollup_days: float
    batch_days: float
    quarantine_days: float
    event_days: float
    kind_days: Mapping[str, float] = field(default_factory=dict)
    resolution_days: Mapping[Resolution, float] = field(default_factory=dict)

    def days_of(self, kind: Kind) -> dict[str, float]:
        """For how many days each table of a kind is kept, the raw one first."""
        raw = {kind.name: self.kind_days.get(kind.name, self.raw_days)}
        return raw | {
            rollup.table(kind): self.resolution_days.get(rollup.resolution, self.rollup_days) for rollup in ROLLUPS
        }


@dataclass(frozen=True, slots=True)
class Recorded:
    """The things of a recording's site."""

    site: str
    things: list[str]


async def apply_retention(conn: Connection, kinds: Kinds, retention: Retention, *, now: datetime) -> None:
    """Drop what is older than its days; one transaction per table, so that nobody waits long."""
    recorded = await recorded_things(conn)
    for kind in kinds.values():
        for table, days in retention.days_of(kind).items():
            async with conn.transaction():
                await lock_transaction(conn, Lock.RETENTION)
                await _wall(conn, table, kind.subject, recorded, now - timedelta(days=days))
                await _recordings(conn, table, kind, recorded, timedelta(days=days))
    await _forget_texts(conn, kinds, now)
    async with conn.transaction():
        await lock_transaction(conn, Lock.RETENTION)
        await _wall(conn, "device_health", "sensor", recorded, now - timedelta(days=retention.raw_days))
        await _books(conn, retention, now)


async def recorded_things(conn: Connection) -> list[Recorded]:
    """The sites of recordings, whose readings are as old as the recording and not as the wall's clock says."""
    return [Recorded(*row) for row in await (await conn.execute(_RECORDED)).fetchall()]


async def _wall(conn: Connection, table: str, subject: str, recorded: list[Recorded], cutoff: datetime) -> None:
    things = [thing for site in recorded for thing in site.things]
    cursor = await conn.execute(_OLD_CHUNKS, (table, cutoff))
    for schema, name, start, end in await cursor.fetchall():
        parts = {"chunk": sql.Identifier(schema, name), "subject": sql.Identifier(subject)}
        holds = await (await conn.execute(sql.SQL(_HOLDS).format(**parts), (things,))).fetchone()
        if holds is not None and holds[0]:
            await conn.execute(sql.SQL(_DELETE).format(**parts), (things,))
        else:
            await conn.execute(_DROP, (sql.Identifier(table).as_string(conn), end, start))


async def _recordings(conn: Connection, table: str, kind: Kind, recorded: list[Recorded], age: timedelta) -> None:
    parts = {"table": sql.Identifier(table), "subject": sql.Identifier(kind.subject)}
    for site in recorded:
        newest = await (await conn.execute(sql.SQL(_NEWEST).format(**parts), (site.things,))).fetchone()
        if newest is not None and newest[0] is not None:
            await conn.execute(sql.SQL(_DELETE_RECORDED).format(**parts), (site.things, newest[0] - age))


async def _forget_texts(conn: Connection, kinds: Kinds, now: datetime) -> None:
    """Empty texts that lead to somebody (`forget_days`), and drop messages of their kind that were kept apart.

    By the wall's clock everywhere: a recording of such texts is forgotten as long after it was received.
    """
    for kind in kinds.values():
        for text in kind.texts:
            if text.forget_days is None:
                continue
            values = {"old": now - timedelta(days=text.forget_days), "kind": kind.name, "text": text.name}
            parts = {"table": sql.Identifier(kind.name), "text": sql.Identifier(text.name)}
            async with conn.transaction():
                await lock_transaction(conn, Lock.RETENTION)
                await conn.execute(sql.SQL(_FORGET).format(**parts), values)
                for statement in _FORGET_APART:
                    await conn.execute(statement, values)


async def _books(conn: Connection, retention: Retention, now: datetime) -> None:
    quarantine_old = now - timedelta(days=retention.quarantine_days)
    raw_old = now - timedelta(days=retention.raw_days)
    await conn.execute("delete from quarantine where last_received_at < %s", (quarantine_old,))
    await conn.execute("delete from conflict where received_at < %s", (quarantine_old,))
    await conn.execute("delete from raw_payload where received_at < %s", (quarantine_old,))
    rollup_old = now - timedelta(days=retention.rollup_days)
    await conn.execute("delete from turn_hour where hour < %s", (rollup_old,))
    await conn.execute("delete from appointment where hour < %s", (rollup_old,))
    await conn.execute("delete from event where recorded_at < %s", (now - timedelta(days=retention.event_days),))
    await conn.execute(_SITUATIONS, (now - timedelta(days=retention.event_days),))
    batches_old = now - timedelta(days=retention.batch_days)
    await conn.execute(_BATCHES, {"old": batches_old, "raw": raw_old})
    await conn.execute(_TROUBLES, (batches_old,))
