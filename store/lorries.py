"""Lorries counted by loops, by the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from sensors.level import DISTRUSTED
from store.database import Connection

# A reading with vehicles and no share of lorries says nothing of lorries: it counts as not measured.
_COUNTED = """
select sensor, date_trunc('day', time) as day, count(*)::int as readings,
    sum(count)::float8 as vehicles, sum(count * coalesce(hgv_share, 0))::float8 as lorries
from traffic
where sensor = any(%(sensors)s) and time >= %(start)s and time < %(end)s and quality & %(distrusted)s = 0
  and (count = 0 or (count > 0 and hgv_share is not null))
group by sensor, day"""


@dataclass(frozen=True, slots=True)
class LorryDay:
    """What one loop counted in a day (UTC)."""

    sensor: str
    day: datetime
    readings: int
    vehicles: float
    lorries: float


async def lorry_days(conn: Connection, sensors: Sequence[str], start: datetime, end: datetime) -> list[LorryDay]:
    """Add up the trusted readings in [start, end)."""
    values = {"sensors": list(sensors), "start": start, "end": end, "distrusted": int(DISTRUSTED)}
    async with conn.cursor(row_factory=class_row(LorryDay)) as cursor:
        await cursor.execute(_COUNTED, values, prepare=False)
        return await cursor.fetchall()
