"""A backup as one file: a ZIP archive with a table an entry, in PostgreSQL's binary COPY format, and a manifest.

Everything is of one moment, whoever writes meanwhile. It can be restored into any later version of the schema and on
another version of PostgreSQL or edition of TimescaleDB. An archive counts only when it is complete: it is written
beside its place, and the manifest last.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec
from psycopg import sql

from sensors.errors import OperatorError
from sensors.kind import Kinds
from store.backup.tables import Table, filled, migrations_of, sequences_of, tables_of
from store.database import Connection, patient, place
from store.migrate import migrate

FORMAT = 1
_MANIFEST = "manifest.json"
_LEVEL = 1
"""Of compression, zlib's quickest: more would halve the speed of a backup for little, see docs/operating.md."""
_CHUNK_BYTES = 1 << 18
_SNAPSHOT = "set transaction isolation level repeatable read, read only"

Say = Callable[[str], None]


class BackupRefused(OperatorError):  # noqa: N818  as DatabaseUnavailable
    """A backup that cannot be made or restored; the message says what to do."""


class Stored(msgspec.Struct, frozen=True):
    """A table in an archive."""

    name: str
    columns: tuple[str, ...]
    rows: int


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds, and of which moment it is."""

    format: int
    taken_at: str
    migrations: list[str]
    tables: list[Stored]
    sequences: dict[str, int]


async def back_up(url: str, path: Path, say: Say) -> Manifest:
    """Write everything of this moment to `path`. Raises `BackupRefused`, `DatabaseUnavailable`."""
    _require_new(path)
    part = path.with_name(path.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            async with patient(url, name="backup") as conn, conn.transaction():
                manifest = await _write(conn, file, say)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as exc:
        raise BackupRefused(f"cannot write {path}: {exc.strerror or exc}; choose a folder with room") from exc
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _require_new(path: Path) -> None:
    if path.exists():
        raise BackupRefused(f"{path} exists: a backup never overwrites another; choose a new name")


async def _write(conn: Connection, file: BinaryIO, say: Say) -> Manifest:
    await conn.execute(_SNAPSHOT)
    row = await (await conn.execute("select now()::text")).fetchone()
    assert row is not None
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        stored = [await _copy_out(conn, archive, table, say) for table in await tables_of(conn)]
        manifest = Manifest(FORMAT, row[0], await migrations_of(conn), stored, await sequences_of(conn))
        archive.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


async def _copy_out(conn: Connection, archive: zipfile.ZipFile, table: Table, say: Say) -> Stored:
    async with conn.cursor() as cursor:
        with archive.open(table.name, "w", force_zip64=True) as entry:
            async with cursor.copy(table.copy_out()) as copy:
                async for data in copy:
                    entry.write(data)
        rows = max(0, cursor.rowcount)
    say(f"{table.name}: {rows} rows")
    return Stored(table.name, table.columns, rows)


async def restore(url: str, path: Path, kinds: Kinds, say: Say) -> Manifest:
    """Fill an empty database with what an archive holds, all of it or nothing; makes the schema first.

    Raises `BackupRefused`, `DatabaseUnavailable`, `KindTableRefused`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            await migrate(url, kinds)
            async with patient(url, name="restore") as conn, conn.transaction():
                await _fill(conn, archive, manifest, place(url), say)
    except (OSError, zipfile.BadZipFile, EOFError) as exc:
        raise BackupRefused(f"{path} is no complete backup ({exc}): take another one") from exc
    return manifest


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(archive.read(_MANIFEST), type=Manifest)
    except (KeyError, msgspec.DecodeError) as exc:
        raise BackupRefused(f"{path} is no backup of Vigie: it has no {_MANIFEST} that can be read") from exc
    if manifest.format != FORMAT:
        raise BackupRefused(f"{path} has the format {manifest.format}, this version reads {FORMAT}: update Vigie first")
    return manifest


async def _fill(conn: Connection, archive: zipfile.ZipFile, manifest: Manifest, where: str, say: Say) -> None:
    tables = {table.name: table for table in await tables_of(conn)}
    await _require_fitting(conn, manifest, tables)
    if holding := await _written(conn, list(tables.values())):
        raise BackupRefused(
            f"the database {where} is not empty ({', '.join(holding[:5])}): restore into a new one, "
            "so that nothing of this one is lost"
        )
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    await conn.execute(sql.SQL("truncate {}").format(names))
    stored = {table.name: table for table in manifest.tables}
    for name in tables:  # in the order of today's references
        if name in stored:
            await _copy_in(conn, archive, stored[name])
            say(f"{name}: {stored[name].rows} rows")
    for sequence, value in manifest.sequences.items():
        await conn.execute("select setval(%s::regclass, %s)", (sql.Identifier(sequence).as_string(conn), value))


_SEEDED = frozenset({"terminal", "site", "sensor", "corridor", "section", "ban"})
"""What a first start fills by itself: a database with nothing else in it is still a new one."""
_MIGRATED = frozenset({"rollup_backfill"})


async def _written(conn: Connection, tables: list[Table]) -> list[str]:
    """What somebody has put there: neither migrations nor the shipped catalogue."""
    return [name for name in await filled(conn, tables) if name not in _SEEDED | _MIGRATED]


async def _require_fitting(conn: Connection, manifest: Manifest, tables: dict[str, Table]) -> None:
    newer = sorted(set(manifest.migrations) - set(await migrations_of(conn)))
    if newer:
        raise BackupRefused(f"the backup is of a newer Vigie (it has the migration {newer[-1]}): update Vigie first")
    for stored in manifest.tables:
        known = tables.get(stored.name)
        if known is None:
            raise BackupRefused(
                f"the backup holds {stored.name}, which this installation has no table for: "
                "is it a kind of sensor of your own? name its folder in kinds_dir"
            )
        if missing := sorted(set(stored.columns) - set(known.columns)):
            raise BackupRefused(
                f"the backup holds {stored.name}.{missing[0]}, which this installation does not have: "
                "is it a field of a kind of your own? name its folder in kinds_dir"
            )


async def _copy_in(conn: Connection, archive: zipfile.ZipFile, stored: Stored) -> None:
    table = Table(stored.name, stored.columns)
    async with conn.cursor() as cursor:
        with archive.open(stored.name) as entry:
            async with cursor.copy(table.copy_in()) as copy:
                while data := entry.read(_CHUNK_BYTES):
                    await copy.write(data)
        if cursor.rowcount != stored.rows:
            raise BackupRefused(
                f"{stored.name}: {cursor.rowcount} rows came back of {stored.rows}: take another backup"
            )
