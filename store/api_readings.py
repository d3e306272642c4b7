"""Readings of one thing over a range: as measured, or as the means of 5 minutes, an hour or a day that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from psycopg import sql

from sensors.kind import Kind
from store.api_rows import STEP_S, ReadingsQuery, ReadingsTable
from store.database import Connection
from store.kind_tables import AGGREGATES

_ROWS = """
select {columns} from {table}
where {subject} = %(thing)s and time >= %(start)s and time < %(end)s order by time limit %(limit)s"""


async def read_readings(conn: Connection, query: ReadingsQuery) -> ReadingsTable:
    """Read the oldest `query.limit` points of the range and one more where there is a rest."""
    statement = _raw_statement(query.kind) if query.resolution == "raw" else _means_statement(query)
    values = {"thing": query.thing, "start": _start(query), "end": query.end, "limit": query.limit + 1}
    cursor = await conn.execute(statement, values)
    columns = _columns(await cursor.fetchall(), len(cursor.description or ()))
    return _raw_table(query.kind, columns) if query.resolution == "raw" else _means_table(query.kind, columns)


def _start(query: ReadingsQuery) -> datetime:
    """The start of the mean that `query.start` falls into: its first part belongs to the range."""
    step = STEP_S.get(query.resolution)
    if step is None:
        return query.start
    return datetime.fromtimestamp(query.start.timestamp() // step * step, UTC)


def _raw_statement(kind: Kind) -> sql.Composed:
    names = ("time", "quality", *kind.field_names, *kind.text_names)
    return _statement(_ROWS, kind.name, kind.subject, map(sql.Identifier, names))


def _means_statement(query: ReadingsQuery) -> sql.Composed:
    kind = query.kind
    measured = (sql.Identifier(f"{field}_{part}") for part in AGGREGATES for field in kind.field_names)
    columns = (sql.Identifier("time"), sql.Identifier("coverage"), sql.SQL("coalesce(revised, false)"), *measured)
    return _statement(_ROWS, f"{kind.name}_{query.resolution}", kind.subject, iter(columns))


def _statement(template: str, table: str, subject: str, columns: Iterator[sql.Composable]) -> sql.Composed:
    parts = {"table": sql.Identifier(table), "subject": sql.Identifier(subject)}
    return sql.SQL(template).format(columns=sql.SQL(", ").join(columns), **parts)


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _raw_table(kind: Kind, columns: list[list[Any]]) -> ReadingsTable:
    time, quality, *measured = columns
    count = len(kind.field_names)
    texts = dict(zip(kind.text_names, measured[count:], strict=True))
    return ReadingsTable(time, _named(kind, measured[:count]), quality=quality, texts=texts or None)


def _means_table(kind: Kind, columns: list[list[Any]]) -> ReadingsTable:
    time, coverage, revised, *measured = columns
    count = len(kind.field_names)
    mean, low, high = (_named(kind, measured[part * count : (part + 1) * count]) for part in range(3))
    return ReadingsTable(time, mean, low, high, coverage, revised=revised)


def _named(kind: Kind, columns: list[list[Any]]) -> dict[str, list[float | None]]:
    return dict(zip(kind.field_names, columns, strict=True))
