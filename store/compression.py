"""Columnstore compression of readings that have become calm, where TimescaleDB is the Community edition.

Only raw readings: means are small, and are computed anew when late readings come. A late reading, a retention and a
forgotten text still reach what is compressed, slower. The policy is ours and not TimescaleDB's: days are a setting.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from psycopg import sql

from sensors.kind import Kind, Kinds
from store.database import Connection
from store.edition import has_compression
from store.kind_tables import key_columns
from store.leadership import Lock, lock_transaction

_ENABLED = """
select compression_enabled from timescaledb_information.hypertables
where hypertable_schema = current_schema() and hypertable_name = %s"""

_DUE = """
select chunk_schema::text, chunk_name::text from timescaledb_information.chunks
where hypertable_schema = current_schema() and hypertable_name = %s and range_end <= %s and not is_compressed
order by range_start"""


async def compress_old(conn: Connection, kinds: Kinds, after_days: float, *, now: datetime) -> int:
    """Compress the chunks that ended so long ago; how many. 0 on the Apache edition, which has no compression."""
    due = {kind.name: await _due(conn, kind, now - timedelta(days=after_days)) for kind in kinds.values()}
    if not any(due.values()) or not await has_compression(conn):
        return 0
    for kind in kinds.values():
        for schema, name in due[kind.name]:
            async with conn.transaction():
                await lock_transaction(conn, Lock.RETENTION)
                await _enable(conn, kind)
                chunk = sql.Identifier(schema, name).as_string(conn)
                await conn.execute("select compress_chunk(%s::regclass, if_not_compressed => true)", (chunk,))
    return sum(map(len, due.values()))


async def _due(conn: Connection, kind: Kind, cutoff: datetime) -> list[tuple[str, str]]:
    return [
        (str(schema), str(name)) for schema, name in await (await conn.execute(_DUE, (kind.name, cutoff))).fetchall()
    ]


async def _enable(conn: Connection, kind: Kind) -> None:
    row = await (await conn.execute(_ENABLED, (kind.name,))).fetchone()
    if row is not None and not row[0]:
        await conn.execute(enable_statement(kind))


def enable_statement(kind: Kind) -> sql.Composed:
    """One segment a sensor, newest first; the rest of the key as well, or the unique index could not be kept."""
    others = (column for column in key_columns(kind) if column not in {kind.subject, "time"})
    order = ", ".join(["time desc", *others])
    return sql.SQL(
        "alter table {} set (timescaledb.compress, timescaledb.compress_segmentby = {}, "
        "timescaledb.compress_orderby = {})"
    ).format(sql.Identifier(kind.name), sql.Literal(kind.subject), sql.Literal(order))
