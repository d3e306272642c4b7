"""Situations as they were last, and what analytics must remember to go on with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from store.database import Connection

_WRITE = """
insert into situation (id, kind, state, level, onset, ended, time, sites, data)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (id) do update set
    state = excluded.state, level = excluded.level, onset = excluded.onset, ended = excluded.ended,
    time = excluded.time, sites = excluded.sites, data = excluded.data"""

_REMEMBER = """
insert into situation_memory (name, memory) select * from jsonb_each(%s)
on conflict (name) do update set memory = excluded.memory"""

_OF_ONE = "select id, kind, state, level, onset, ended, time, sites, data from situation where id = %s"

# Open ones have an index of their own, which the planner only takes when the statement says that they are open.
_CHOSEN = """
select id, kind, state, level, onset, ended, time, sites, data from situation
where {open}
    and (%(site)s::text is null or %(site)s = any(sites))
    and (%(within)s::text[] is null or (sites <> '{{}}' and sites <@ %(within)s))
    and (%(start)s::timestamptz is null or ended is null or ended >= %(start)s)
    and (%(end)s::timestamptz is null or onset < %(end)s)
    and (%(before)s::text is null or (onset, id) < (select onset, id from situation where id = %(before)s))
order by onset desc, id desc limit %(limit)s"""

_WHICH = {True: "state <> 'ended'", False: "state = 'ended'", None: "true"}


@dataclass(frozen=True, slots=True)
class SituationRow:
    """A situation as of `time`; `ended` is when it was over, None before. `data` is what the feed says of it."""

    id: str
    kind: str
    state: str
    level: int
    onset: datetime
    ended: datetime | None
    time: datetime
    sites: list[str]
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SituationChoice:
    """Which situations: open ones or ended ones (None: both), at a site, that stood at some time in [start, end).

    within: only those whose sites are all of these.
    """

    open: bool | None = True
    site: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    within: Sequence[str] | None = None


async def write_situations(conn: Connection, rows: Iterable[SituationRow]) -> None:
    """Insert or replace situations, in the caller's transaction."""
    values = [(r.id, r.kind, r.state, r.level, r.onset, r.ended, r.time, list(r.sites), Jsonb(r.data)) for r in rows]
    if values:
        async with conn.cursor() as cursor:
            await cursor.executemany(_WRITE, values)


async def remember_situations(conn: Connection, memory: Mapping[str, Any]) -> None:
    """Replace what is remembered under these names, in the caller's transaction."""
    if memory:
        await conn.execute(_REMEMBER, (Jsonb(memory),))


async def load_situation_memory(conn: Connection) -> dict[str, Any]:
    cursor = await conn.execute("select name, memory from situation_memory")
    return {str(name): memory for name, memory in await cursor.fetchall()}


async def read_situations(
    conn: Connection, choice: SituationChoice, *, before: str | None, limit: int
) -> list[SituationRow]:
    """The situations chosen, the youngest first; `before` is the id of the last one seen."""
    values = {
        "site": choice.site,
        "start": choice.start,
        "end": choice.end,
        "within": None if choice.within is None else list(choice.within),
        "before": before,
        "limit": limit,
    }
    async with conn.cursor(row_factory=class_row(SituationRow)) as cursor:
        await cursor.execute(sql.SQL(_CHOSEN).format(open=sql.SQL(_WHICH[choice.open])), values)
        return await cursor.fetchall()


async def read_situation(conn: Connection, name: str) -> SituationRow | None:
    async with conn.cursor(row_factory=class_row(SituationRow)) as cursor:
        await cursor.execute(_OF_ONE, (name,))
        return await cursor.fetchone()
