"""The slow way in, for a batch that holds readings the table already knows: a temporary table, then insert what is new.

Taken only after the direct COPY met a unique violation, which means a redelivery, a repeated replay, or a sender that
says two things of one instant. Same key and same values is a duplicate; same key with other values is kept apart.
"""

from __future__ import annotations

import enum

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from ingest.columns import Columns
from sensors.kind import Kind
from store.copy_in import Column, binary_copy, integers
from store.database import Connection
from store.kind_tables import key_columns, raw_columns
from store.spans import at, spans


class Fate(enum.IntEnum):
    """What became of one reading."""

    COMMITTED = 0
    DUPLICATE = 1
    CONFLICT = 2


_CREATE = "create temporary table if not exists {staging} (like {table}, position int not null) on commit delete rows"

_CLEAR = "truncate {staging}"

_INSERT = """
insert into {table} ({columns})
select distinct on ({key}) {columns} from {staging} order by {key}, position
on conflict do nothing"""

# The join is lateral with a limit so that each staged row is looked up in a unique index: without statistics on the
# temporary table the planner would read whole hypertables. The bounds leave it the chunks of one span to look in: with
# 100 chunks and none, a redelivery took ten times as long.
_CLASSIFY = """
select position, case
    when {staged} is distinct from {stored} then 2
    when stored.batch = staged.batch and row_number() over (partition by {staged_key} order by position) = 1 then 0
    else 1 end
from {staging} staged
cross join lateral (
    select * from {table} stored
    where ({stored_key}) = ({staged_key}) and stored.time between %(low)s and %(high)s limit 1
) stored
where staged.time between %(low)s and %(high)s"""

_KEEP_CONFLICTS = """
insert into conflict (kind, sensor, time, received_at, batch, reading)
select %(kind)s, {subject}, time, received_at, batch,
    (select to_jsonb(reading) from (select {measured}) reading)
from {staging} staged where position = any(%(positions)s)
on conflict do nothing"""


class Staging:
    """The statements of one kind's staging table."""

    def __init__(self, kind: Kind) -> None:
        key, measured = key_columns(kind), kind.field_names + kind.text_names
        parts = {
            "table": sql.Identifier(kind.name),
            "staging": sql.Identifier("pg_temp", f"staged_{kind.name}"),
            "columns": _names(tuple(raw_columns(kind))),
            "key": _names(key),
            "subject": sql.Identifier(kind.subject),
            "measured": _names(measured, "staged"),
            "staged": _row(measured, "staged"),
            "stored": _row(measured, "stored"),
            "staged_key": _names(key, "staged"),
            "stored_key": _names(key, "stored"),
        }
        self._kind = kind
        self._create, self._clear, self._insert, self._classify, self._keep = (
            sql.SQL(text).format(**parts) for text in (_CREATE, _CLEAR, _INSERT, _CLASSIFY, _KEEP_CONFLICTS)
        )
        self._copy = copy_statement(parts["staging"], (*raw_columns(kind), "position"))

    async def store(self, conn: Connection, columns: Columns, wire: list[Column]) -> NDArray[np.int8]:
        """Insert what is new, in the caller's transaction; the `Fate` of each reading, (n,)."""
        rows = len(columns.time_us)
        await conn.execute(self._create)
        await conn.execute(self._clear)
        await copy_rows(conn, self._copy, [*wire, integers(np.arange(rows))], rows)
        await conn.execute(self._insert)
        fates = np.full(rows, Fate.DUPLICATE, np.int8)
        for span in spans(columns.time_us):
            bounds = {"low": at(span.min_us), "high": at(span.max_us)}
            cursor = await conn.execute(self._classify, bounds, prepare=False)
            if decided := await cursor.fetchall():
                position, fate = np.array(decided, np.int64).T
                fates[position] = fate
        await self._keep_conflicts(conn, fates)
        return fates

    async def _keep_conflicts(self, conn: Connection, fates: NDArray[np.int8]) -> None:
        positions = np.flatnonzero(fates == Fate.CONFLICT).tolist()
        if positions:
            await conn.execute(self._keep, {"kind": self._kind.name, "positions": positions})


def copy_statement(table: sql.Composable, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("copy {} ({}) from stdin (format binary)").format(table, _names(columns))


async def copy_rows(conn: Connection, statement: sql.Composed, columns: list[Column], rows: int) -> None:
    """Send columns by binary COPY."""
    async with conn.cursor().copy(statement) as copy:
        for piece in binary_copy(columns, rows):
            await copy.write(piece)


def _names(names: tuple[str, ...], table: str = "") -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, name) if table else sql.Identifier(name) for name in names)


def _row(names: tuple[str, ...], table: str) -> sql.Composed:
    return sql.SQL("row({})").format(_names(names, table))
