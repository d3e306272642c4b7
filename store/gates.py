"""The gates of a terminal over the last hours: what the outlook is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from sensors.level import DISTRUSTED
from store.database import Connection

_GATES = """
select gate.sensor, gate.time, gate.queue_trucks, gate.lanes_open, gate.service_s, gate.arrivals, gate.departures
from gate join sensor on sensor.id = gate.sensor join site on site.id = sensor.site
where site.terminal = %(terminal)s and gate.quality & %(distrusted)s = 0
  and gate.time > %(start)s and gate.time <= %(end)s
order by gate.time, gate.sensor"""

_PASSAGES = """
select passage.sensor, passage.time, passage.direction
from passage join sensor on sensor.id = passage.sensor join site on site.id = sensor.site
where site.terminal = %(terminal)s and passage.direction is not null and passage.quality & %(distrusted)s = 0
  and passage.time > %(start)s and passage.time <= %(end)s
order by passage.time"""


@dataclass(frozen=True, slots=True)
class GateReading:
    """What a gate told at one time; None where it did not."""

    sensor: str
    time: datetime
    queue_trucks: float | None
    lanes_open: float | None
    service_s: float | None
    arrivals: float | None
    departures: float | None


@dataclass(frozen=True, slots=True)
class Passed:
    """One lorry through a gate."""

    sensor: str
    time: datetime
    direction: str


async def gate_readings(conn: Connection, terminal: str, start: datetime, end: datetime) -> list[GateReading]:
    """Read the trusted readings of the gates of a terminal in (start, end], in order of time."""
    async with conn.cursor(row_factory=class_row(GateReading)) as cursor:
        await cursor.execute(_GATES, _values(terminal, start, end), prepare=False)
        return await cursor.fetchall()


async def passages(conn: Connection, terminal: str, start: datetime, end: datetime) -> list[Passed]:
    """Read who passed its gates in (start, end], in order of time."""
    async with conn.cursor(row_factory=class_row(Passed)) as cursor:
        await cursor.execute(_PASSAGES, _values(terminal, start, end), prepare=False)
        return await cursor.fetchall()


def _values(terminal: str, start: datetime, end: datetime) -> dict[str, object]:
    return {"terminal": terminal, "start": start, "end": end, "distrusted": int(DISTRUSTED)}
