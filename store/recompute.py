"""The statement that computes again what batches touched in one resolution of a kind, and finds what that revised."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from sensors.kind import Kind
from sensors.level import DISTRUSTED
from store.kind_tables import AGGREGATES, ROLLUPS, Rollup, measured_columns

# Each pair is looked up in the unique index; one pass over the range would read what was not touched. The bounds of the
# whole say nothing new, but leave the planner few chunks to look in. Readings only ever come on top: a bucket that
# would have fewer than before has lost its raw readings to retention, and keeps what is known of it.
_RECOMPUTE = """
with touched as materialized (
    select {subject} as thing, time_bucket({bucket}, time) as start, min(done.committed_at) as first_at,
        max(done.committed_at) as last_at, max(received_at) as received_at
    from {raw} join unnest(%(batches)s::bigint[], %(committed)s::timestamptz[]) as done (batch, committed_at)
        using (batch)
    where time between %(low)s and %(high)s and batch = any(%(batches)s)
    group by 1, 2
),
fresh as materialized (
    select touched.*, old.time is not null as known, old.readings as old_readings, old.coverage as old_coverage,
        array[{old_means}]::real[] as old_means, old.opened_at, made.*
    from touched
    left join lateral (
        select * from {rollup} kept
        where kept.{subject} = touched.thing and kept.time = touched.start
          and kept.time >= time_bucket({bucket}, %(low)s) and kept.time <= %(high)s
        limit 1
    ) old on true
    cross join lateral (
        select {made} from {source} part
        where part.{subject} = touched.thing and part.time >= touched.start and part.time < touched.start + {bucket}
          and part.time >= time_bucket({bucket}, %(low)s) and part.time < %(high)s + {bucket} {counted}
    ) made
),
judged as materialized (
    select fresh.*, known and readings > old_readings and {published} as revised from fresh
),
written as (
    insert into {rollup} as kept ({subject}, time, opened_at, revised, {names})
    select thing, start, first_at, revised, {names} from judged
    on conflict ({subject}, time) do update set {changes}, revised = coalesce(kept.revised, false) or excluded.revised
    where excluded.readings >= kept.readings
)
select {kind} as kind, {resolution} as resolution, {fields}::text[] as fields, thing, start, last_at as stored_at,
    received_at >= start + {bucket} + {grace} as late, old_readings, old_coverage, old_means, readings, coverage,
    array[{means}]::real[] as means
from judged where revised order by thing, start"""

# What happened at a recording's site happened long ago: there a bucket is complete when a later one has begun.
_PUBLISHED = """
case when thing = any(%(recorded)s)
    then (select true from {rollup} later where later.{subject} = thing and later.time > start
          order by later.time limit 1) is not null
    else last_at >= greatest(opened_at, start + {bucket}) + {grace} end"""

# Of a period longer than the bucket one reading covers it; events have no period and so no coverage.
_COVERAGE = """
least(1, count(*) * coalesce((select period_s from sensor where sensor.id = touched.thing), {period})
    / {seconds})::real"""

# A mean of means is weighted by the readings behind each; what was not measured has no weight.
_MEAN_OF_MEANS = "(sum({mean} * readings) / nullif(sum(readings) filter (where {mean} is not null), 0))::real"


def recompute_statement(kind: Kind, number: int) -> sql.Composed:
    """Compute `ROLLUPS[number]` of a kind from the resolution before it; returns rows of `store.revisions.Revision`.

    Parameters: `low` and `high` of the times, `batches` and when they were `committed`, the things that are `recorded`.
    """
    rollup = ROLLUPS[number]
    finer = ROLLUPS[number - 1] if number else None
    names = ["readings", "coverage", *measured_columns(kind)]
    parts: dict[str, sql.Composable] = {
        "subject": sql.Identifier(kind.subject),
        "bucket": _interval(rollup.seconds),
        "grace": _interval(rollup.published_s),
        "raw": sql.Identifier(kind.name),
        "source": sql.Identifier(finer.table(kind) if finer else kind.name),
        "rollup": sql.Identifier(rollup.table(kind)),
        "kind": sql.Literal(kind.name),
        "resolution": sql.Literal(rollup.resolution),
        "fields": sql.Literal(list(kind.field_names)),
        "counted": sql.SQL("") if finer else sql.SQL("and part.quality & {} = 0").format(sql.Literal(int(DISTRUSTED))),
        "made": made_columns(kind, rollup, finer) if finer else made_of_raw(kind, rollup),
        "names": _listed(map(sql.Identifier, names)),
        "old_means": _listed(sql.Identifier("old", f"{field}_mean") for field in kind.field_names),
        "means": _listed(sql.Identifier(f"{field}_mean") for field in kind.field_names),
        "changes": _listed(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names),
    }
    return sql.SQL(_RECOMPUTE).format(published=sql.SQL(_PUBLISHED).format(**parts), **parts)


def made_columns(kind: Kind, rollup: Rollup, finer: Rollup) -> sql.Composed:
    """A longer bucket's readings, coverage and aggregates, made of shorter ones."""
    return _listed(_of_finer(kind, sql.Literal(finer.seconds / rollup.seconds)))


def _of_finer(kind: Kind, share: sql.Composable) -> Iterator[sql.Composable]:
    yield sql.SQL("coalesce(sum(readings), 0)::int as readings")
    yield sql.SQL("(sum(coverage) * {})::real as coverage").format(share)
    for field in kind.field_names:
        yield _named(sql.SQL(_MEAN_OF_MEANS).format(mean=sql.Identifier(f"{field}_mean")), f"{field}_mean")
        for extreme in AGGREGATES[1:]:
            name = f"{field}_{extreme}"
            yield _named(sql.SQL("{}({})").format(sql.SQL(extreme), sql.Identifier(name)), name)


def made_of_raw(kind: Kind, rollup: Rollup) -> sql.Composed:
    """A bucket's readings, coverage and aggregates, made of the readings `part` of the thing `touched`."""
    functions = dict(zip(AGGREGATES, ("avg", "min", "max"), strict=True))
    aggregates = (
        _named(sql.SQL("{}({})::real").format(sql.SQL(function), sql.Identifier("part", field)), f"{field}_{name}")
        for field in kind.field_names
        for name, function in functions.items()
    )
    return _listed((sql.SQL("count(*)::int as readings"), _named(_coverage(kind, rollup), "coverage"), *aggregates))


def _coverage(kind: Kind, rollup: Rollup) -> sql.Composable:
    if not kind.periodic:
        return sql.SQL("null::real")
    return sql.SQL(_COVERAGE).format(period=sql.Literal(kind.period_s), seconds=sql.Literal(float(rollup.seconds)))


def _named(expression: sql.Composable, name: str) -> sql.Composed:
    return sql.SQL("{} as {}").format(expression, sql.Identifier(name))


def _interval(seconds: int) -> sql.Composed:
    return sql.SQL("interval {}").format(sql.Literal(f"{seconds} s"))


def _listed(parts: Iterator[sql.Composable] | tuple[sql.Composable, ...]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
