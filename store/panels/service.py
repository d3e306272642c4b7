"""Vigie itself: what comes in, how far behind its readers are, what waits and what could not be used."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from sensors.kind import Kinds
from store.panels.means import MEANS, ask, readings, step, with_gaps

_INTAKE: LiteralString = """
    select time_bucket({step}, time) as time, kind as metric,
        sum(readings) / extract(epoch from {step}) as value
    from ({readings}) reading group by 1, 2"""

# The end of the range only: a month of single readings is no question for a panel that refreshes.
_TRANSPORT: LiteralString = """
select kind, readings, delays[1] as p50_s, delays[2] as p95_s, delays[3] as most_s
from (
    {kinds}
) of_kind where readings > 0 order by p95_s desc"""
_TRANSPORT_KIND: LiteralString = """
    select {name} as kind, count(*) as readings,
        percentile_cont(array[0.5, 0.95, 1])
            within group (order by extract(epoch from received_at - time)::float8) as delays
    from {table} where time > to_timestamp($__unixEpochTo() - 900) and time <= to_timestamp($__unixEpochTo())"""

# Batches of a slot have rising numbers: the newest by the primary key.
_BEHIND: LiteralString = """
select cursor.reader, cursor.slot, newest.batch - cursor.batch as batches,
    coalesce(extract(epoch from newest.committed_at - read.committed_at), 0) as behind_s
from cursor
cross join lateral (
    select batch, committed_at from batch where batch.slot = cursor.slot order by batch desc limit 1
) newest
left join lateral (
    select committed_at from batch where batch.slot = cursor.slot and batch.batch <= cursor.batch
    order by batch desc limit 1
) read on true
order by behind_s desc, reader, slot"""

_RECEIVERS: LiteralString = """
select name, kind, state, greatest((select coalesce(max(id), 0) from event) - cursor, 0) as waiting,
    failures, failing_since, next_at, delivered_at
from subscription order by waiting desc, name"""

_DELIVERIES: LiteralString = """
select time_bucket({step}, at) as time, count(*) filter (where delivered) as delivered,
    count(*) filter (where not delivered) as failed
from delivery where $__timeFilter(at) group by 1 order by 1"""

_REFUSED: LiteralString = """
select reason, sum(times) as messages, count(*) as entries
from quarantine where $__timeFilter(last_received_at) group by 1 order by 2 desc, 1"""

_DAYS: LiteralString = """
select day::timestamptz as time, sum(duplicates) as duplicates, sum(conflicts) as conflicts,
    sum(quarantined) as quarantined
from account_day where day between ($__timeFrom()::timestamptz)::date and ($__timeTo()::timestamptz)::date
group by 1 order by 1"""

_ACCOUNT: LiteralString = """
select coalesce(sum(committed), 0) as committed, coalesce(sum(duplicates), 0) as duplicates,
    coalesce(sum(conflicts), 0) as conflicts, coalesce(sum(quarantined), 0) as quarantined
from account"""

_FEED: LiteralString = """
    select time_bucket({step}, recorded_at) as time, type as metric, count(*)::float8 as value
    from event where $__timeFilter(recorded_at) group by 1, 2"""

_SIZE: LiteralString = """
select pg_database_size(current_database()) as size, (select count(*) from sensor) as sensors,
    (select max(applied_at) from schema_migration) as migrated_at"""


def intake(kinds: Kinds) -> str:
    """Readings a second, by kind."""
    union = sql.SQL(" union all ").join(
        sql.SQL("select {} as kind, time, readings from {}").format(
            sql.Literal(kind.name), readings(kind, stages=MEANS)
        )
        for kind in kinds.values()
    )
    return with_gaps(_INTAKE, step(stages=MEANS), readings=union)


def transport(kinds: Kinds) -> str:
    """Seconds from measuring to arriving over the last quarter of an hour of the range."""
    each = [
        sql.SQL(_TRANSPORT_KIND).format(name=sql.Literal(kind.name), table=sql.Identifier(kind.name))
        for kind in kinds.values()
    ]
    return ask(_TRANSPORT, kinds=sql.SQL("\n    union all\n    ").join(each))


def behind() -> str:
    return ask(_BEHIND)


def receivers() -> str:
    return ask(_RECEIVERS)


def deliveries() -> str:
    return ask(_DELIVERIES, step=step(least_s=300))


def refused() -> str:
    return ask(_REFUSED)


def days() -> str:
    return ask(_DAYS)


def account() -> str:
    return ask(_ACCOUNT)


def feed() -> str:
    return with_gaps(_FEED, step(least_s=300))


def size() -> str:
    return ask(_SIZE)
