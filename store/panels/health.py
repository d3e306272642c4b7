"""Sensors: what is wrong with them, how much of them arrives, their clocks, gaps, receipts and batteries."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from sensors.kind import Kinds
from store.panels.means import COARSE, RANGE_S, ask, readings, step, with_gaps
from store.panels.port import THINGS

_IN_SITE: LiteralString = "thing.site in (${site:sqlstring})"

_FAULTY: LiteralString = """
select count(*) filter (where scope = 'sensor') as sensors, count(*) filter (where scope = 'site') as sites,
    count(*) filter (where scope = 'basin') as basins
from fault where site is null or site in (${{site:sqlstring}})"""

_VERDICTS: LiteralString = """
select state.verdict, count(*) as things from state join {things} on thing.id = state.sensor
where {in_site} group by 1 order by 2 desc"""

_FAULTS: LiteralString = """
select place, scope, site, kind, fault, since, extract(epoch from now() - since) as lasts_s
from fault where site is null or site in (${{site:sqlstring}}) order by since"""

_COVERAGE: LiteralString = """
    select time_bucket({step}, reading.time) as time, thing.site as metric, 100 * avg(reading.coverage) as value
    from ({readings}) reading join {things} on thing.id = reading.thing
    where {in_site} group by 1, 2"""

_CLOCKS: LiteralString = """
select sensor_clock.sensor, thing.site, offset_s, whole_hours, measured_at
from sensor_clock join {things} on thing.id = sensor_clock.sensor
where {in_site} order by abs(offset_s) desc"""

_GAPS: LiteralString = """
select sequence_gap.thing, thing.site, count(*) as gaps, sum(last_seq - first_seq + 1) as missing,
    min(seen_at) as oldest, max(seen_at) as newest
from sequence_gap join {things} on thing.id = sequence_gap.thing
where {in_site} group by 1, 2 order by missing desc limit 200"""

_RECEIPTS: LiteralString = """
select distinct on (sequence.thing) sequence.thing, thing.site, boot, highest, given_up,
    coalesce(cardinality(quarantined), 0) as quarantined, changed_at
from sequence join {things} on thing.id = sequence.thing
where {in_site} order by sequence.thing, changed_at desc"""

# The newest of each sensor by its index: a maximum over all would read months.
_BATTERIES: LiteralString = """
select thing.id as sensor, thing.site, newest.battery_v, newest.rssi_dbm, newest.firmware, newest.time
from {things} cross join lateral (
    select battery_v, rssi_dbm, firmware, time from device_health
    where device_health.sensor = thing.id and $__timeFilter(time) order by time desc limit 1
) newest
where {in_site} order by newest.battery_v nulls last, thing.id"""

# There are no means of what devices tell now and then; between two tellings nothing is known to have changed.
_DEVICES: LiteralString = """
select time_bucket({step}, device_health.time) as time, device_health.sensor as metric, avg({field}) as value
from device_health join {things} on thing.id = device_health.sensor
where $__timeFilter(device_health.time) and {in_site} and {field} is not null
group by 1, 2 order by 1, 2"""
_DEVICE_STEP: LiteralString = "make_interval(secs => greatest({least}, ({range}) / 150.0))"
_LEAST_S = 600

_SILENT: LiteralString = """
select thing.id as thing, thing.site, thing.kind, state.time as newest, extract(epoch from now() - state.time) as age_s
from {things} left join state on state.sensor = thing.id
where {in_site} and (state.time is null or state.time < now() - interval '10 minutes')
order by state.time nulls first, thing.id"""

SENSORS_OF_SITES: LiteralString = """
select id as __value, id || ' ' || name as __text from sensor where site in (${site:sqlstring}) order by id"""


def faulty() -> str:
    return ask(_FAULTY)


def verdicts() -> str:
    return ask(_VERDICTS, things=sql.SQL(THINGS), in_site=sql.SQL(_IN_SITE))


def faults() -> str:
    return ask(_FAULTS)


def coverage(kinds: Kinds) -> str:
    """Readings that came of those that were due, in % by site."""
    periodic = [kind for kind in kinds.values() if kind.period_s]
    union = sql.SQL(" union all ").join(
        sql.SQL("select thing, time, coverage from {}").format(readings(kind, stages=COARSE)) for kind in periodic
    )
    return with_gaps(_COVERAGE, step(stages=COARSE), readings=union, things=sql.SQL(THINGS), in_site=sql.SQL(_IN_SITE))


def clocks() -> str:
    return ask(_CLOCKS, things=sql.SQL(THINGS), in_site=sql.SQL(_IN_SITE))


def gaps() -> str:
    return ask(_GAPS, things=sql.SQL(THINGS), in_site=sql.SQL(_IN_SITE))


def receipts() -> str:
    return ask(_RECEIPTS, things=sql.SQL(THINGS), in_site=sql.SQL(_IN_SITE))


def batteries() -> str:
    return ask(_BATTERIES, things=sql.SQL(THINGS), in_site=sql.SQL(_IN_SITE))


def devices(field: str) -> str:
    """The course of what devices tell of themselves."""
    step = sql.SQL(_DEVICE_STEP).format(least=sql.Literal(_LEAST_S), range=sql.SQL(RANGE_S))
    parts = {"field": sql.Identifier(field), "things": sql.SQL(THINGS), "in_site": sql.SQL(_IN_SITE)}
    return ask(_DEVICES, step=step, **parts)


def silent() -> str:
    return ask(_SILENT, things=sql.SQL(THINGS), in_site=sql.SQL(_IN_SITE))
