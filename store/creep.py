"""What health learnt over days of every thing: how late its readings come, and how its fields fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from psycopg.rows import class_row

from store.database import Connection

_WRITE = """
insert into creep (thing, until, late_s, late_before_s, late_bins, misfit, misfit_before, misfit_bins)
select * from unnest(%s::text[], %s::timestamptz[], %s::float8[], %s::float8[], %s::int[], %s::float8[], %s::float8[],
    %s::int[])
on conflict (thing) do update set
    until = excluded.until, late_s = excluded.late_s, late_before_s = excluded.late_before_s,
    late_bins = excluded.late_bins, misfit = excluded.misfit, misfit_before = excluded.misfit_before,
    misfit_bins = excluded.misfit_bins"""

_READ = "select thing, until, late_s, late_before_s, late_bins, misfit, misfit_before, misfit_bins from creep"


@dataclass(frozen=True, slots=True)
class CreepRow:
    """Of one thing, up to the bin that ends at `until` (event time): what is now, what was before, from how many bins.

    late_s: seconds by which its readings come later than those of others. misfit: log of one field over what its others
    make of it.
    """

    thing: str
    until: datetime
    late_s: float
    late_before_s: float
    late_bins: int
    misfit: float
    misfit_before: float
    misfit_bins: int


async def write_creep(conn: Connection, rows: Sequence[CreepRow]) -> None:
    """Keep the newest, in the caller's transaction."""
    if rows:
        await conn.execute(_WRITE, tuple(map(list, zip(*map(astuple, rows), strict=True))))


async def load_creep(conn: Connection) -> list[CreepRow]:
    """All that is kept."""
    async with conn.cursor(row_factory=class_row(CreepRow)) as cursor:
        await cursor.execute(_READ)
        return await cursor.fetchall()
