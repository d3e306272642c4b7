"""Means of 5 minutes with their coverage, kept beside the raw readings.

Whatever a new batch touched is computed again, completely, from the raw readings: late data and corrections need no
case of their own, and doing it twice gives the same. Distrusted readings (`sensors.level.DISTRUSTED`) do not count.
"""

from __future__ import annotations

import itertools

from psycopg import sql

from sensors.kind import Kind, Kinds
from sensors.level import DISTRUSTED
from store.database import Connection
from store.kind_tables import ROLLUP_SUFFIX, rollup_columns
from store.leadership import Lock, lock_transaction
from store.reader import BatchSpan, advance, clusters, unread

READER = "rollup"
BUCKET_S = 300

# Each pair is looked up in the unique index; one pass over the range would read what was not touched. The bounds of the
# whole say nothing new, but leave the planner few chunks to look in.
_RECOMPUTE = """
with touched as materialized (
    select distinct {subject} as thing, time_bucket({bucket}, time) as start from {raw}
    where time between %(low)s and %(high)s and batch = any(%(batches)s)
)
insert into {rollup} as kept ({columns})
select thing, start, fresh.* from touched
cross join lateral (
    select count(*), {coverage}, {aggregates} from {raw}
    where {subject} = thing and time >= start and time < start + {bucket} and quality & {distrusted} = 0
      and time >= time_bucket({bucket}, %(low)s) and time < %(high)s + {bucket}
) fresh
on conflict ({subject}, time) do update set {changes}"""

# Of a period longer than the bucket one reading covers it; events have no period and so no coverage.
_COVERAGE = """
least(1, count(*) * coalesce((select period_s from sensor where sensor.id = thing), {period}) / {bucket_s})::real"""


async def update_rollups(conn: Connection, kinds: Kinds, *, limit_rows: int) -> int:
    """Bring the rollups up to about `limit_rows` readings per slot further, in one transaction.

    Returns the number of new readings taken into account; 0 when there is nothing left to do.
    """
    async with conn.transaction():
        # Before the cursors are read: two workers must not compute a bucket from different readings at once.
        await lock_transaction(conn, Lock.ROLLUP)
        found = await unread(conn, READER, limit_rows)
        spans = sorted((span for part in found for span in part.spans), key=lambda span: span.kind)
        for name, of_kind in itertools.groupby(spans, key=lambda span: span.kind):
            if kind := kinds.get(name):
                await _recompute(conn, kind, list(of_kind))
        if found:
            await advance(conn, READER, {part.slot: part.last for part in found})
    return sum(span.rows for span in spans)


async def _recompute(conn: Connection, kind: Kind, spans: list[BatchSpan]) -> None:
    statement = _statement(kind)
    for near in clusters(spans):
        low, high = min(span.min_time for span in near), max(span.max_time for span in near)
        batches = sorted({span.batch for span in near})
        await conn.execute(statement, {"low": low, "high": high, "batches": batches}, prepare=False)


def _statement(kind: Kind) -> sql.Composed:
    names = tuple(rollup_columns(kind))
    changed = (sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names[2:])
    aggregates = (
        sql.SQL("{}({})::real").format(sql.SQL(function), sql.Identifier(field))
        for field in kind.field_names
        for function in ("avg", "min", "max")
    )
    return sql.SQL(_RECOMPUTE).format(
        subject=sql.Identifier(kind.subject),
        bucket=sql.SQL("interval '{}'").format(sql.SQL(f"{BUCKET_S} s")),
        raw=sql.Identifier(kind.name),
        distrusted=sql.Literal(int(DISTRUSTED)),
        rollup=sql.Identifier(kind.name + ROLLUP_SUFFIX),
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        coverage=_coverage(kind),
        aggregates=sql.SQL(", ").join(aggregates),
        changes=sql.SQL(", ").join(changed),
    )


def _coverage(kind: Kind) -> sql.Composable:
    if not kind.periodic:
        return sql.SQL("null::real")
    return sql.SQL(_COVERAGE).format(period=sql.Literal(kind.period_s), bucket_s=sql.Literal(float(BUCKET_S)))
