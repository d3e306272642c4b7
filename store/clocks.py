"""Clock offsets of sensors: ingest tells the newest of each, the API reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from psycopg.rows import class_row

from ingest.columns import ClockOffset
from sensors.clock import whole_hours
from store.api_rows import ClockRow
from store.database import Connection

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# In the order of the ids, so that two slots that tell of the same sensors, moved between them, never deadlock.
_BOOK = """
insert into sensor_clock as known (sensor, offset_s, measured_at, whole_hours)
select * from unnest(%s::text[], %s::float8[], %s::timestamptz[], %s::smallint[]) as new (sensor) order by sensor
on conflict (sensor) do update set
    offset_s = excluded.offset_s, measured_at = excluded.measured_at, whole_hours = excluded.whole_hours
where known.measured_at < excluded.measured_at"""

_NEWEST = """
select offset_s, measured_at, whole_hours from sensor_clock
where sensor = any(%s) order by measured_at desc limit 1"""


async def book_clocks(conn: Connection, clocks: Sequence[ClockOffset]) -> None:
    """Store offsets, in the caller's transaction; an older measurement changes nothing."""
    if clocks:
        things = [clock.thing for clock in clocks]
        offsets = [clock.offset_s for clock in clocks]
        measured = [_EPOCH + timedelta(microseconds=clock.measured_us) for clock in clocks]
        await conn.execute(_BOOK, (things, offsets, measured, [whole_hours(offset) for offset in offsets]))


async def newest_clock(conn: Connection, things: Sequence[str]) -> ClockRow | None:
    """The newest offset that any of these ids showed."""
    async with conn.cursor(row_factory=class_row(ClockRow)) as cursor:
        await cursor.execute(_NEWEST, (list(things),))
        return await cursor.fetchone()
