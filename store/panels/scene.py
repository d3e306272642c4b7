"""A made-up port to try dashboards on: readings of all its things at one step, their means, and what is beside them.

For tests and measurements in scratch databases. Values are within the ranges of their kinds and mean nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import resources

from psycopg import sql

from sensors.kind import Field, Kind, Kinds
from store.backfill import fill_rollups
from store.database import Connection

_READINGS = """
insert into {table} ({subject}, time, received_at, batch, quality{names})
select thing.id, moment, moment + interval '50 ms', 1, 0{values}
from generate_series(%(start)s::timestamptz, %(end)s, %(step)s * interval '1 s') moment
cross join (select id, row_number() over (order by id) as n from {things}) thing
on conflict do nothing"""
_SENSORS = "sensor where kind = {kind}"
_WAVE = "({low} + {span} * (0.3 + 0.1 * sin(extract(epoch from moment) / 13751 + thing.n) + 0.02 * random()))::float4"
_CHOICE = "({choices}::text[])[(thing.n + extract(epoch from moment)::bigint) %% {count} + 1]"
_NO_LIMIT = 30.0
"""Instead of an upper limit, where a field has none: vehicles counted in an interval."""
_DAY = timedelta(days=1)


async def fill_readings(conn: Connection, kinds: Kinds, start: datetime, end: datetime, step_s: float) -> int:
    """Store readings of every thing in the catalogue, and their means; how many were stored."""
    stored = 0
    day = start
    while day < end:  # a day a transaction: a month in one would hold everything in memory twice
        until = min(day + _DAY, end)
        for kind in kinds.values():
            values = {"start": day, "end": until - timedelta(microseconds=1), "step": step_s}
            stored += (await conn.execute(_statement(kind), values, prepare=False)).rowcount
        day = until
    await fill_rollups(conn, kinds, start, end)
    return stored


async def fill_surroundings(conn: Connection, start: datetime, end: datetime, step_s: float) -> None:
    """Store states, situations, alarms and the books of a time, on the shipped catalogue."""
    text = (resources.files("store.panels") / "scene.sql").read_text("utf-8")
    for statement in text.split(";\n"):
        if statement.strip():
            await conn.execute(statement.encode(), {"start": start, "end": end, "step": step_s}, prepare=False)
    await conn.execute("analyze")


def _statement(kind: Kind) -> sql.Composed:
    names = (*kind.field_names, *kind.text_names)
    values = [*map(_field, kind.fields), *(_choice(text.choices) for text in kind.texts)]
    of_kind = sql.SQL(_SENSORS).format(kind=sql.Literal(kind.part_of or kind.name))
    return sql.SQL(_READINGS).format(
        table=sql.Identifier(kind.name),
        subject=sql.Identifier(kind.subject),
        names=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in names),
        values=sql.SQL("").join(sql.SQL(", {}").format(value) for value in values),
        things=sql.SQL("corridor") if kind.subject == "corridor" else of_kind,
    )


def _field(field: Field) -> sql.Composed:
    low, high = field.low or 0.0, _NO_LIMIT if field.high is None else field.high
    return sql.SQL(_WAVE).format(low=sql.Literal(low), span=sql.Literal(high - low))


def _choice(choices: tuple[str, ...]) -> sql.Composable:
    if not choices:
        return sql.SQL("null")
    return sql.SQL(_CHOICE).format(choices=sql.Literal(list(choices)), count=sql.Literal(len(choices)))
