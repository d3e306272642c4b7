"""Ask a panel's question as Grafana does, and see what comes back, how long it takes and what is read for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from store.database import Connection


@dataclass(frozen=True, slots=True)
class Answer:
    """columns: name and PostgreSQL's type, in order."""

    columns: dict[str, str]
    rows: list[tuple[Any, ...]]
    seconds: float


class Scan(NamedTuple):
    """One place of a plan that reads a table or a chunk: how, and by which condition."""

    node: str
    relation: str
    condition: str


_TYPES = "select oid, typname::text from pg_type where oid = any(%s)"
_CHUNKS = """
select chunk_name::text, hypertable_name::text, range_start, range_end from timescaledb_information.chunks"""


async def answer(conn: Connection, statement: str) -> Answer:
    """Run a statement whose macros are expanded, planned with its values as Grafana's are."""
    begun = time.perf_counter()
    cursor = await conn.execute(statement.encode(), prepare=False)
    rows = await cursor.fetchall()
    seconds = time.perf_counter() - begun
    described = [(column.name, column.type_code) for column in cursor.description or ()]
    types: dict[int, str] = dict(await (await conn.execute(_TYPES, ([code for _, code in described],))).fetchall())
    return Answer({name: types[code] for name, code in described}, rows, seconds)


async def scans(conn: Connection, statement: str) -> list[Scan]:
    """What the planner would read."""
    row = await (await conn.execute(f"explain (format json) {statement}".encode(), prepare=False)).fetchone()
    assert row is not None
    return list(_scans(row[0][0]["Plan"]))


async def chunks(conn: Connection) -> dict[str, tuple[str, Any, Any]]:
    """Hypertable and range of time of every chunk, by the chunk's name."""
    rows = await (await conn.execute(_CHUNKS)).fetchall()
    return {name: (table, start, end) for name, table, start, end in rows}


def _scans(plan: dict[str, Any]) -> Iterator[Scan]:
    if "Relation Name" in plan:
        condition = str(plan.get("Index Cond") or plan.get("Recheck Cond") or "")
        yield Scan(plan["Node Type"], plan["Relation Name"], condition)
    for child in plan.get("Plans", ()):
        yield from _scans(child)
