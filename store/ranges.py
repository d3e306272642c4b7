"""Readings of chosen things in a range of time, and what is known of them: for recording a range and replaying it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from psycopg import sql

from sensors.kind import Kind
from store.catalogue import NeighbourRow, UsualSpeedRow
from store.copy_out import ReadColumns, copy_columns, selected
from store.database import Connection

_COLUMNS = """
select {columns} from {table}
where {subject} = any({things}) and time >= {start} and time < {end} order by time"""

_ROWS = """
select {subject}, time, {columns} from {table}
where {subject} = any({things}) and time >= {start} and time < {end} order by time, {subject}"""

_COUNT = """
select count(*) from {table} where {subject} = any({things}) and time >= {start} and time < {end}"""

# One look into the unique index for the oldest and the newest of each thing: min and max over all would read them all.
_EXTENT = """
select min(oldest.time), max(newest.time) from unnest({things}::text[]) as thing
cross join lateral (select time from {table} where {subject} = thing order by time limit 1) oldest
cross join lateral (select time from {table} where {subject} = thing order by time desc limit 1) newest"""

_NEIGHBOURS = """
select sensor, neighbour, closeness from neighbour
where sensor = any(%(sensors)s) and neighbour = any(%(sensors)s) order by sensor, neighbour"""

_USUAL_SPEEDS = "select sensor, interval_s, start_s, speed_kmh from usual_speed where sensor = any(%s) order by sensor"


@dataclass(frozen=True, slots=True)
class Range:
    """Readings of `things` (sensors, or corridors) measured in [start, end)."""

    kind: Kind
    things: Sequence[str]
    start: datetime
    end: datetime


class StoredReading(NamedTuple):
    """A reading with its texts; None and absent are the same."""

    thing: str
    time: datetime
    values: dict[str, float | str | None]


async def read_columns(conn: Connection, within: Range) -> ReadColumns:
    """The numbers of all readings, oldest first."""
    return await copy_columns(conn, within.kind, _filled(_COLUMNS, within, columns=selected(within.kind)))


async def read_stored(conn: Connection, within: Range) -> list[StoredReading]:
    """All readings, oldest first. A float32 comes as the double that is the same number."""
    names = (*within.kind.field_names, *within.kind.text_names)
    columns = sql.SQL(", ").join(_exact(within.kind, name) for name in names)
    rows = await (await conn.execute(_filled(_ROWS, within, columns=columns))).fetchall()
    return [StoredReading(thing, time, dict(zip(names, values, strict=True))) for thing, time, *values in rows]


async def count_stored(conn: Connection, within: Range) -> int:
    row = await (await conn.execute(_filled(_COUNT, within))).fetchone()
    return int(row[0]) if row else 0


async def extent_of(conn: Connection, kind: Kind, things: Sequence[str]) -> tuple[datetime, datetime] | None:
    """When the oldest and the newest reading of these things were measured; None where there is none."""
    query = sql.SQL(_EXTENT).format(
        table=sql.Identifier(kind.name), subject=sql.Identifier(kind.subject), things=sql.Literal(list(things))
    )
    row = await (await conn.execute(query)).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


async def neighbours_of(conn: Connection, sensors: Sequence[str]) -> list[NeighbourRow]:
    """The pairs that are registered among these sensors."""
    return [tuple(row) for row in await (await conn.execute(_NEIGHBOURS, {"sensors": list(sensors)})).fetchall()]


async def usual_speeds_of(conn: Connection, sensors: Sequence[str]) -> list[UsualSpeedRow]:
    """What is registered as usual for these sensors; NaN where unknown."""
    return list(map(_usual_speed, await (await conn.execute(_USUAL_SPEEDS, (list(sensors),))).fetchall()))


def _usual_speed(row: tuple[Any, ...]) -> UsualSpeedRow:
    sensor, interval_s, start_s, speeds = row
    return sensor, interval_s, start_s, np.array([np.nan if v is None else v for v in speeds], np.float32)


def _exact(kind: Kind, name: str) -> sql.Composed:
    return sql.SQL("{}::float8" if name in kind.field_names else "{}").format(sql.Identifier(name))


def _filled(template: str, within: Range, **more: sql.Composable) -> sql.Composed:
    return sql.SQL(template).format(**dict(_parts(within)), **more)


def _parts(within: Range) -> Iterator[tuple[str, sql.Composable]]:
    yield "table", sql.Identifier(within.kind.name)
    yield "subject", sql.Identifier(within.kind.subject)
    yield "things", sql.Literal(list(within.things))
    yield "start", sql.Literal(within.start)
    yield "end", sql.Literal(within.end)
