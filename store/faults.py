"""What is wrong at present: kept by analytics with each step, read by it after a restart, and by the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from store.database import Connection

_BEGIN = """
insert into fault (place, fault, scope, site, kind, since, found_at, ahead_h)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
    %s::smallint[])
on conflict (place, fault) do update
set since = excluded.since, found_at = excluded.found_at, ahead_h = excluded.ahead_h"""

_END = """
delete from fault using unnest(%s::text[], %s::text[]) as gone (place, fault)
where fault.place = gone.place and fault.fault = gone.fault"""

_READ = "select place, fault, scope, site, kind, since, found_at, ahead_h from fault order by since, place, fault"


@dataclass(frozen=True, slots=True)
class FaultRow:
    """A fault of a sensor, site or basin: since when it shows in the readings, and when that was found, event time.

    ahead_h: by how many whole hours a clock is ahead, behind below 0; None for other faults.
    """

    place: str
    fault: str
    scope: str
    site: str | None
    kind: str | None
    since: datetime
    found_at: datetime
    ahead_h: int | None = None


async def write_faults(conn: Connection, begun: Sequence[FaultRow], over: Sequence[tuple[str, str]]) -> None:
    """Take over what began and what is over (place and fault), in the caller's transaction."""
    if over:
        await conn.execute(_END, tuple(map(list, zip(*over, strict=True))))
    if begun:
        rows = [(r.place, r.fault, r.scope, r.site, r.kind, r.since, r.found_at, r.ahead_h) for r in begun]
        await conn.execute(_BEGIN, tuple(map(list, zip(*rows, strict=True))))


async def load_faults(conn: Connection) -> list[FaultRow]:
    """All that is wrong now, the oldest first."""
    async with conn.cursor(row_factory=class_row(FaultRow)) as cursor:
        await cursor.execute(_READ)
        return await cursor.fetchall()
