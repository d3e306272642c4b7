"""What the role of Grafana may read: the tables and columns that dashboards need, nothing secret and nothing of people.

The role itself is made by whoever administers the server (docs/grafana.md), since ours may make none. Every migration
grants it what is missing where it exists. Not by default privileges: a table is readable because it stands here, so a
later one with secrets is not by accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import LiteralString

from psycopg import sql

from sensors.kind import Kind, Kinds
from store.database import Connection
from store.kind_tables import ROLLUPS, raw_columns

READER_ROLE = "vigie_grafana"

WHOLE: Sequence[str] = (
    *("terminal", "site", "sensor", "corridor", "section", "way", "ban", "usual_speed"),
    *("state", "outlook", "fault", "situation", "turn_hour", "appointment", "flood"),
    *("batch", "cursor", "account", "account_day", "sensor_clock", "device_health"),
    *("sequence", "sequence_gap", "schema_migration"),
)
PARTS: dict[str, Sequence[str]] = {
    # Without what people wrote, who they are, and what is sent to whom.
    "alarm": (
        *(
            "id",
            "rule",
            "told",
            "condition",
            "what",
            "subject",
            "sites",
            "recording",
            "state",
            "active",
            "level",
            "peak",
        ),
        *("priority", "since_at", "raised_at", "announced_at", "urgent_at", "escalated", "confirmed", "closed_at"),
    ),
    "alarm_transition": (
        *("alarm", "number", "at", "recorded_at", "action", "source", "target", "level", "priority", "active"),
    ),
    "event": ("id", "time", "type", "subject", "recorded_at"),
    "quarantine": ("id", "received_at", "last_received_at", "times", "reason", "site", "thing", "repaired_at"),
    "subscription": (
        *("id", "kind", "name", "state", "cursor", "failures", "failing_since", "next_at", "delivered_at"),
    ),
    "delivery": ("id", "subscription", "what", "at", "delivered", "status", "duration_ms"),
}

_EXISTS = "select exists (select from pg_roles where rolname = %s)"
_MAY_ALL = "select has_table_privilege(%s, %s::regclass, 'select')"
_MAY_PART = """
select bool_and(has_column_privilege(%s, %s::regclass, name, 'select')) from unnest(%s::text[]) as name"""
_GRANT = "grant select {columns} on {table} to {role}"


async def grant_reading(conn: Connection, kinds: Kinds) -> None:
    """Grant what the role cannot read yet, in the caller's transaction; nothing where there is no such role."""
    if not await _holds(conn, _EXISTS, (READER_ROLE,)):
        return
    for table in (*WHOLE, *_whole_of(kinds)):
        if not await _holds(conn, _MAY_ALL, (READER_ROLE, _quoted(conn, table))):  # a grant goes through all chunks
            await _grant(conn, table, sql.SQL(""))
    for table, columns in (PARTS | _parts_of(kinds)).items():
        if not await _holds(conn, _MAY_PART, (READER_ROLE, _quoted(conn, table), list(columns))):
            await _grant(conn, table, sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))))


def _whole_of(kinds: Kinds) -> Iterator[str]:
    """Means of all kinds, and readings of those that hold nothing to be forgotten."""
    for kind in kinds.values():
        yield from (rollup.table(kind) for rollup in ROLLUPS)
        if not _forgotten(kind):
            yield kind.name


def _parts_of(kinds: Kinds) -> dict[str, Sequence[str]]:
    """Readings without what leads to a consignment, a lorry or its driver."""
    return {
        kind.name: [column for column in raw_columns(kind) if column not in forgotten]
        for kind in kinds.values()
        if (forgotten := _forgotten(kind))
    }


def _forgotten(kind: Kind) -> set[str]:
    return {text.name for text in kind.texts if text.forget_days is not None}


def _quoted(conn: Connection, table: str) -> str:
    return sql.Identifier(table).as_string(conn)


async def _holds(conn: Connection, question: LiteralString, values: tuple[object, ...]) -> bool:
    row = await (await conn.execute(question, values)).fetchone()
    return bool(row and row[0])


async def _grant(conn: Connection, table: str, columns: sql.Composable) -> None:
    names = {"table": sql.Identifier(table), "role": sql.Identifier(READER_ROLE)}
    await conn.execute(sql.SQL(_GRANT).format(columns=columns, **names))
