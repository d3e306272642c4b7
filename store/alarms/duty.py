"""Who is on duty, and what is under maintenance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from analytics.alarms.muting import Maintenance
from store.database import Connection
from store.events import NewEvent, append_events
from store.leadership import Lock, lock_transaction

PLANNED = "vigie.maintenance.planned.v1"
ENDED = "vigie.maintenance.ended.v1"

_SHIFTS = "select id, operator, began_at, ended_at, note from shift order by id desc limit %s"
_END_SHIFT = "update shift set ended_at = %s where ended_at is null"
_BEGIN_SHIFT = """
insert into shift (operator, began_at, note) values (%s, %s, %s) returning id, operator, began_at, ended_at, note"""

_WORKS = """
select id, range, target, why, who, begins_at, ends_at, ended_by from maintenance
where (%(past)s or ends_at > %(now)s) and (%(before)s::bigint is null or id < %(before)s)
order by id desc limit %(limit)s"""
_PLAN = """
insert into maintenance (range, target, why, who, begins_at, ends_at) values (%s, %s, %s, %s, %s, %s)
returning id, range, target, why, who, begins_at, ends_at, ended_by"""
_END_WORK = """
update maintenance set ends_at = greatest(begins_at, %(now)s), ended_by = %(who)s
where id = %(id)s and ends_at > %(now)s
returning id, range, target, why, who, begins_at, ends_at, ended_by"""


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody's time on duty; `ended_at` None while it lasts. note: what was said when it began."""

    id: int
    operator: str
    began_at: datetime
    ended_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class Work:
    """Maintenance as it is stored. ended_by: who ended it before its time."""

    id: int
    range: str
    target: str
    why: str
    who: str
    begins_at: datetime
    ends_at: datetime
    ended_by: str | None


async def shifts(conn: Connection, limit: int) -> list[Shift]:
    """The newest first; the first is the present one if it has no end."""
    async with conn.cursor(row_factory=class_row(Shift)) as cursor:
        await cursor.execute(_SHIFTS, (limit,))
        return await cursor.fetchall()


async def hand_over(conn: Connection, operator: str, note: str, now: datetime) -> Shift:
    """End the present shift and begin that of `operator`; two at once come one after the other."""
    await lock_transaction(conn, Lock.SHIFT)
    await conn.execute(_END_SHIFT, (now,))
    async with conn.cursor(row_factory=class_row(Shift)) as cursor:
        await cursor.execute(_BEGIN_SHIFT, (operator, now, note))
        begun = await cursor.fetchone()
    assert begun is not None
    return begun


async def works(conn: Connection, now: datetime, *, past: bool, before: int | None, limit: int) -> list[Work]:
    """Maintenance at work and to come, and with `past` also what is over; the newest first."""
    async with conn.cursor(row_factory=class_row(Work)) as cursor:
        await cursor.execute(_WORKS, {"now": now, "past": past, "before": before, "limit": limit})
        return await cursor.fetchall()


async def plan_work(conn: Connection, plan: Maintenance, who: str) -> Work:
    """Announce maintenance; the feed is told, and the alarms follow."""
    async with conn.cursor(row_factory=class_row(Work)) as cursor:
        await cursor.execute(_PLAN, (plan.range.value, plan.target, plan.why, who, plan.begins_at, plan.ends_at))
        work = await cursor.fetchone()
    assert work is not None
    await append_events(conn, [_event(PLANNED, work, work.begins_at)])
    return work


async def end_work(conn: Connection, number: int, who: str, now: datetime) -> Work | None:
    """End maintenance before its time; None where there is none that is not over."""
    async with conn.cursor(row_factory=class_row(Work)) as cursor:
        await cursor.execute(_END_WORK, {"id": number, "who": who, "now": now})
        work = await cursor.fetchone()
    if work is not None:
        await append_events(conn, [_event(ENDED, work, now)])
    return work


def _event(type_: str, work: Work, at: datetime) -> NewEvent:
    data = {
        "maintenance": str(work.id),
        "range": work.range,
        "begins": work.begins_at.isoformat(),
        "ends": work.ends_at.isoformat(),
    }
    return NewEvent(at, type_, work.target, data)
