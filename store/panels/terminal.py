"""Terminals: their gates, how long lorries wait and stay, and what is behind the gates."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from sensors.kind import Kinds
from store.panels.means import HOUR_S, ask, readings, step, with_gaps

_OF_TERMINAL: LiteralString = "site.terminal in (${terminal:sqlstring})"

_NOW: LiteralString = """
select sensor.id as gate, sensor.name, state.level, state.since, (state.value ->> 'wait_s')::float8 as wait_s,
    (state.value ->> 'queue_trucks')::float8 as queue_trucks, (state.value ->> 'queue_m')::float8 as queue_m,
    (state.value ->> 'lanes_open')::float8 as lanes_open, sensor.lanes,
    (state.value ->> 'service_s')::float8 as service_s
from sensor join site on site.id = sensor.site left join state on state.sensor = sensor.id
where sensor.kind = 'gate' and {of_terminal} order by state.level desc nulls last, sensor.id"""

_MEAN: LiteralString = """
    select time_bucket({step}, reading.time) as time, sensor.id || ' ' || sensor.name as metric, avg({value}) as value
    from {readings} join sensor on sensor.id = reading.thing join site on site.id = sensor.site
    where {of_terminal} group by 1, 2"""

_WAITS: LiteralString = """
    select time, quantile.name as metric, quantile.value
    from (
        select time_bucket({step}, reading.time) as time,
            percentile_cont(array[0.5, 0.9, 0.95]) within group (order by wait_s) as waits
        from {readings} join sensor on sensor.id = reading.thing join site on site.id = sensor.site
        where {of_terminal} and sensor.direction is distinct from 'out' and wait_s is not null group by 1
    ) gate cross join unnest(array['p50', 'p90', 'p95'], waits) as quantile (name, value)"""

_TURNS: LiteralString = """
    select time, quantile.name as metric, quantile.value
    from (
        select time_bucket({step}, hour) as time,
            percentile_disc(array[0.5, 0.9, 0.95]) within group (order by turn_s) as turns
        from turn_hour cross join unnest(turns_s) turn_s
        where $__timeFilter(hour) and terminal in (${{terminal:sqlstring}}) group by 1
    ) ended cross join unnest(array['p50', 'p90', 'p95'], turns) as quantile (name, value)"""

_PASSED: LiteralString = """
    select time, way as metric, sum(per_h) as value
    from (
        select time_bucket({step}, reading.time) as time, sensor.id, passed.way,
            avg(passed.lorries) * 3600 / coalesce(sensor.period_s, {period}) as per_h
        from {readings} join sensor on sensor.id = reading.thing join site on site.id = sensor.site
        cross join lateral (values ('arrivals', arrivals), ('departures', departures)) passed (way, lorries)
        where {of_terminal} group by 1, 2, 3
    ) gate group by 1, 2"""

# Hours, as booking systems count: what was booked beside what came, to the lorry.
_BOOKED: LiteralString = """
select hour as time, sum(booked) as booked, sum(arrived) as arrived
from (
    select hour, booked, null::float8 as arrived from appointment
    where $__timeFilter(hour) and terminal in (${{terminal:sqlstring}})
    union all
    select gate_1h.time, null, gate_1h.arrivals_mean * gate_1h.readings
    from gate_1h join sensor on sensor.id = gate_1h.sensor join site on site.id = sensor.site
    where $__timeFilter(gate_1h.time) and {of_terminal}
) slot group by 1 order by 1"""

_UNPAIRED: LiteralString = """
select coalesce(sum(cardinality(turns_s)), 0) as turns, coalesce(sum(unpaired_in + unpaired_out), 0) as unpaired,
    (select coalesce(sum(open), 0) from turn_hour recent
     where recent.terminal in (${{terminal:sqlstring}}) and recent.hour > now() - interval '25 hours') as inside
from turn_hour where $__timeFilter(hour) and terminal in (${{terminal:sqlstring}})"""

TERMINALS: LiteralString = """
select distinct terminal.code as __value, terminal.name as __text from terminal
join site on site.terminal = terminal.code where site.basin in (${basin:sqlstring}) order by 2"""


def now() -> str:
    return ask(_NOW, of_terminal=sql.SQL(_OF_TERMINAL))


def course(kinds: Kinds, kind: str, field: str, *, share_of: str | None = None) -> str:
    """One field of all sensors of a kind at the terminals, or its share of another one in %."""
    value = sql.Identifier("reading", field)
    if share_of is not None:
        value_of = sql.SQL("100 * {} / nullif({}, 0)").format(value, sql.Identifier("reading", share_of))
        return _course(kinds, kind, (field, share_of), value_of)
    return _course(kinds, kind, (field,), value)


def waits(kinds: Kinds) -> str:
    """Quantiles of the wait at the gates that let lorries in, over at least a quarter of an hour."""
    kind = kinds["gate"]
    return with_gaps(
        _WAITS, step(kind, least_s=900), readings=readings(kind, "wait_s"), of_terminal=sql.SQL(_OF_TERMINAL)
    )


def turns() -> str:
    """Quantiles of turn times by the hour in which they ended."""
    return with_gaps(_TURNS, step(least_s=HOUR_S))


def passed(kinds: Kinds) -> str:
    """Lorries an hour, in and out, of all gates together."""
    kind = kinds["gate"]
    return with_gaps(
        _PASSED,
        step(kind, least_s=300),
        readings=readings(kind, "arrivals", "departures"),
        of_terminal=sql.SQL(_OF_TERMINAL),
        period=sql.Literal(kind.period_s),
    )


def booked() -> str:
    return ask(_BOOKED, of_terminal=sql.SQL(_OF_TERMINAL))


def visits() -> str:
    return ask(_UNPAIRED)


def _course(kinds: Kinds, kind: str, fields: tuple[str, ...], value: sql.Composable) -> str:
    return with_gaps(
        _MEAN,
        step(kinds[kind]),
        readings=readings(kinds[kind], *fields),
        value=value,
        of_terminal=sql.SQL(_OF_TERMINAL),
    )
