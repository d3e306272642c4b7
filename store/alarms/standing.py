"""What stands, from the database to the desk and back: conditions, alarms, transitions and their events.

Everything that changes is written in the caller's transaction, the events last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from analytics.alarms.conditions import Condition
from analytics.alarms.lifecycle import Transition
from analytics.alarms.muting import Maintenance, Range
from analytics.alarms.priority import Arithmetic
from analytics.alarms.rules import Rules, Told
from analytics.alarms.standing import Standing
from analytics.alarms.wording import About, data_of, type_of
from store.alarms.rows import AlarmRow, alarm_row, condition_of, life_values
from store.database import Connection
from store.events import NewEvent

# Locked in the order of their ids, as every other writer of an alarm locks one of them: nobody waits in a ring.
_OPEN = "select * from alarm where closed_at is null order by id for update"
_CONDITIONS = "select key, began_at, over_at, over_why, condition, sites, recording from condition"
_MAINTENANCE = "select range, target, why, begins_at, ends_at from maintenance where ends_at > %s order by begins_at"

_KEEP_CONDITION = """
insert into condition (key, began_at, over_at, over_why, condition, sites, recording)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (key) do update set began_at = excluded.began_at, over_at = excluded.over_at,
    over_why = excluded.over_why, condition = excluded.condition, sites = excluded.sites,
    recording = excluded.recording"""

_NEW_ALARM = """
insert into alarm (key, rule, told, arithmetic, condition, what, subject, sites, recording, state, active, level, peak,
    priority, since_at, raised_at, announced_at, urgent_at, escalated, shelved_until, suppressed_by, out_of_service_by,
    steps, closed_at)
values (%(key)s, %(rule)s, %(told)s, %(arithmetic)s, %(condition)s, %(what)s, %(subject)s, %(sites)s, %(recording)s,
    %(state)s, %(active)s, %(level)s, %(peak)s, %(priority)s, %(since_at)s, %(raised_at)s, %(announced_at)s,
    %(urgent_at)s, %(escalated)s, %(shelved_until)s, %(suppressed_by)s, %(out_of_service_by)s, %(new)s, %(closed_at)s)
returning id, steps"""

_CHANGE_ALARM = """
update alarm set version = version + 1, steps = steps + %(new)s, rule = %(rule)s, told = coalesce(%(told)s, told),
    arithmetic = coalesce(%(arithmetic)s, arithmetic), condition = %(condition)s, what = %(what)s, sites = %(sites)s,
    state = %(state)s, active = %(active)s, level = %(level)s, peak = %(peak)s, priority = %(priority)s,
    since_at = %(since_at)s, raised_at = %(raised_at)s, announced_at = %(announced_at)s, urgent_at = %(urgent_at)s,
    escalated = %(escalated)s, shelved_until = %(shelved_until)s, suppressed_by = %(suppressed_by)s,
    out_of_service_by = %(out_of_service_by)s, closed_at = %(closed_at)s
where id = %(id)s returning id, steps"""

_STEP = """
insert into alarm_transition
    (alarm, number, at, who, action, why, source, target, level, priority, active, until, said)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""


async def load_standing(conn: Connection, rules: Rules) -> list[Standing]:
    """What stands, its alarms locked until the end of the caller's transaction."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_OPEN)
        alarms = {row["key"]: alarm_row(row) for row in await cursor.fetchall()}
        await cursor.execute(_CONDITIONS)
        rows = {row["key"]: row for row in await cursor.fetchall()}
    return [_standing(rows.get(key), alarms.get(key), rules) for key in rows.keys() | alarms.keys()]


def _standing(row: Mapping[str, Any] | None, alarm: AlarmRow | None, rules: Rules) -> Standing:
    if row is None:
        assert alarm is not None
        entry = Standing(alarm.condition)
    else:
        entry = Standing(condition_of(row["condition"]), row["began_at"], row["over_at"], row["over_why"])
        entry.sites, entry.recording = tuple(row["sites"]), row["recording"]
    if alarm is not None:
        entry.alarm, entry.life, entry.arithmetic = alarm.id, alarm.life, alarm.arithmetic
        entry.named, entry.told, entry.rule = alarm.rule, alarm.told, rules.named(alarm.rule)
        entry.sites, entry.recording = alarm.sites, alarm.recording
    return entry


async def load_maintenance(conn: Connection, now: datetime) -> list[Maintenance]:
    """Maintenance that is at work or still to come."""
    rows = await (await conn.execute(_MAINTENANCE, (now,))).fetchall()
    return [Maintenance(Range(range_), *rest) for range_, *rest in rows]


async def save_standing(conn: Connection, entries: Iterable[Standing], *, now: datetime) -> list[NewEvent]:
    """Store what changed; the events that tell of it, for the caller to append last."""
    events: list[NewEvent] = []
    for entry in entries:
        await _save_condition(conn, entry)
        if entry.trail or (entry.alarm is not None and entry.touched):
            events += await _save_alarm(conn, entry, now)
    return events


async def _save_condition(conn: Connection, entry: Standing) -> None:
    condition = entry.condition
    if entry.began_at is None and entry.over_at is None:
        await conn.execute("delete from condition where key = %s", (condition.key,))
        return
    times = (entry.began_at, entry.over_at, entry.over_why)
    where = (list(entry.sites), entry.recording)
    await conn.execute(_KEEP_CONDITION, (condition.key, *times, _json(condition), *where))


async def _save_alarm(conn: Connection, entry: Standing, now: datetime) -> list[NewEvent]:
    assert entry.told is not None
    condition, life = entry.condition, entry.life
    values = life_values(life) | {
        "id": entry.alarm,
        "key": condition.key,
        "rule": entry.named,
        "told": _json(entry.told),
        "arithmetic": None if entry.arithmetic is None else _json(entry.arithmetic),
        "condition": _json(condition),
        "what": condition.what,
        "subject": condition.subject,
        "sites": list(entry.sites),
        "recording": entry.recording,
        "new": len(entry.trail),
        "closed_at": now if life.over else None,
    }
    row = await (await conn.execute(_NEW_ALARM if entry.alarm is None else _CHANGE_ALARM, values)).fetchone()
    assert row is not None
    entry.alarm, steps = int(row[0]), int(row[1])
    about = About(entry.alarm, entry.named, entry.told, condition, entry.arithmetic, entry.sites)
    await add_steps(conn, entry.alarm, steps - len(entry.trail), entry.trail)
    return [event_of(transition, about) for transition in entry.trail]


async def add_steps(conn: Connection, alarm: int, before: int, trail: Sequence[Transition]) -> None:
    """Append transitions to the audit trail of an alarm that has `before` of them."""
    async with conn.cursor() as cursor:
        await cursor.executemany(_STEP, [_step(alarm, number, one) for number, one in enumerate(trail, before + 1)])


def event_of(transition: Transition, about: About) -> NewEvent:
    return NewEvent(transition.at, type_of(transition), about.condition.subject, data_of(transition, about))


def _step(alarm: int, number: int, one: Transition) -> tuple[object, ...]:
    words = (one.action.value, one.why, one.source.value, one.target.value)
    after = (int(one.level), one.priority.value, one.active, one.until, list(one.said))
    return alarm, number, one.at, one.who, *words, *after


def _json(value: Condition | Told | Arithmetic) -> Jsonb:
    return Jsonb(value)
