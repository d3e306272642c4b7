"""Which tables a backup holds, in an order in which they can be filled again, and what of them can be copied.

Our own tables only, those of TimescaleDB's chunks are reached through their hypertables. No superuser is needed, which
is why this exists: pg_restore of a database with TimescaleDB needs one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from psycopg import sql

from store.database import Connection

LEDGER = "schema_migration"
"""What brings a schema to its version is the business of migrations and not of what is in it."""

_COLUMNS = """
select relname::text, array_agg(attname::text order by attnum)
from pg_class join pg_attribute on attrelid = pg_class.oid
where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname <> %s
    and attnum > 0 and not attisdropped and attgenerated = ''
group by relname"""

_REFERENCES = """
select child.relname::text, parent.relname::text from pg_constraint
join pg_class child on child.oid = conrelid join pg_class parent on parent.oid = confrelid
where contype = 'f' and connamespace = current_schema()::regnamespace and conrelid <> confrelid"""

_SEQUENCES = """
select sequencename::text, last_value from pg_sequences
where schemaname = current_schema() and last_value is not null order by sequencename"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns, those left out that PostgreSQL makes of the others."""

    name: str
    columns: tuple[str, ...]

    def copy_out(self) -> sql.Composed:
        """COPY of a hypertable itself gives nothing: its rows are in its chunks."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("copy (select {} from {}) to stdout (format binary)").format(columns, sql.Identifier(self.name))

    def copy_in(self) -> sql.Composed:
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(self.name), columns)


async def tables_of(conn: Connection) -> list[Table]:
    """Every table, those that others refer to first."""
    columns = {str(name): tuple(names) for name, names in await (await conn.execute(_COLUMNS, (LEDGER,))).fetchall()}
    order = TopologicalSorter({name: set[str]() for name in sorted(columns)})
    for child, parent in await (await conn.execute(_REFERENCES)).fetchall():
        if child in columns and parent in columns:
            order.add(child, parent)
    return [Table(name, columns[name]) for name in order.static_order()]


async def sequences_of(conn: Connection) -> dict[str, int]:
    """Where each sequence stands; those that never gave a number are left out."""
    return {str(name): int(value) for name, value in await (await conn.execute(_SEQUENCES)).fetchall()}


async def migrations_of(conn: Connection) -> list[str]:
    """The migrations that made this schema."""
    rows = await (await conn.execute("select name from schema_migration order by name")).fetchall()
    return [str(name) for (name,) in rows]


async def filled(conn: Connection, tables: Sequence[Table]) -> list[str]:
    """Those that hold rows."""
    found = []
    for table in tables:
        query = sql.SQL("select exists (select from {})").format(sql.Identifier(table.name))
        row = await (await conn.execute(query)).fetchone()
        if row is not None and row[0]:
            found.append(table.name)
    return found
