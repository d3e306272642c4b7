"""What people do with an alarm: the next state, its audit row, its event and its new version in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from functools import reduce

from psycopg.rows import dict_row

from analytics.alarms.lifecycle import Lifecycle, follow
from analytics.alarms.machine import Transitions
from store.alarms.rows import AlarmRow, alarm_row, life_values
from store.alarms.standing import add_steps, event_of
from store.database import Connection
from store.events import append_events
from store.within import lies_within

_LOCKED = "select * from alarm where id = %s for update"

_ACT = """
update alarm set version = version + 1, steps = steps + %(new)s, state = %(state)s, active = %(active)s,
    level = %(level)s, peak = %(peak)s, priority = %(priority)s, since_at = %(since_at)s, raised_at = %(raised_at)s,
    announced_at = %(announced_at)s, urgent_at = %(urgent_at)s, escalated = %(escalated)s,
    shelved_until = %(shelved_until)s, suppressed_by = %(suppressed_by)s, out_of_service_by = %(out_of_service_by)s,
    confirmed = coalesce(%(confirmed)s, confirmed), closed_at = coalesce(closed_at, %(closed_at)s)
where id = %(id)s"""


class AlarmUnknown(Exception):  # noqa: N818  an answer, not a failure
    """No alarm has this number, or none that the caller knows of."""


class VersionDiffers(Exception):  # noqa: N818  an answer, not a failure
    """The alarm has changed since the caller looked."""


async def act_on_alarm(
    conn: Connection,
    alarm: int,
    decide: Callable[[Lifecycle], Transitions],
    *,
    now: datetime,
    expected: int | None = None,
    confirmed: bool | None = None,
    within: Collection[str] | None = None,
) -> AlarmRow:
    """Let `decide` move an alarm, in the caller's transaction; the alarm afterwards.

    within: only if all its sites are of these. Raises `AlarmUnknown`, `VersionDiffers` where the version is not the
    expected one, and what `decide` raises.
    """
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_LOCKED, (alarm,))
        found = await cursor.fetchone()
    if found is None:
        raise AlarmUnknown
    row = alarm_row(found)
    if within is not None and not lies_within(row.sites, within):
        raise AlarmUnknown
    if expected is not None and row.version != expected:
        raise VersionDiffers
    trail = decide(row.life)
    life = reduce(follow, trail, row.life)
    closed_at = now if life.over else None
    values = {"id": alarm, "new": len(trail), "confirmed": confirmed, "closed_at": closed_at}
    await conn.execute(_ACT, life_values(life) | values)
    await add_steps(conn, alarm, found["steps"], trail)
    await append_events(conn, [event_of(transition, row.about) for transition in trail])
    confirmed = row.confirmed if confirmed is None else confirmed
    return replace(row, life=life, version=row.version + 1, confirmed=confirmed, closed_at=row.closed_at or closed_at)
