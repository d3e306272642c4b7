"""How far the numbers of senders are settled, read for those who install and repair them."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.rows import class_row

from store.api_rows import StandingRow
from store.database import Connection
from store.sequences import BOOTS_REMEMBERED

_READ = """
select thing, boot, coalesce(first_gap - 1, highest) as settled, highest, coalesce(missing, 0)::bigint as missing,
    coalesce(quarantined_count, 0) as quarantined, changed_at
from unnest(%s::text[]) as wanted (name)
cross join lateral (select * from sequence where thing = name order by begun desc limit %s) sequence
left join lateral (
    select min(first_seq) as first_gap, sum(last_seq - first_seq + 1) as missing from sequence_gap
    where sequence_gap.thing = sequence.thing and sequence_gap.boot = sequence.boot) gap on true
left join lateral (
    select count(*) as quarantined_count from sequence_quarantined
    where sequence_quarantined.thing = sequence.thing and sequence_quarantined.boot = sequence.boot) held on true
order by thing, begun desc"""


async def standings_of(conn: Connection, things: Sequence[str]) -> list[StandingRow]:
    """The boots that receipts speak of, the latest first; nothing for senders that do not number their readings."""
    async with conn.cursor(row_factory=class_row(StandingRow)) as cursor:
        await cursor.execute(_READ, (list(things), BOOTS_REMEMBERED))
        return await cursor.fetchall()
