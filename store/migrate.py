"""Bring a database to the shape this version needs: numbered files, then the tables of the kinds, then grants.

Safe to run at any time, from several processes at once, and before the new code runs: files only ever add.
"""

from __future__ import annotations

from importlib import resources

import psycopg

from sensors.kind import Kinds
from store.database import Connection, DatabaseUnavailable, connected, passes_by_itself, place
from store.kind_tables import ensure_kind_tables
from store.leadership import Lock, release_lock, wait_for_lock
from store.readers import grant_reading

_NO_TIMESCALE = ("0A000", "58P01", "42501", "55000", "F0000", "XX000")
"""What `create extension` answers where TimescaleDB is not installed, not preloaded, or not allowed."""

_LEDGER = """
create table if not exists schema_migration (
    name text primary key,
    applied_at timestamptz not null default clock_timestamp()
)"""


async def migrate(url: str, kinds: Kinds) -> list[str]:
    """Apply what is missing; the names of the files applied and of the tables and columns made for kinds.

    Raises `DatabaseUnavailable`, also for a server without TimescaleDB, and `KindTableRefused`.
    """
    async with connected(url, name="migrate") as conn:
        try:
            await wait_for_lock(conn, Lock.MIGRATION)
            await _ensure_extension(conn, url)
            applied = await _apply_files(conn)
            async with conn.transaction():
                made = await ensure_kind_tables(conn, kinds)
                await grant_reading(conn, kinds)
            await release_lock(conn, Lock.MIGRATION)
        except psycopg.Error as exc:
            if not passes_by_itself(exc):
                raise
            raise DatabaseUnavailable(f"the database at {place(url)} went away: {exc}") from exc
    return applied + made


async def _ensure_extension(conn: Connection, url: str) -> None:
    try:
        await conn.execute("create extension if not exists timescaledb")
    except psycopg.Error as exc:
        if exc.sqlstate not in _NO_TIMESCALE:
            raise
        raise DatabaseUnavailable(
            f"the server at {place(url)} cannot use TimescaleDB ({_first_line(exc)}): install it, "
            "add it to shared_preload_libraries and have an administrator run CREATE EXTENSION timescaledb"
        ) from exc


async def _apply_files(conn: Connection) -> list[str]:
    await conn.execute(_LEDGER)
    cursor = await conn.execute("select name from schema_migration")
    done = {str(name) for (name,) in await cursor.fetchall()}
    missing = {name: text for name, text in _files().items() if name not in done}
    for name, text in missing.items():
        async with conn.transaction():
            await conn.execute(text.encode())
            await conn.execute("insert into schema_migration (name) values (%s)", (name,))
    return list(missing)


def _files() -> dict[str, str]:
    folder = resources.files("store") / "migrations"
    entries = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return {entry.name.removesuffix(".sql"): entry.read_text("utf-8") for entry in entries}


def _first_line(exc: Exception) -> str:
    return str(exc).strip().split("\n")[0]
