"""The port as it is: levels, places on the map, situations, and the figures of the chosen range."""

from __future__ import annotations

from typing import Literal, LiteralString

from psycopg import sql

from store.panels.means import RANGE_S, ask

Language = Literal["fr", "en"]

# A corridor is seen by its reader, and stands at that site.
THINGS: LiteralString = """(
    select id, site, kind, coalesce(nullif(name, ''), id) as name from sensor
    union all select corridor.id, sensor.site, 'travel_time', corridor.id
    from corridor join sensor on sensor.id = corridor.reader
) thing"""
IN_BASIN: LiteralString = "site.basin in (${basin:sqlstring})"
SITES_OF_BASIN: LiteralString = "(select array_agg(site.id) from site where site.basin in (${basin:sqlstring}))"

_LEVELS: LiteralString = """
select count(*) filter (where state.level = 3) as jammed, count(*) filter (where state.level = 2) as congested,
    count(*) filter (where state.level = 1) as dense, count(*) filter (where state.level = 0) as fluid,
    count(*) filter (where state.level = -1) as unknown
from state join {things} on thing.id = state.sensor join site on site.id = thing.site
where {in_basin}"""

_PLACES: LiteralString = """
select site.id as site, site.name, site.latitude, site.longitude, max(state.level) as level,
    string_agg(thing.id, ', ' order by thing.id) filter (where state.level >= 2) as congested
from state join {things} on thing.id = state.sensor join site on site.id = thing.site
where {in_basin} and state.level is not null and site.latitude is not null
group by site.id order by level, site.id"""

_SITUATIONS: LiteralString = """
select level, data -> 'headline' ->> {language} as headline, onset,
    (data ->> 'expected_end')::timestamptz as expected_end,
    array_to_string(sites, ', ') as sites, id
from situation where state <> 'ended' and sites && {sites}
order by level desc, onset"""

_ALARMS: LiteralString = """
select priority, told -> 'title' ->> {language} as title, level, state, raised_at,
    array_to_string(sites, ', ') as sites, id
from alarm where closed_at is null and state <> 'normal' and (sites = '{{}}' or sites && {sites})
order by priority = 'high' desc, priority = 'medium' desc, raised_at"""

# Standing in the range, cut to it; lorry hours are those of the whole situation.
_FIGURES: LiteralString = """
with stood as (
    select data,
        least(coalesce(ended, time), $__timeTo()::timestamptz) - greatest(onset, $__timeFrom()::timestamptz) as lasted
    from situation
    where onset <= $__timeTo()::timestamptz and coalesce(ended, 'infinity') >= $__timeFrom()::timestamptz
        and sites && {sites}
)
select count(*) as situations, coalesce(extract(epoch from sum(lasted)), 0) / 3600 as hours,
    extract(epoch from percentile_cont(0.5) within group (order by lasted)) / 60 as median_min,
    coalesce(sum((data ->> 'lorry_hours')::float8), 0) as lorry_hours
from stood"""

# 300 moments whatever the range: each is compared with each situation that stood in it.
_STANDING: LiteralString = """
with stood as (
    select onset, coalesce(ended, 'infinity') as ended, level from situation
    where onset <= $__timeTo()::timestamptz and coalesce(ended, 'infinity') >= $__timeFrom()::timestamptz
        and sites && {sites}
)
select moment as time, count(*) filter (where level = 1) as dense, count(*) filter (where level = 2) as congested,
    count(*) filter (where level = 3) as jammed
from generate_series($__timeFrom()::timestamptz, $__timeTo()::timestamptz,
    make_interval(secs => greatest($__interval_ms / 1000.0, ({range}) / 300.0))) moment
left join stood on stood.onset <= moment and stood.ended > moment
group by moment order by moment"""

_FRESHNESS: LiteralString = """
select extract(epoch from now() - max(time)) as newest_s,
    count(*) filter (where time < now() - interval '5 minutes') as late
from state join {things} on thing.id = state.sensor join site on site.id = thing.site
where {in_basin}"""

BASINS: LiteralString = "select distinct basin from site order by basin"
SITES: LiteralString = """
select id as __value, id || ' ' || name as __text from site where basin in (${basin:sqlstring}) order by id"""


def levels() -> str:
    return ask(_LEVELS, things=sql.SQL(THINGS), in_basin=sql.SQL(IN_BASIN))


def places() -> str:
    return ask(_PLACES, things=sql.SQL(THINGS), in_basin=sql.SQL(IN_BASIN))


def situations(language: Language) -> str:
    return ask(_SITUATIONS, language=sql.Literal(language), sites=sql.SQL(SITES_OF_BASIN))


def alarms(language: Language) -> str:
    return ask(_ALARMS, language=sql.Literal(language), sites=sql.SQL(SITES_OF_BASIN))


def figures() -> str:
    return ask(_FIGURES, sites=sql.SQL(SITES_OF_BASIN))


def standing() -> str:
    return ask(_STANDING, sites=sql.SQL(SITES_OF_BASIN), range=sql.SQL(RANGE_S))


def freshness() -> str:
    return ask(_FRESHNESS, things=sql.SQL(THINGS), in_basin=sql.SQL(IN_BASIN))
