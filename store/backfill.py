"""Means of what is there already: readings that were loaded, hours and days from before they were kept.

An installation that comes from a version without hours and days has years of 5-minute means. The migration only notes
which kinds are concerned; upkeep does the work beside its own, a week a step, newest first, going on after a restart.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from psycopg import sql

from sensors.kind import Kind, Kinds
from sensors.level import DISTRUSTED
from store.database import Connection
from store.kind_tables import ROLLUPS, Rollup, measured_columns
from store.leadership import Lock, lock_transaction
from store.recompute import made_columns, made_of_raw

WEEK = timedelta(days=7)
"""What one step does: more keeps the live rollups waiting, less takes more steps."""

_DAY = timedelta(days=1)

_NEXT = "select kind, before from rollup_backfill where kind = any(%s) order by kind limit 1"
_NEWEST = "select time from {finest} where time < %s order by time desc limit 1"
_DONE = "delete from rollup_backfill where kind = %s"
_REACHED = "update rollup_backfill set before = %s where kind = %s"

# What is there already was computed of the hours known then, perhaps not all: more readings win.
_FILL = """
insert into {rollup} as kept ({subject}, time, {names})
select {subject}, time_bucket({bucket}, time), {made} from {finer}
where time >= %(low)s and time < %(high)s group by 1, 2
on conflict ({subject}, time) do update set {changes} where excluded.readings > kept.readings"""

_FILL_FINEST = """
insert into {rollup} as kept ({subject}, time, {names})
select touched.thing, touched.start, {made} from {raw} part
cross join lateral (select part.{subject} as thing, time_bucket({bucket}, part.time) as start) touched
where part.time >= %(low)s and part.time < %(high)s and part.quality & {distrusted} = 0
group by touched.thing, touched.start
on conflict ({subject}, time) do update set {changes} where excluded.readings > kept.readings"""


async def fill_rollups(conn: Connection, kinds: Kinds, low: datetime, high: datetime) -> None:
    """Make the means of all resolutions from the readings of some time, which no batch announced; whole days in UTC.

    Day by day, because the groups of a week would not fit into the server's work_mem.
    """
    day = low.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day < high:
        until = min(day + _DAY, high)
        for kind in kinds.values():
            await conn.execute(_finest(kind), {"low": day, "high": until}, prepare=False)
            await _fill(conn, kind, day, until)
        day += _DAY


async def backfill_rollups(conn: Connection, kinds: Kinds) -> bool:
    """Do one step, in one transaction; False when there is nothing left to do."""
    async with conn.transaction():
        await lock_transaction(conn, Lock.ROLLUP)
        row = await (await conn.execute(_NEXT, (list(kinds),))).fetchone()
        if row is None:
            return False
        kind, before = kinds[row[0]], row[1]
        high = await _next_day(conn, kind, before)
        if high is None:
            await conn.execute(_DONE, (kind.name,))
        else:
            await _fill(conn, kind, high - WEEK, high)
            await conn.execute(_REACHED, (high - WEEK, kind.name))
    return True


async def _next_day(conn: Connection, kind: Kind, before: datetime) -> datetime | None:
    """The end of the newest day with 5-minute means before an instant: years without any are stepped over."""
    newest = sql.SQL(_NEWEST).format(finest=sql.Identifier(ROLLUPS[0].table(kind)))
    row = await (await conn.execute(newest, (before,))).fetchone()
    if row is None:
        return None
    day: datetime = row[0].replace(hour=0, minute=0)
    return day + timedelta(days=1)


async def _fill(conn: Connection, kind: Kind, low: datetime, high: datetime) -> None:
    for finer, rollup in itertools.pairwise(ROLLUPS):
        await conn.execute(_statement(kind, finer, rollup), {"low": low, "high": high}, prepare=False)


def _finest(kind: Kind) -> sql.Composed:
    names = [sql.Identifier(name) for name in ("readings", "coverage", *measured_columns(kind))]
    return sql.SQL(_FILL_FINEST).format(
        rollup=sql.Identifier(ROLLUPS[0].table(kind)),
        raw=sql.Identifier(kind.name),
        subject=sql.Identifier(kind.subject),
        bucket=sql.SQL("interval {}").format(sql.Literal(f"{ROLLUPS[0].seconds} s")),
        distrusted=sql.Literal(int(DISTRUSTED)),
        names=sql.SQL(", ").join(names),
        made=made_of_raw(kind, ROLLUPS[0]),
        changes=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names),
    )


def _statement(kind: Kind, finer: Rollup, rollup: Rollup) -> sql.Composed:
    names = [sql.Identifier(name) for name in ("readings", "coverage", *measured_columns(kind))]
    return sql.SQL(_FILL).format(
        rollup=sql.Identifier(rollup.table(kind)),
        finer=sql.Identifier(finer.table(kind)),
        subject=sql.Identifier(kind.subject),
        bucket=sql.SQL("interval {}").format(sql.Literal(f"{rollup.seconds} s")),
        names=sql.SQL(", ").join(names),
        made=made_columns(kind, rollup, finer),
        changes=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names),
    )
