"""Ordinary weeks into a database: readings by COPY, then their means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np

from ingest.columns import ABSENT, Columns
from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from simulators.history import HistoryBlock
from store.backfill import fill_rollups
from store.database import Connection
from store.scratch import copy_prepared, prepared_copy

_ROWS: Final = 100_000
"""Readings of one COPY: more take more memory at once and are no quicker."""
_DELAY_US: Final = 500_000


async def load(conn: Connection, kinds: Kinds, catalogue: Catalogue, blocks: Iterable[HistoryBlock]) -> int:
    """Store the readings and make their means; how many there were."""
    sites = _sites(catalogue)
    first_us, last_us, rows = 2**62, 0, 0
    for block in blocks:
        for part in _parts(block):
            columns = _columns(part, kinds, sites)
            await copy_prepared(conn, columns.kind, [prepared_copy(columns)])
            first_us, last_us = min(first_us, int(part.time_us[0])), max(last_us, int(part.time_us[-1]))
            rows += len(part)
    if rows:
        await fill_rollups(conn, kinds, _instant(first_us), _instant(last_us + 1))
    return rows


def _parts(block: HistoryBlock) -> Iterable[HistoryBlock]:
    for first in range(0, len(block), _ROWS):
        rows = slice(first, first + _ROWS)
        texts = {name: column[rows] for name, column in block.texts.items()}
        yield HistoryBlock(block.kind, block.things, block.thing[rows], block.time_us[rows], block.values[rows], texts)


def _columns(block: HistoryBlock, kinds: Kinds, sites: Mapping[str, str]) -> Columns:
    kind, rows = kinds[block.kind], len(block)
    things = [block.things[place] for place in block.thing.tolist()]
    absent = np.full(rows, ABSENT, np.int64)
    return Columns(
        kind=kind,
        time_us=block.time_us,
        received_us=block.time_us + _DELAY_US,
        thing=things,
        site=[sites[thing] for thing in things],
        boot=absent,
        seq=absent,
        quality=np.zeros(rows, np.int16),
        values=block.values,
        texts=tuple(list(block.texts[name]) for name in kind.text_names),
    )


def _sites(catalogue: Catalogue) -> dict[str, str]:
    sensors = {sensor.id: sensor.site for sensor in catalogue.sensors}
    return sensors | {corridor.id: corridor.to_site for corridor in catalogue.corridors}


def _instant(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us / 1e6, UTC)
