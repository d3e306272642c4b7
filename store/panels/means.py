"""Readings and means behind one name, chosen by the range that Grafana shows, and the gaps between them.

Each resolution is a branch of a union whose condition on the range has only constants once Grafana has expanded its
macros, so PostgreSQL plans the one branch that applies and none of the others' chunks. A mean of less than
`COVERED` is unknown, which is a gap and never a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from psycopg import sql

from sensors.kind import Kind
from sensors.level import DISTRUSTED
from store.kind_tables import ROLLUPS, Resolution

RANGE_S: LiteralString = "$__unixEpochTo() - $__unixEpochFrom()"
COVERED = 0.75
"""Below that share of its readings an aggregate is unknown (Berlin's rule, as the levels of the page have it). Lower: a
few readings pass for an hour; higher: a sensor that loses one message in five shows nothing."""

HOUR_S, DAY_S = 3600, 86_400


class Stage(NamedTuple):
    """One resolution: readings (None) or means, the longest range it serves (None: any), its shortest step."""

    resolution: Resolution | None
    up_to_s: int | None
    step_s: int


STAGES = (
    Stage(None, 3 * HOUR_S, 0),
    Stage("5min", 3 * DAY_S, 300),
    Stage("1h", 60 * DAY_S, HOUR_S),
    Stage("1d", None, DAY_S),
)
"""At most 360 readings, 864 or 1,440 means a sensor. Longer stages are slower, shorter ones coarser than a screen."""

MEANS = STAGES[1:]
COARSE = (Stage("5min", 12 * HOUR_S, 300), Stage("1h", 14 * DAY_S, HOUR_S), Stage("1d", None, DAY_S))
"""For panels that go through the means of all sensors of all kinds at once."""

_PERIODS = 2
"""A step of readings is so many periods: with one, a reading that comes a moment late would be a gap."""

_BRANCH: LiteralString = """select {subject} as thing, time{columns}
    from {table} where $__timeFilter(time) and {trusted} and {span}"""
_UNION: LiteralString = """(
    {branches}
) reading"""
_STEP: LiteralString = "make_interval(secs => greatest($__interval_ms / 1000.0, case {cases} else {last} end))"
_WITH_GAPS: LiteralString = """with point as (
{points}
), beside as (
    select time, metric, lead(time) over (partition by metric order by time) - time as apart from point
), rhythm as (
    select time, metric, apart, min(apart) over (partition by metric) as usual from beside
)
select time, metric, value from point
union all
select time + {step}, metric, null from rhythm where apart > 1.5 * greatest({step}, usual)
order by time, metric"""


def ask(template: LiteralString, **parts: sql.Composable) -> str:
    """Fill a template; the text as it stands in a panel."""
    return text(sql.SQL(template.strip("\n")).format(**parts))


def text(part: sql.Composable) -> str:
    return part.as_string(None)


def readings(kind: Kind, *fields: str, stages: Sequence[Stage] = STAGES) -> sql.Composed:
    """A source `reading` of thing, time and these fields, in the resolution that the range asks for.

    Without single readings among the stages it also has `coverage` and `readings`. Raises `KeyError` for a field that
    the kind does not have.
    """
    for field in fields:
        if field not in kind.field_names:
            raise KeyError(f"{kind.name} has no field {field!r}")
    own = () if any(stage.resolution is None for stage in stages) else ("coverage", "readings")
    lows = (None, *(stage.up_to_s for stage in stages))
    branches = [_branch(kind, stage, fields, low, own) for low, stage in zip(lows, stages, strict=False)]
    return sql.SQL(_UNION).format(branches=sql.SQL("\n    union all ").join(branches))


def step(kind: Kind | None = None, *, least_s: int = 0, stages: Sequence[Stage] = STAGES) -> sql.Composed:
    """The interval of a bucket: Grafana's, but no shorter than what the range's resolution has."""
    raw_s = _PERIODS * int(kind.period_s if kind else 0)
    *shorter, last = stages
    cases = [
        sql.SQL("when {} <= {} then {}").format(
            sql.SQL(RANGE_S), sql.Literal(stage.up_to_s), sql.Literal(max(stage.step_s or raw_s, least_s))
        )
        for stage in shorter
    ]
    longest = sql.Literal(max(last.step_s, least_s))
    return sql.SQL(_STEP).format(cases=sql.SQL(" ").join(cases), last=longest)


def with_gaps(points: LiteralString, step: sql.Composable, **parts: sql.Composable) -> str:
    """Points of time, metric and value, and where one is missing a point without a value.

    Missing is what a step or, of who speaks more seldom, its own rhythm would have brought.
    """
    inner = sql.SQL(points.strip("\n")).format(step=step, **parts)
    return ask(_WITH_GAPS, points=inner, step=step)


def _span(low_s: int | None, high_s: int | None) -> sql.Composed:
    """Whether the range is longer than `low_s` and no longer than `high_s`."""
    bounds: list[tuple[LiteralString, int | None]] = [("> {}", low_s), ("<= {}", high_s)]
    parts = [
        sql.SQL("{} " + how).format(sql.SQL(RANGE_S), sql.Literal(bound)) for how, bound in bounds if bound is not None
    ]
    return sql.SQL(" and ").join(parts)


def _branch(kind: Kind, stage: Stage, fields: Sequence[str], low_s: int | None, own: Sequence[str]) -> sql.Composed:
    columns = [*(_column(kind, stage, field) for field in fields), *map(sql.Identifier, own)]
    raw = sql.SQL("quality & {} = 0").format(sql.Literal(int(DISTRUSTED)))
    return sql.SQL(_BRANCH).format(
        subject=sql.Identifier(kind.subject),
        columns=sql.SQL("").join(sql.SQL(", {}").format(column) for column in columns),
        table=sql.Identifier(_table(kind, stage)),
        trusted=sql.SQL("readings > 0") if stage.resolution else raw,
        span=_span(low_s, stage.up_to_s),
    )


def _column(kind: Kind, stage: Stage, field: str) -> sql.Composed:
    if stage.resolution is None:
        return sql.SQL("{}").format(sql.Identifier(field))
    mean = sql.Identifier(f"{field}_mean")
    if kind.period_s == 0:  # events have no coverage
        return sql.SQL("{} as {}").format(mean, sql.Identifier(field))
    known = sql.SQL("case when coverage >= {} then {} end as {}")
    return known.format(sql.Literal(COVERED), mean, sql.Identifier(field))


def _table(kind: Kind, stage: Stage) -> str:
    return next((rollup.table(kind) for rollup in ROLLUPS if rollup.resolution == stage.resolution), kind.name)
