"""Databases made for one measurement or run and dropped after it, beside those of a service, on the same server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from ingest.columns import Columns
from sensors.kind import Kind, Kinds
from store.copy_in import binary_copy
from store.database import Connection, connected, listen
from store.kind_tables import raw_columns
from store.staging import copy_statement
from store.writer import wire_columns

LEAVING_S = 30.0
"""How long a background worker of TimescaleDB may take to leave a database; it takes a second."""
_LOOK_S = 0.1


@asynccontextmanager
async def scratch_database(server_url: str, name: str, *, template: str | None = None) -> AsyncIterator[str]:
    """The URL of a new database, empty or as its template is, which is dropped when the block ends.

    It is made by copying files, which makes a checkpoint first: every measurement begins with clean buffers. Nobody may
    be connected to the template meanwhile.
    """
    database = sql.Identifier(name)
    make = sql.SQL("create database {} template {} strategy file_copy")
    async with connected(server_url, name="scratch") as conn:
        await _left(conn, sql.SQL("drop database if exists {} with (force)").format(database))
        await _left(conn, make.format(database, sql.Identifier(template or "template1")))
        try:
            yield with_database(server_url, name)
        finally:
            await _left(conn, sql.SQL("drop database {} with (force)").format(database))


def with_database(server_url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


async def _left(conn: Connection, statement: sql.Composed) -> None:
    """Do what needs a database for itself: a background worker in it, which we may not end, leaves by itself."""
    deadline = time.monotonic() + LEAVING_S
    while True:
        try:
            await conn.execute(statement)
        except (psycopg.errors.ObjectInUse, psycopg.errors.InsufficientPrivilege):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_LOOK_S)
        else:
            return


def prepared_copy(columns: Columns) -> bytes:
    """A whole binary COPY of these readings."""
    return b"".join(binary_copy(wire_columns(columns, 0), len(columns.time_us)))


async def copy_prepared(conn: Connection, kind: Kind, buffers: Sequence[bytes]) -> None:
    """Send prepared buffers straight into the hypertable of a kind, each in a transaction of its own."""
    statement = copy_statement(sql.Identifier(kind.name), tuple(raw_columns(kind)))
    for buffer in buffers:
        async with conn.cursor().copy(statement) as copy:
            await copy.write(buffer)


async def rows_of(conn: Connection, kind: Kind) -> int:
    """How many readings the table of a kind holds."""
    row = await (await conn.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(kind.name)))).fetchone()
    return int(row[0]) if row else 0


async def batch_notices(conn: Connection, listening: Callable[[], None]) -> AsyncIterator[int]:
    """The number of each batch as it is committed, from the moment `listening` is called."""
    await listen(conn, "vigie_batch")
    listening()
    async for notice in conn.notifies():
        yield int(notice.payload)


async def batches_by_time(conn: Connection, kinds: Kinds) -> list[tuple[int, int]]:
    """Batch and time (microseconds since 1970 UTC) of every reading there is."""
    found: list[tuple[int, int]] = []
    for kind in kinds:
        query = sql.SQL("select batch, (extract(epoch from time) * 1000000)::bigint from {}")
        found += await (await conn.execute(query.format(sql.Identifier(kind)))).fetchall()
    return found
