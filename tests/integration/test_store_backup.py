"""Back up, destroy, restore: the database that comes back is the one that was."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from analytics.alarms.conditions import CONGESTION, Happening
from analytics.alarms.desk import Desk
from analytics.alarms.rulebook import shipped_rules
from ingest.columns import Batch
from sensors.catalogue import shipped_catalogue
from sensors.kind import Kinds
from store.alarms.standing import save_standing
from store.backup.archive import BackupRefused, back_up, restore
from store.catalogue import seed
from store.database import connected
from store.migrate import migrate
from store.rollups import update_rollups
from store.writer import SlotSink

MakeBatch = Callable[..., Batch]
NOW = datetime.now(UTC)
JAM = {"kind": "gate", "site": "W07", "level": "jammed"}


def silent(_: str) -> None:
    """Nobody listens."""


def contents(url: str) -> dict[str, tuple[int, str]]:
    """Of each table: how many rows, and a digest of them all, whatever their order."""
    with psycopg.connect(url) as conn:
        names = conn.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
            " and relname <> 'schema_migration'"
        ).fetchall()
        query = "select count(*), md5(coalesce(string_agg(t::text, '' order by t::text), '')) from {} t"
        found = {name: conn.execute(sql.SQL(query).format(sql.Identifier(name))).fetchone() for (name,) in names}
        return {name: row for name, row in found.items() if row is not None}


def destroy(url: str) -> None:
    """Drop the database, and make an empty one of its name."""
    name = sql.Identifier(urlsplit(url).path[1:])
    with psycopg.connect(urlsplit(url)._replace(path="/vigie").geturl(), autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(name))
        conn.execute(sql.SQL("create database {}").format(name))


async def lived(url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    """A catalogue, readings of two chunks with means and cursors, an alarm with its trail."""
    await migrate(url, kinds)
    await seed(url)
    async with SlotSink.open(url, 0, kinds) as sink, connected(url, name="test") as conn:
        await sink.write(make_batch([*range(0, 3000, 30), 20 * 86_400]))
        await sink.write(make_batch([60], value=7))
        while await update_rollups(conn, kinds, limit_rows=50):
            pass
        desk = Desk(shipped_rules(), shipped_catalogue(), CONGESTION)
        desk.take(Happening(NOW, "vigie.congestion.began.v1", "W07-G1", JAM), NOW)
        async with conn.transaction():
            await save_standing(conn, desk.changed(), now=NOW)


async def test_a_backup_of_one_moment_brings_everything_back_to_the_row_and_it_goes_on(
    database_url: str, kinds: Kinds, make_batch: MakeBatch, tmp_path: Path
) -> None:
    def somebody_writes(_: str) -> None:
        with psycopg.connect(database_url) as conn:
            conn.execute("delete from traffic")
            conn.execute("delete from cursor")

    await lived(database_url, kinds, make_batch)
    before, file = contents(database_url), tmp_path / "vigie.zip"
    manifest = await back_up(database_url, file, somebody_writes)
    assert {table.name: table.rows for table in manifest.tables} == {name: rows for name, (rows, _) in before.items()}
    assert {name: before[name][0] for name in ("traffic", "alarm", "cursor", "conflict")} == {
        "traffic": 101,
        "alarm": 1,
        "cursor": 1,
        "conflict": 1,
    }
    assert file.stat().st_mode & 0o077 == 0
    destroy(database_url)
    await restore(database_url, file, kinds, silent)
    assert contents(database_url) == before
    async with SlotSink.open(database_url, 0, kinds) as sink, connected(database_url, name="test") as conn:
        await sink.write(make_batch([9000, 9030]))
        assert await update_rollups(conn, kinds, limit_rows=1000) == 2  # only what is new


async def test_nothing_is_restored_over_what_is_there_or_from_what_is_broken(
    database_url: str, kinds: Kinds, make_batch: MakeBatch, tmp_path: Path
) -> None:
    file, cut, newer, foreign = (tmp_path / name for name in ("a.zip", "cut.zip", "newer.zip", "foreign.zip"))
    await lived(database_url, kinds, make_batch)
    before = contents(database_url)
    await back_up(database_url, file, silent)
    with pytest.raises(BackupRefused, match="exists"):
        await back_up(database_url, file, silent)
    with pytest.raises(BackupRefused, match="not empty"):
        await restore(database_url, file, kinds, silent)
    assert contents(database_url) == before
    cut.write_bytes(file.read_bytes()[:-2000])
    _changed(file, newer, migrations=["9999_of_tomorrow"])
    _changed(file, foreign, tables=[{"name": "waste", "columns": ["sensor"], "rows": 0}])
    destroy(database_url)
    for broken, why in (
        (cut, "no complete backup"),
        (newer, "9999_of_tomorrow"),
        (foreign, "waste"),
        (tmp_path, "no complete backup"),
    ):
        with pytest.raises(BackupRefused, match=why):
            await restore(database_url, broken, kinds, silent)
    await restore(database_url, file, kinds, silent)
    assert contents(database_url) == before


def _changed(source: Path, target: Path, **values: object) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        new.writestr("manifest.json", json.dumps({**json.loads(old.read("manifest.json")), **values}))
