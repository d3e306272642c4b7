"""`vigie backup` and `vigie restore`: everything in the database as one file, and back."""

from __future__ import annotations

import argparse
from pathlib import Path

from service.commands.common import kinds_of, note, tell
from service.endpoints import find_database
from service.settings import Settings
from store.backup.archive import Manifest, back_up, restore


def add_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="where to; must not exist yet: vigie-2026-03-01.zip")
    parser.set_defaults(run=run_backup)


def add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a backup; the database must be a new one")
    parser.set_defaults(run=run_restore)


async def run_backup(settings: Settings, arguments: argparse.Namespace) -> None:
    manifest = await back_up(find_database(settings), arguments.file, note)
    size_mb = arguments.file.stat().st_size / 1e6
    tell(f"{_counted(manifest)} of {manifest.taken_at} are in {arguments.file}, {size_mb:.1f} MB")


async def run_restore(settings: Settings, arguments: argparse.Namespace) -> None:
    manifest = await restore(find_database(settings), arguments.file, kinds_of(settings), note)
    tell(f"{_counted(manifest)} of {manifest.taken_at} are back")


def _counted(manifest: Manifest) -> str:
    return f"{sum(table.rows for table in manifest.tables)} rows of {len(manifest.tables)} tables"
