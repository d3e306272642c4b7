"""Roads: one way through time, its sensors, its corridors, and what is expected."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from sensors.kind import Kinds
from store.panels.means import ask, readings, step, with_gaps

IN_SENSOR: LiteralString = "thing in (${sensor:sqlstring})"
_IN_CORRIDOR: LiteralString = "thing in (${corridor:sqlstring})"

# The number keeps the sites in the order of travel: Grafana sorts series by name.
_SPACE_TIME: LiteralString = """
    select time_bucket({step}, reading.time) as time,
        to_char(stop.place, 'FM00') || ' ' || site.id || ' ' || site.name as metric,
        100 * avg(reading.speed_kmh / sensor.free_speed_kmh) as value
    from way cross join unnest(way.sites) with ordinality stop (site, place)
    join site on site.id = stop.site
    join sensor on sensor.site = site.id and sensor.road = way.road and sensor.direction = way.direction
    join {readings} on reading.thing = sensor.id
    where way.id = ${{way:sqlstring}} and sensor.free_speed_kmh > 0
    group by 1, 2"""

_MEAN: LiteralString = """
    select time_bucket({step}, time) as time, thing as metric, {factor} * avg({field}) as value
    from {readings} where {chosen} group by 1, 2"""

_NOW: LiteralString = """
select sensor.id as sensor, sensor.name, state.level, state.since, (state.value ->> 'speed_kmh')::float8 as speed_kmh,
    (state.value ->> 'flow_veh_h')::float8 as flow_veh_h, (state.value ->> 'occupancy_pct')::float8 as occupancy_pct,
    outlook.usual, outlook.abnormality, outlook.coverage * 100 as coverage
from sensor left join state on state.sensor = sensor.id left join outlook on outlook.sensor = sensor.id
where sensor.id in (${{sensor:sqlstring}}) order by state.level desc nulls last, sensor.id"""

_AHEAD: LiteralString = """
select outlook.sensor, (state.value ->> 'speed_kmh')::float8 as speed_kmh, outlook.usual,
    max(ahead.speed) filter (where ahead.minutes = 15) as in_15,
    max(ahead.speed) filter (where ahead.minutes = 30) as in_30,
    max(ahead.speed) filter (where ahead.minutes = 60) as in_60,
    max(ahead.low) filter (where ahead.minutes = 60) as low_60,
    max(ahead.high) filter (where ahead.minutes = 60) as high_60
from outlook left join state on state.sensor = outlook.sensor
cross join unnest(outlook.minutes, outlook.speed, outlook.low, outlook.high) ahead (minutes, speed, low, high)
where outlook.sensor in (${{sensor:sqlstring}}) group by 1, 2, 3 order by 1"""

_CORRIDORS: LiteralString = """
select corridor.id as corridor, start.name as origin, finish.name as destination, state.level, state.since,
    (state.value ->> 'median_s')::float8 as median_s, (state.value ->> 'p85_s')::float8 as p85_s,
    (state.value ->> 'matches')::float8 as matches, corridor.length_km
from corridor join site start on start.id = from_site join site finish on finish.id = to_site
left join state on state.sensor = corridor.id
where corridor.id in (${{corridor:sqlstring}}) order by state.level desc nulls last, corridor.id"""

WAYS: LiteralString = """
select id as __value, road || ' → ' || direction as __text from way
where sites && (select array_agg(id) from site where basin in (${basin:sqlstring})) order by road, direction"""
SENSORS: LiteralString = """
select sensor.id as __value, sensor.id || ' ' || sensor.name as __text
from sensor left join way on way.id = ${way:sqlstring}
where sensor.kind = 'traffic' and sensor.site in (${site:sqlstring})
    and (way.id is null or (sensor.road = way.road and sensor.direction = way.direction))
order by sensor.id"""
CORRIDORS: LiteralString = """
select corridor.id from corridor join site on site.id = from_site where site.basin in (${basin:sqlstring}) order by 1"""


def space_time(kinds: Kinds) -> str:
    """Speed in % of free speed, a row a site."""
    kind = kinds["traffic"]
    return with_gaps(_SPACE_TIME, step(kind), readings=readings(kind, "speed_kmh"))


def of_sensors(kinds: Kinds, kind: str, field: str, *, factor: float = 1) -> str:
    """The course of one field at the chosen sensors."""
    return _course(kinds, kind, field, factor, sql.SQL(IN_SENSOR))


def of_corridors(kinds: Kinds, field: str) -> str:
    return _course(kinds, "travel_time", field, 1, sql.SQL(_IN_CORRIDOR))


def now() -> str:
    return ask(_NOW)


def ahead() -> str:
    return ask(_AHEAD)


def corridors() -> str:
    return ask(_CORRIDORS)


def _course(kinds: Kinds, kind: str, field: str, factor: float, chosen: sql.SQL) -> str:
    return with_gaps(
        _MEAN,
        step(kinds[kind]),
        readings=readings(kinds[kind], field),
        field=sql.Identifier(field),
        factor=sql.Literal(factor),
        chosen=chosen,
    )
