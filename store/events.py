"""The one feed: events that are appended in the order in which they become visible.

Every writer holds one lock from before it takes an id until its commit, so the order of ids is the order of commits and
a reader that remembers the last id it saw misses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from sensors.alerts import TOLD_LATE, VALID_FOR
from store.database import Connection
from store.leadership import Lock, lock_transaction

# Who set `valid_until` knows better; all others hold for a while from being told, or from when they should have been.
_APPEND = """
with given as (
    select nextval('event_number') as id, new.* from (
        select * from rows from (
            jsonb_to_recordset(%(events)s) as (time timestamptz, type text, subject text, data jsonb)
        ) with ordinality as new (time, type, subject, data, place) order by place
    ) new
),
stored as (
    insert into event (id, time, type, subject, data)
    select id, time, type, subject, jsonb_build_object(
        'valid_until', least(clock_timestamp(), time + %(late)s::interval) + %(valid)s::interval) || data
    from given returning id
),
told as (select pg_notify('vigie_event', max(id)::text) from stored)
select id from stored cross join told order by id"""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event before it has its place in the feed; `time` is when it happened, `subject` the sensor or corridor."""

    time: datetime
    type: str
    subject: str
    data: Mapping[str, object]


async def append_events(conn: Connection, events: Sequence[NewEvent]) -> list[int]:
    """Append events in their order and notify the followers; their ids.

    Only inside a transaction, as late as can be: all writers of events wait for each other from here to its end.
    """
    if not events:
        return []
    await lock_transaction(conn, Lock.EVENT)
    cursor = await conn.execute(_APPEND, {"events": Jsonb(events), "late": TOLD_LATE, "valid": VALID_FOR})
    return [int(number) for (number,) in await cursor.fetchall()]
