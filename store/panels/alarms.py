"""The load that alarms are, in the measures of ISA-18.2, IEC 62682 and EEMUA 191 (`analytics.alarms.load`)."""

from __future__ import annotations

from datetime import timedelta
from typing import LiteralString

from psycopg import sql

from analytics.alarms.load import CHATTER_COUNT, CHATTER_SPAN, SPAN, STALE_AFTER, WORST
from store.panels.means import ask
from store.panels.port import Language

# The unit is the call: an alarm that becomes unacknowledged, first or again. Recordings do not count.
_CALLS: LiteralString = """call as (
    select step.at, step.priority, alarm.id, alarm.rule,
        coalesce(alarm.condition -> 'places' ->> 0, alarm.subject) as source
    from alarm_transition step join alarm on alarm.id = step.alarm and alarm.recording is null
    where $__timeFilter(step.at) and step.target = 'unacknowledged'
        and (step.source <> 'unacknowledged' or step.action = 'raise')
)"""

_FIGURES: LiteralString = """
with {calls}
select count(*) as calls,
    count(*) * {span_s}::float8 / nullif($__unixEpochTo() - $__unixEpochFrom(), 0) as per_span,
    (select max(calls) from (
        select count(*) over (order by at range between {span} preceding and current row) as calls from call) near
    ) as busiest,
    (select count(*) from alarm where closed_at is null and active and recording is null
        and since_at < now() - {stale}) as stale
from call"""

_PRIORITIES: LiteralString = """
with {calls} select priority, count(*) as calls from call group by 1 order by 2 desc"""

_COURSE: LiteralString = """
with {calls}, counted as (
    select time_bucket({step}, at) as bucket, count(*) filter (where priority = 'high') as high,
        count(*) filter (where priority = 'medium') as medium, count(*) filter (where priority = 'low') as low
    from call group by 1
)
select bucket as time, coalesce(high, 0) as high, coalesce(medium, 0) as medium, coalesce(low, 0) as low
from generate_series(time_bucket({step}, $__timeFrom()::timestamptz), $__timeTo()::timestamptz, {step}) bucket
left join counted using (bucket) order by bucket"""

_WORST: LiteralString = """
with {calls}
select source, count(*) as calls
from call group by 1 order by 2 desc, 1 limit {worst}"""

_CHATTERING: LiteralString = """
with {calls}, near as (
    select source, at, at - lag(at, {before}) over (partition by source order by at) as within from call
)
select source, count(*) as times, min(at) as first_at, max(at) as last_at
from near where within <= {chatter} group by 1 order by 2 desc, 1"""

_FLOODS: LiteralString = """
select began_at, ended_at, most, extract(epoch from coalesce(ended_at, now()) - began_at) as lasts_s
from flood where began_at <= $__timeTo()::timestamptz and coalesce(ended_at, 'infinity') >= $__timeFrom()::timestamptz
order by began_at desc"""

_ANSWERS: LiteralString = """
with {calls}, answered as (
    select call.priority, extract(epoch from (
        select min(answer.at) from alarm_transition answer
        where answer.alarm = call.id and answer.at >= call.at and answer.action = 'acknowledge') - call.at) as after_s
    from call
)
select priority, count(*) as calls, count(after_s) as acknowledged,
    percentile_cont(0.5) within group (order by after_s) as p50_s,
    percentile_cont(0.9) within group (order by after_s) as p90_s
from answered group by 1 order by priority = 'high' desc, priority = 'medium' desc"""

_STANDING: LiteralString = """
select id, priority, told -> 'title' ->> {language} as title, state, level, since_at, raised_at, escalated,
    array_to_string(sites, ', ') as sites
from alarm where closed_at is null and recording is null
order by priority = 'high' desc, priority = 'medium' desc, since_at"""

_CONFIRMED: LiteralString = """
select rule, count(*) filter (where confirmed) as right_calls, count(*) filter (where not confirmed) as wrong_calls
from alarm where confirmed is not null and $__timeFilter(raised_at) and recording is null
group by 1 order by 3 desc, 1"""

_STEP: LiteralString = "make_interval(secs => greatest($__interval_ms / 1000.0, {least}, ({range}) / 500.0))"


def figures() -> str:
    return ask(
        _FIGURES,
        calls=sql.SQL(_CALLS),
        span=sql.Literal(SPAN - timedelta(microseconds=1)),  # its beginning is no part of it
        span_s=sql.Literal(int(SPAN.total_seconds())),
        stale=sql.Literal(STALE_AFTER),
    )


def priorities() -> str:
    return ask(_PRIORITIES, calls=sql.SQL(_CALLS))


def course() -> str:
    """Calls by priority, each bucket at least as long as the span that the measures count in."""
    least = sql.Literal(int(SPAN.total_seconds()))
    step = sql.SQL(_STEP).format(least=least, range=sql.SQL("$__unixEpochTo() - $__unixEpochFrom()"))
    return ask(_COURSE, calls=sql.SQL(_CALLS), step=step)


def worst() -> str:
    return ask(_WORST, calls=sql.SQL(_CALLS), worst=sql.Literal(WORST))


def chattering() -> str:
    return ask(
        _CHATTERING, calls=sql.SQL(_CALLS), before=sql.Literal(CHATTER_COUNT - 1), chatter=sql.Literal(CHATTER_SPAN)
    )


def floods() -> str:
    return ask(_FLOODS)


def answers() -> str:
    return ask(_ANSWERS, calls=sql.SQL(_CALLS))


def standing(language: Language) -> str:
    return ask(_STANDING, language=sql.Literal(language))


def confirmed() -> str:
    return ask(_CONFIRMED)
