"""Alarms for those who look: lists by what is asked, one with its trail, what calls made the load, what was right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import dict_row

from analytics.alarms.lifecycle import Priority
from analytics.alarms.load import Announcement
from store.alarms.rows import AlarmRow, TrailRow, alarm_row, trail_row
from store.database import Connection

_FIND = """
select * from alarm
where (%(states)s::text[] is null or state = any(%(states)s))
  and (%(levels)s::smallint[] is null or level = any(%(levels)s))
  and (%(priorities)s::text[] is null or priority = any(%(priorities)s))
  and (%(site)s::text is null or sites && array[%(site)s::text])
  and (%(terminal)s::text is null
       or sites && (select coalesce(array_agg(id), '{}') from site where terminal = %(terminal)s))
  and (%(within)s::text[] is null or (sites <> '{}' and sites <@ %(within)s))
  and (%(kind)s::text is null or what = %(kind)s)
  and (%(rule)s::text is null or rule = %(rule)s)
  and (%(open)s::boolean is null or (closed_at is null) = %(open)s)
  and (%(start)s::timestamptz is null or raised_at >= %(start)s)
  and (%(end)s::timestamptz is null or raised_at < %(end)s)
  and (%(before)s::bigint is null or id < %(before)s)
order by id desc limit %(limit)s"""

_ONE = "select * from alarm where id = %s"
_TRAIL = "select * from alarm_transition where alarm = %s order by number"
_LATEST_NOTES = """
select distinct on (alarm) alarm, number, at, recorded_at, who, action, why, source, target, level, priority, active,
    until, said
from alarm_transition where alarm = any(%s) and action in ('comment', 'respond') order by alarm, number desc"""

# The same place is the same source, whichever situation it is this time.
_ANNOUNCED = """
select step.at, coalesce(alarm.condition -> 'places' ->> 0, alarm.subject), step.priority
from alarm_transition step join alarm on alarm.id = step.alarm
where step.at >= %s and step.at < %s and alarm.recording is not distinct from %s
  and step.target = 'unacknowledged' and (step.source <> 'unacknowledged' or step.action = 'raise')"""

_CONFIRMED = """
select sensor, count(*) filter (where confirmed), count(*) filter (where not confirmed)
from alarm cross join lateral jsonb_array_elements_text(condition -> 'sensors') as sensor
where confirmed is not null and raised_at >= %s and raised_at < %s and recording is not distinct from %s
group by sensor order by 3 desc, 1"""

_ESCALATED = """
select count(*) from alarm_transition step join alarm on alarm.id = step.alarm
where step.action = 'escalate' and step.at >= %s and step.at < %s and alarm.recording is not distinct from %s"""


@dataclass(frozen=True, slots=True)
class AlarmChoice:
    """Which alarms; None leaves a question open. start, end: when they first called. within: all sites are of these."""

    states: Sequence[str] | None = None
    levels: Sequence[int] | None = None
    priorities: Sequence[str] | None = None
    site: str | None = None
    terminal: str | None = None
    kind: str | None = None
    rule: str | None = None
    open: bool | None = None
    start: datetime | None = None
    end: datetime | None = None
    within: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Confirmations:
    """How often people found the alarms of a sensor right and wrong."""

    sensor: str
    right: int
    wrong: int


async def find_alarms(conn: Connection, choice: AlarmChoice, *, before: int | None, limit: int) -> list[AlarmRow]:
    """Alarms with a number below `before`, the newest first."""
    lists = {name: None if (some := getattr(choice, name)) is None else list(some) for name in _LISTS}
    rest = {name: getattr(choice, name) for name in AlarmChoice.__slots__ if name not in _LISTS}
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_FIND, {**lists, **rest, "before": before, "limit": limit})
        return [alarm_row(row) for row in await cursor.fetchall()]


_LISTS = ("states", "levels", "priorities", "within")


async def find_alarm(conn: Connection, alarm: int) -> AlarmRow | None:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_ONE, (alarm,))
        row = await cursor.fetchone()
    return None if row is None else alarm_row(row)


async def trail_of(conn: Connection, alarm: int) -> list[TrailRow]:
    """The whole audit trail of an alarm, oldest first."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_TRAIL, (alarm,))
        return [trail_row(row) for row in await cursor.fetchall()]


async def latest_notes(conn: Connection, alarms: Sequence[int]) -> dict[int, TrailRow]:
    """What somebody last said or did about each of these alarms."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_LATEST_NOTES, (list(alarms),))
        return {row["alarm"]: trail_row(row) for row in await cursor.fetchall()}


async def announcements(
    conn: Connection, start: datetime, end: datetime, recording: str | None = None
) -> list[Announcement]:
    """The calls in [start, end), of the port or of one recording."""
    rows = await (await conn.execute(_ANNOUNCED, (start, end, recording))).fetchall()
    return [Announcement(at, source, Priority(priority)) for at, source, priority in rows]


async def escalations(conn: Connection, start: datetime, end: datetime, recording: str | None = None) -> int:
    row = await (await conn.execute(_ESCALATED, (start, end, recording))).fetchone()
    return int(row[0]) if row else 0


async def confirmations(
    conn: Connection, start: datetime, end: datetime, recording: str | None = None
) -> list[Confirmations]:
    """By sensor, what people said of the alarms raised in [start, end); the most often wrong first."""
    return [Confirmations(*row) for row in await (await conn.execute(_CONFIRMED, (start, end, recording))).fetchall()]
