"""What can be seen of a database from inside: for `vigie doctor`, which judges it. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources

from psycopg import sql

from sensors.kind import Kinds
from store.database import Connection
from store.kind_tables import tables_of
from store.retention import recorded_things

_SERVER = """
select current_setting('server_version_num')::int, clock_timestamp(),
    coalesce((select installed_version from pg_available_extensions where name = 'timescaledb'), ''),
    coalesce((select default_version from pg_available_extensions where name = 'timescaledb'), ''),
    (select rolsuper from pg_roles where rolname = current_user)"""

_MIGRATED = "select coalesce(array_agg(name), '{}') from schema_migration"
_LEDGER = "select to_regclass('schema_migration')::text"

_LOCKED = """
select relname::text from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r'
    and not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
        and has_table_privilege(oid, 'update') and has_table_privilege(oid, 'delete')) order by relname"""
_MAY_CREATE = "select has_schema_privilege(current_schema(), 'create')"

_GROWTH = """
select coalesce(sum(pg_total_relation_size(format('%%I.%%I', chunk_schema, chunk_name)::regclass)), 0)::bigint,
    min(range_start)
from timescaledb_information.chunks
where hypertable_schema = current_schema() and hypertable_name = %(table)s
    and range_end > %(since)s and range_start <= %(now)s"""
_OLDEST = "select min(time) from {} where time >= %s and time <= %s"

_OVERDUE = """
select chunk_schema::text, chunk_name::text, range_end from timescaledb_information.chunks
where hypertable_schema = current_schema() and hypertable_name = %s and range_end <= %s order by range_end"""
_HOLDS_OTHERS = "select exists (select from {chunk} where {subject} <> all(%s))"

GROWTH_DAYS = 35.0
"""How far back growth is looked at: shorter is a bad week, longer forgets that sensors were added."""


@dataclass(frozen=True, slots=True)
class Server:
    """The server and its clock; `extension` is installed in this database, `available` is what the server has."""

    version: int
    now: datetime
    extension: str
    available: str
    superuser: bool


@dataclass(frozen=True, slots=True)
class Rights:
    """locked: tables that this role may not read and write; may_create: whether migrations can make tables."""

    locked: list[str]
    may_create: bool


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes of readings and means of a day, by table; `days` is how long that was looked at."""

    bytes_per_day: dict[str, float]
    days: float
    total_bytes: int


async def server_of(conn: Connection) -> Server:
    row = await (await conn.execute(_SERVER)).fetchone()
    assert row is not None
    return Server(*row)


async def migrations_missing(conn: Connection) -> tuple[list[str], list[str]]:
    """What this version has and the database has not, and the other way round."""
    known = {entry.name.removesuffix(".sql") for entry in (resources.files("store") / "migrations").iterdir()}
    row = await (await conn.execute(_LEDGER)).fetchone()
    if row is None or row[0] is None:
        return sorted(known), []
    found = await (await conn.execute(_MIGRATED)).fetchone()
    assert found is not None
    return sorted(known - set(found[0])), sorted(set(found[0]) - known)


async def rights_of(conn: Connection) -> Rights:
    locked = [str(name) for (name,) in await (await conn.execute(_LOCKED)).fetchall()]
    row = await (await conn.execute(_MAY_CREATE)).fetchone()
    return Rights(locked, bool(row and row[0]))


async def growth_of(conn: Connection, kinds: Kinds, now: datetime) -> Growth:
    """How much a day brings, from what the last weeks brought."""
    since = now - timedelta(days=GROWTH_DAYS)
    per_day: dict[str, float] = {}
    longest = 0.0
    for kind in kinds.values():
        for table in tables_of(kind):
            values = {"table": table, "since": since, "now": now}
            row = await (await conn.execute(_GROWTH, values)).fetchone()
            if row is None or not row[0]:
                continue
            oldest = sql.SQL(_OLDEST).format(sql.Identifier(table))
            first = await (await conn.execute(oldest, (row[1], now))).fetchone()
            if first is not None and first[0] is not None:
                days = (now - first[0]) / timedelta(days=1)
                longest = max(longest, days)
                per_day[table] = row[0] / max(days, 1.0)
    size = await (await conn.execute("select pg_database_size(current_database())")).fetchone()
    assert size is not None
    return Growth(per_day, longest, int(size[0]))


async def overdue_chunks(
    conn: Connection, kinds: Kinds, days_of: Mapping[str, float], now: datetime
) -> dict[str, datetime]:
    """Tables with chunks that should be gone: the end of the oldest that holds more than recordings."""
    things = [thing for site in await recorded_things(conn) for thing in site.things]
    found: dict[str, datetime] = {}
    for kind in kinds.values():
        for table in tables_of(kind):
            cutoff = now - timedelta(days=days_of[table])
            for schema, name, end in await (await conn.execute(_OVERDUE, (table, cutoff))).fetchall():
                parts = {"chunk": sql.Identifier(schema, name), "subject": sql.Identifier(kind.subject)}
                row = await (await conn.execute(sql.SQL(_HOLDS_OTHERS).format(**parts), (things,))).fetchone()
                if row is not None and row[0]:
                    found[table] = end
                    break
    return found
