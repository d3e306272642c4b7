"""The hypertables of the kinds: their columns follow from the definitions, and grow when a definition grows.

A kind `gate` owns the tables `gate` (raw) and `gate_5min`, `gate_1h`, `gate_1d` (rollups). A field that left its
definition keeps its column: data is never dropped by a migration. A field whose type changed, or a changed key, is
refused.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from psycopg import sql

from sensors.errors import OperatorError
from sensors.kind import Kind, Kinds
from store.database import Connection

RAW_CHUNK = "7 days"
"""Length of a chunk: the grain of retention. Shorter makes more tables to plan over, longer keeps data longer."""


Resolution = Literal["5min", "1h", "1d"]


class Rollup(NamedTuple):
    """One resolution of the means: its length, how long after its end a bucket counts as published, its chunks.

    Published is what somebody may have copied: before, readings that are minutes under way would each be a revision;
    much longer, a revision would go unannounced.
    """

    resolution: Resolution
    seconds: int
    published_s: int
    chunk: str

    def table(self, kind: Kind) -> str:
        return f"{kind.name}_{self.resolution}"


ROLLUPS = (
    Rollup("5min", 300, 120, "84 days"),
    Rollup("1h", 3600, 600, "364 days"),
    Rollup("1d", 86_400, 3600, "364 days"),
)
"""Each is made of the one before it, the first of raw readings. Hours and days begin in UTC."""

AGGREGATES = ("mean", "min", "max")
_ROLLUP_OWN = ("readings", "coverage", "opened_at", "revised")
_OWN = ("received_at", "boot", "seq", "batch", "quality")
_TYPES = {"sensor": "text", "corridor": "text", "time": "timestamptz", "received_at": "timestamptz"} | {
    "boot": "int8",
    "seq": "int8",
    "batch": "int8",
    "quality": "int2",
    "readings": "int4",
    "coverage": "float4",
    "opened_at": "timestamptz",
    "revised": "bool",
}
_REQUIRED = frozenset({"sensor", "corridor", "time", "received_at", "batch", "quality", "readings"})

_COLUMNS = """
select attname::text, typname::text
from pg_attribute join pg_type on pg_type.oid = atttypid
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped"""

_KEY = """
select array_agg(attname::text order by ordinality)
from pg_index cross join unnest(indkey::int[]) with ordinality as part (attnum, ordinality)
join pg_attribute on attrelid = indrelid and pg_attribute.attnum = part.attnum
where indrelid = to_regclass(%s) and indisunique group by indexrelid"""


_BACKFILL = "insert into rollup_backfill (kind, before) values (%s, '9999-01-01Z')"


class KindTableRefused(OperatorError):  # noqa: N818  as DatabaseUnavailable
    """A kind's definition contradicts the table that holds its data."""


def raw_columns(kind: Kind) -> dict[str, str]:
    """Columns of the raw hypertable and their types, in order."""
    own = {name: _TYPES[name] for name in (kind.subject, "time", *_OWN)}
    return own | dict.fromkeys(kind.field_names, "float4") | dict.fromkeys(kind.text_names, "text")


def rollup_columns(kind: Kind) -> dict[str, str]:
    """Columns of the rollup hypertable and their types, in order."""
    own = {name: _TYPES[name] for name in (kind.subject, "time", *_ROLLUP_OWN)}
    return own | dict.fromkeys(measured_columns(kind), "float4")


def measured_columns(kind: Kind) -> list[str]:
    """Columns of a rollup that hold what was measured."""
    return [f"{field}_{aggregate}" for field in kind.field_names for aggregate in AGGREGATES]


def key_columns(kind: Kind) -> tuple[str, ...]:
    """What makes a reading unique."""
    return (kind.subject, *kind.key, "time")


def tables_of(kind: Kind) -> list[str]:
    """The table of the readings of a kind, and those of their means."""
    return [kind.name, *(rollup.table(kind) for rollup in ROLLUPS)]


async def ensure_kind_tables(conn: Connection, kinds: Kinds) -> list[str]:
    """Create what is missing, in the caller's transaction; the names of the tables and columns made.

    Raises `KindTableRefused`.
    """
    made: list[str] = []
    for kind in kinds.values():
        _check_name(kind, kinds)
        made += await _ensure(conn, kind.name, raw_columns(kind), key_columns(kind), RAW_CHUNK)
        made += await _ensure_rollups(conn, kind)
    return made


async def _ensure_rollups(conn: Connection, kind: Kind) -> list[str]:
    made: list[str] = []
    for rollup in ROLLUPS:
        columns, key = rollup_columns(kind), (kind.subject, "time")
        made += await _ensure(conn, rollup.table(kind), columns, key, rollup.chunk)
    finest, *longer = (rollup.table(kind) in made for rollup in ROLLUPS)
    if any(longer) and not finest:
        await conn.execute(_BACKFILL, (kind.name,))
    return made


def _check_name(kind: Kind, kinds: Kinds) -> None:
    base, _, last = kind.name.rpartition("_")
    if base in kinds and last in {rollup.resolution for rollup in ROLLUPS}:
        raise KindTableRefused(f"kind {kind.name}: the table of that name holds the rollup of another kind")


async def _ensure(conn: Connection, table: str, columns: dict[str, str], key: tuple[str, ...], chunk: str) -> list[str]:
    found = await _found_columns(conn, table)
    if not found:
        await _create(conn, table, columns, key, chunk)
        return [table]
    await _check(conn, table, columns, key, found)
    missing = [name for name in columns if name not in found]
    for name in missing:
        statement = sql.SQL("alter table {} add column {} {}")
        await conn.execute(statement.format(sql.Identifier(table), sql.Identifier(name), sql.Identifier(columns[name])))
    return [f"{table}.{name}" for name in missing]


async def _found_columns(conn: Connection, table: str) -> dict[str, str]:
    cursor = await conn.execute(_COLUMNS, (_quoted(table),))
    return {str(name): str(type_) for name, type_ in await cursor.fetchall()}


async def _create(conn: Connection, table: str, columns: dict[str, str], key: tuple[str, ...], chunk: str) -> None:
    lines = [_definition(name, type_, required=name in key or name in _REQUIRED) for name, type_ in columns.items()]
    lines.append(sql.SQL("unique ({})").format(sql.SQL(", ").join(map(sql.Identifier, key))))
    await conn.execute(sql.SQL("create table {} ({})").format(sql.Identifier(table), sql.SQL(", ").join(lines)))
    await conn.execute("select create_hypertable(%s, by_range('time', %s::interval))", (_quoted(table), chunk))


def _definition(name: str, type_: str, *, required: bool) -> sql.Composed:
    # Plain byte order is what makes the unique index on ids cheap; nobody sorts ids for people.
    collation = sql.SQL(' collate "C"' if type_ == "text" else "")
    presence = sql.SQL(" not null" if required else "")
    return sql.SQL("{} {}{}{}").format(sql.Identifier(name), sql.Identifier(type_), collation, presence)


async def _check(
    conn: Connection, table: str, columns: dict[str, str], key: tuple[str, ...], found: dict[str, str]
) -> None:
    for name, type_ in columns.items():
        if found.get(name, type_) != type_:
            raise KindTableRefused(
                f"{table}.{name} holds {found[name]} and the definition wants {type_}: give the field a new name"
            )
    cursor = await conn.execute(_KEY, (_quoted(table),))
    keys = [tuple(row[0]) for row in await cursor.fetchall()]
    if key not in keys:
        raise KindTableRefused(f"{table} has no unique key ({', '.join(key)}): choose another name for the kind")


def _quoted(table: str) -> str:
    return '"' + table.replace('"', '""') + '"'
