"""Who may do what: advisory locks that live exactly as long as the connection that holds them.

A holder that dies loses its connection and with it the lock; the next in line goes on where the last commit ended.
"""

from __future__ import annotations

import enum

from store.database import Connection


class Lock(enum.IntEnum):
    """First number of the two-number advisory locks; the second says which slot or zone. Never renumber."""

    MIGRATION = 0x56_01
    SLOT = 0x56_02
    ZONE = 0x56_03
    EVENT = 0x56_04
    ROLLUP = 0x56_05
    RETENTION = 0x56_06
    REPLAY = 0x56_07
    ALARMS = 0x56_08
    SHIFT = 0x56_09
    ALERTS = 0x56_0A
    TURN = 0x56_0B
    DELIVERY = 0x56_0C
    BACKTEST = 0x56_0D


_HOLDER = """
select pid from pg_locks join pg_database on pg_database.oid = database
where locktype = 'advisory' and granted and datname = current_database()
    and classid = %s::bigint::oid and objid = %s::bigint::oid and objsubid = 2"""


async def wait_for_lock(conn: Connection, lock: Lock, number: int = 0) -> None:
    """Wait, however long, until this connection holds the lock for the rest of its life."""
    await conn.execute("select pg_advisory_lock(%s, %s)", (int(lock), number))


async def try_lock(conn: Connection, lock: Lock, number: int = 0) -> bool:
    """Take the lock for the life of this connection, unless another holds it."""
    cursor = await conn.execute("select pg_try_advisory_lock(%s, %s)", (int(lock), number))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def holder(conn: Connection, lock: Lock, number: int = 0) -> int | None:
    """The server process that holds the lock; None when nobody does."""
    cursor = await conn.execute(_HOLDER, (int(lock), number))
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def release_lock(conn: Connection, lock: Lock, number: int = 0) -> None:
    """Give a lock back before the connection ends."""
    await conn.execute("select pg_advisory_unlock(%s, %s)", (int(lock), number))


async def lock_transaction(conn: Connection, lock: Lock, number: int = 0) -> None:
    """Wait for the lock and hold it until the current transaction ends."""
    await conn.execute("select pg_advisory_xact_lock(%s, %s)", (int(lock), number))


async def zone_number(conn: Connection, zone: str) -> int:
    """The number under which a zone (a basin, or a recording's site) is locked."""
    cursor = await conn.execute("select hashtext(%s)", (zone,))
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])
