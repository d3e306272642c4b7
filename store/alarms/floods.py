"""Floods of alarms: more than anybody can read, declared and ended by their numbers."""

from __future__ import annotations

from datetime import datetime

from psycopg.rows import class_row

from analytics.alarms.load import SPAN, Flood, flood
from store.database import Connection
from store.events import NewEvent

BEGAN = "vigie.flood.began.v1"
ENDED = "vigie.flood.ended.v1"
_SUBJECT = "port"

# Recordings do not count: their alarms of years come within minutes.
_ANNOUNCED = """
select step.at from alarm_transition step join alarm on alarm.id = step.alarm and alarm.recording is null
where step.at > %s and step.at <= %s and step.target = 'unacknowledged'
  and (step.source <> 'unacknowledged' or step.action = 'raise')"""
_PRESENT = "select began_at, ended_at, most from flood where ended_at is null"
_BEGIN = "insert into flood (began_at, most) values (%s, %s)"
_GO_ON = "update flood set ended_at = %s, most = %s where ended_at is null"


async def present_flood(conn: Connection) -> Flood | None:
    async with conn.cursor(row_factory=class_row(Flood)) as cursor:
        await cursor.execute(_PRESENT)
        return await cursor.fetchone()


async def watch_flood(conn: Connection, now: datetime) -> tuple[Flood | None, list[NewEvent]]:
    """Declare or end a flood by the announcements of the last minutes; the present one, and what to tell the feed."""
    announced = [at for (at,) in await (await conn.execute(_ANNOUNCED, (now - SPAN, now))).fetchall()]
    before = await present_flood(conn)
    after = flood(before, announced, now)
    if after is None or after == before:
        return after, []
    if before is None:
        await conn.execute(_BEGIN, (after.began_at, after.most))
        return after, [_event(BEGAN, after.began_at, after, len(announced))]
    await conn.execute(_GO_ON, (after.ended_at, after.most))
    if after.ended_at is None:
        return after, []
    return None, [_event(ENDED, after.ended_at, after, len(announced))]


def _event(type_: str, at: datetime, after: Flood, count: int) -> NewEvent:
    data = {"began": after.began_at.isoformat(), "alarms_10min": count, "most_10min": after.most}
    return NewEvent(at, type_, _SUBJECT, data)
