"""Which edition of TimescaleDB a server has: tried, for its setting says what was asked for, not what is there.

Debian ships the Apache edition, the container image the Community edition with columnstore compression.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from store.database import Connection

UNSUPPORTED = "0A000"
"""SQLSTATE of what an edition does not have."""

_TRY = (
    'create table "edition tried" (time timestamptz not null)',
    """select create_hypertable('"edition tried"', by_range('time'))""",
    'alter table "edition tried" set (timescaledb.compress)',
)


@dataclass(frozen=True, slots=True)
class Edition:
    """community: whether it compresses; licence: what the setting says, empty where there is none."""

    community: bool
    licence: str


async def edition_of(conn: Connection) -> Edition:
    """Try to compress a table that is gone again at once."""
    row = await (await conn.execute("select coalesce(current_setting('timescaledb.license', true), '')")).fetchone()
    return Edition(await has_compression(conn), str(row[0]) if row else "")


async def has_compression(conn: Connection) -> bool:
    try:
        async with conn.transaction(force_rollback=True):
            for statement in _TRY:
                await conn.execute(statement.encode())
    except psycopg.Error as exc:
        if exc.sqlstate != UNSUPPORTED:
            raise
        return False
    return True
