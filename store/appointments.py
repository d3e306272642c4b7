"""The slot plans of the terminals, and how many lorries came in each hour.

Who came is what the entry gates counted as arrivals; at a gate that lets in and out, those who were let in. An hour of
which the gates delivered less than 75 % of their readings has no such number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from sensors.slots import Slot
from store.database import Connection

COVERED = 0.75
"""Share of the expected readings under which an aggregate is unknown (domain section 3, Berlin's rule)."""

_PUT = """
insert into appointment (terminal, hour, booked, changed_at)
select %(terminal)s, given.hour, given.booked, %(now)s
from unnest(%(hours)s::timestamptz[], %(booked)s::integer[]) as given (hour, booked)
on conflict (terminal, hour) do update set booked = excluded.booked, changed_at = excluded.changed_at
where appointment.booked <> excluded.booked"""

_BOOKED = """
select hour, booked from appointment
where terminal = %(terminal)s and hour > %(start)s - interval '1 hour' and hour < %(end)s order by hour"""

# Means of an hour are weighted back to sums; what was not delivered is added in proportion.
_HOURS = """
with entry as (
    select sensor.id, sensor.direction from sensor join site on site.id = sensor.site
    where site.terminal = %(terminal)s and sensor.kind = 'gate' and sensor.direction is distinct from 'out'
),
counted as (
    select entry.id, gate_1h.time as hour, gate_1h.coverage,
        gate_1h.arrivals_mean * gate_1h.readings / least(gate_1h.coverage, 1) as arrivals
    from entry join gate_1h on gate_1h.sensor = entry.id and entry.direction = 'in'
    where gate_1h.time >= %(start)s and gate_1h.time < %(end)s
    union all
    select entry.id, gate_1h.time, gate_1h.coverage, (
        select count(*) from passage
        where passage.sensor = entry.id and passage.direction = 'in'
          and passage.time >= gate_1h.time and passage.time < gate_1h.time + interval '1 hour')
    from entry join gate_1h on gate_1h.sensor = entry.id and entry.direction is null
    where gate_1h.time >= %(start)s and gate_1h.time < %(end)s
),
arrived as (
    select hour, round(sum(arrivals))::int as arrived from counted group by hour
    having count(*) = (select count(*) from entry) and min(coverage) >= %(covered)s
),
planned as (
    select hour, booked from appointment
    where terminal = %(terminal)s and hour >= %(start)s and hour < %(end)s
)
select hour, planned.booked, arrived.arrived from planned full join arrived using (hour) order by hour"""


@dataclass(frozen=True, slots=True)
class SlotHour:
    """An hour with its bookings and its arrivals; None where there is no plan, or the arrivals are not known."""

    hour: datetime
    booked: int | None
    arrived: int | None


@dataclass(frozen=True, slots=True)
class Booked:
    """An hour of a plan."""

    hour: datetime
    booked: int


async def bookings(conn: Connection, terminal: str, start: datetime, end: datetime) -> list[Booked]:
    """Read the plan of the hours that touch [start, end), in order."""
    async with conn.cursor(row_factory=class_row(Booked)) as cursor:
        await cursor.execute(_BOOKED, {"terminal": terminal, "start": start, "end": end})
        return await cursor.fetchall()


async def put_slots(conn: Connection, terminal: str, slots: Sequence[Slot], *, now: datetime) -> int:
    """Replace the plan for the hours of `slots`, in one transaction; how many of them are new or changed."""
    values = {
        "terminal": terminal,
        "hours": [slot.hour for slot in slots],
        "booked": [slot.booked for slot in slots],
        "now": now,
    }
    async with conn.transaction():
        return (await conn.execute(_PUT, values)).rowcount


async def slot_hours(conn: Connection, terminal: str, start: datetime, end: datetime) -> list[SlotHour]:
    """Read the hours that begin in [start, end) and have a plan or arrivals, in order."""
    async with conn.cursor(row_factory=class_row(SlotHour)) as cursor:
        values = {"terminal": terminal, "start": start, "end": end, "covered": COVERED}
        await cursor.execute(_HOURS, values, prepare=False)
        return await cursor.fetchall()
