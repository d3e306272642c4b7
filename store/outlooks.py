"""What is usual and what is coming: abnormality, coverage and forecasts beside the states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from store.database import Connection

# One statement for all: as rows of JSON, because rows of arrays cannot be unnested.
_WRITE = """
insert into outlook (sensor, time, coverage, abnormality, usual, z, minutes, speed, low, high, usual_ahead, updated_at)
select row.*, %s from jsonb_to_recordset(%s) as row (
    thing text, time timestamptz, coverage real, abnormality smallint, usual real, z real,
    minutes smallint[], speed real[], low real[], high real[], usual_ahead real[])
on conflict (sensor) do update set
    time = excluded.time, coverage = excluded.coverage, abnormality = excluded.abnormality, usual = excluded.usual,
    z = excluded.z, minutes = excluded.minutes, speed = excluded.speed, low = excluded.low, high = excluded.high,
    usual_ahead = excluded.usual_ahead, updated_at = excluded.updated_at"""

_READ = """
select sensor as thing, time, coverage, abnormality, usual, z, minutes, speed, low, high, usual_ahead
from outlook where sensor = %s"""


_ABNORMAL = "select sensor, abnormality from outlook where sensor = any(%s) and abnormality is not null"


@dataclass(frozen=True, slots=True)
class OutlookRow:
    """Of one thing. abnormality: an `Abnormality`, None where its kind is not compared. Speeds in km/h by horizon."""

    thing: str
    time: datetime | None
    coverage: float | None
    abnormality: int | None
    usual: float | None
    z: float | None
    minutes: Sequence[int] = ()
    speed: Sequence[float] = ()
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    usual_ahead: Sequence[float | None] = ()


async def write_outlooks(conn: Connection, rows: Sequence[OutlookRow], now: datetime) -> None:
    """Overwrite the outlooks of some things, in the caller's transaction."""
    if rows:
        await conn.execute(_WRITE, (now, Jsonb(rows)))


async def outlook_of(conn: Connection, thing: str) -> OutlookRow | None:
    """The newest outlook of one thing."""
    async with conn.cursor(row_factory=class_row(OutlookRow)) as cursor:
        await cursor.execute(_READ, (thing,))
        return await cursor.fetchone()


async def abnormalities(conn: Connection, things: Sequence[str]) -> dict[str, int]:
    """How unusual it is at each of these things that are compared: an `Abnormality` by id."""
    return dict(await (await conn.execute(_ABNORMAL, (list(things),))).fetchall())
