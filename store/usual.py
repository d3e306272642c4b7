"""Usual speeds by the time of week: brought by a recording, or learnt from the port's own means of 5 minutes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import class_row

from sensors.kind import Kind, Kinds
from sensors.rule import SpeedRatio
from store.database import Connection

USUAL_CHANNEL = "vigie_usual"

LEAST_COVERAGE = 0.75
"""Share of its readings that a mean needs to teach (domain section 3)."""

Float32 = NDArray[np.float32]

_READ = "select sensor, interval_s, start_s, speed_kmh, spread_kmh from usual_speed order by sensor"

# Sites that live by a recording's clock have what the recording says is usual, or nothing.
_DUE = """
select sensor.id as sensor, sensor.kind, site.timezone from sensor
join site on site.id = sensor.site left join usual_speed on usual_speed.sensor = sensor.id
where site.clock = 'wall' and sensor.kind = any(%(kinds)s) and (learnt_at is null or learnt_at < %(before)s)
order by learnt_at nulls first, sensor.id limit %(limit)s"""

_MEANS = """
select (extract(epoch from time) * 1000000)::int8, {speed} from {table}
where {subject} = %(thing)s and time >= %(since)s and time < %(until)s and coverage >= %(coverage)s
    and {speed} is not null order by time"""

_WRITE = """
insert into usual_speed (sensor, interval_s, start_s, speed_kmh, spread_kmh, learnt_at) values (%s, %s, 0, %s, %s, %s)
on conflict (sensor) do update set interval_s = excluded.interval_s, start_s = 0, speed_kmh = excluded.speed_kmh,
    spread_kmh = excluded.spread_kmh, learnt_at = excluded.learnt_at"""


@dataclass(frozen=True, slots=True)
class UsualRow:
    """What is usual from `start_s` (second of the week) on, every `interval_s`; None where unknown.

    spread_kmh: None where a recording brought the speeds.
    """

    sensor: str
    interval_s: int
    start_s: int
    speed_kmh: Sequence[float | None]
    spread_kmh: Sequence[float | None] | None


@dataclass(frozen=True, slots=True)
class DueRow:
    """A sensor whose usual speeds were not learnt lately."""

    sensor: str
    kind: str
    timezone: str


async def load_usual(conn: Connection) -> list[UsualRow]:
    """Everything that is usual."""
    async with conn.cursor(row_factory=class_row(UsualRow)) as cursor:
        await cursor.execute(_READ)
        return await cursor.fetchall()


async def due_for_learning(conn: Connection, kinds: Kinds, *, before: datetime, limit: int) -> list[DueRow]:
    """Sensors that measure speed and learnt last before an instant, or never; the longest ago first."""
    names = [kind.name for kind in kinds.values() if isinstance(kind.level, SpeedRatio)]
    async with conn.cursor(row_factory=class_row(DueRow)) as cursor:
        await cursor.execute(_DUE, {"kinds": names, "before": before, "limit": limit})
        return await cursor.fetchall()


async def mean_speeds(
    conn: Connection, kind: Kind, thing: str, since: datetime, until: datetime
) -> tuple[NDArray[np.int64], Float32]:
    """Times (microseconds since 1970 UTC) and speeds (km/h) of the means of 5 minutes that enough readings made."""
    assert isinstance(kind.level, SpeedRatio)
    speed, table = f"{kind.level.speed}_mean", f"{kind.name}_5min"
    names = {"speed": speed, "table": table, "subject": kind.subject}
    statement = sql.SQL(_MEANS).format(**{name: sql.Identifier(value) for name, value in names.items()})
    values = {"thing": thing, "since": since, "until": until, "coverage": LEAST_COVERAGE}
    # Planned with the values known: a general plan would look into every chunk.
    rows = await (await conn.execute(statement, values, prepare=False)).fetchall()
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float32)


async def store_usual(
    conn: Connection, learnt: Mapping[str, tuple[Float32, Float32]], *, interval_s: int, now: datetime
) -> None:
    """Store speeds and spreads (NaN = unknown) by sensor, from Monday 00:00 on, and tell analytics."""
    rows = [(name, interval_s, *map(_nullable, profile), now) for name, profile in learnt.items()]
    async with conn.transaction(), conn.cursor() as cursor:
        await cursor.executemany(_WRITE, rows)
        await cursor.execute("select pg_notify(%s, '')", (USUAL_CHANNEL,))


def _nullable(values: Float32) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
