"""The readings from an instant on, another one for each thing: what analytics needs to go on after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from psycopg import sql

from sensors.kind import Kind, Kinds
from store.copy_out import ReadColumns, copy_columns, selected
from store.database import Connection

# One look into the unique index for each thing: a plain bound over all would read everything since the oldest of them.
_SINCE = """
select {columns} from unnest({things}::text[], {since}::timestamptz[]) as wanted (thing, since)
cross join lateral (select * from {table} where {subject} = wanted.thing and time >= wanted.since) readings
order by time"""


async def readings_since(conn: Connection, kinds: Kinds, since: Mapping[str, datetime]) -> list[ReadColumns]:
    """Read all kinds of the things named, each from its own instant on."""
    return [await copy_columns(conn, kind, _query(kind, since)) for kind in kinds.values()] if since else []


def _query(kind: Kind, since: Mapping[str, datetime]) -> sql.Composed:
    return sql.SQL(_SINCE).format(
        columns=selected(kind),
        things=sql.Literal(list(since)),
        since=sql.Literal(list(since.values())),
        table=sql.Identifier(kind.name),
        subject=sql.Identifier(kind.subject),
    )
