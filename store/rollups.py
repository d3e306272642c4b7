"""Means of 5 minutes, an hour and a day with their coverage, kept beside the raw readings.

Whatever a new batch touched is computed again, completely: 5 minutes from the raw readings, hours from their 5 minutes,
days from their hours, weighted by readings. So late data and corrections need no case of their own, the order in which
readings came does not matter, and doing it twice gives the same. Distrusted readings
(`sensors.level.DISTRUSTED`) do not count.

What marks the touched buckets is the row of `batch` that ingest writes in the transaction of the readings: it names the
span of time, and the readings in it carry the batch's number. It is exact, costs ingest nothing more, and cannot be
committed without the readings nor they without it. A bucket that was published before is announced as revised in the
transaction that changes it (`store.revisions`).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from psycopg.rows import class_row

from sensors.kind import Kind, Kinds
from store.database import Connection
from store.events import append_events
from store.kind_tables import ROLLUPS
from store.leadership import Lock, lock_transaction
from store.reader import BatchSpan, advance, clusters, unread
from store.recompute import recompute_statement
from store.revisions import Revision, announcements

READER = "rollup"

_RECORDED = """
select coalesce(array_agg(thing.id), '{}') from site
join (select id, site from sensor
      union all select corridor.id, site from corridor join sensor on sensor.id = reader) thing on thing.site = site.id
where site.clock = 'recording'"""


async def update_rollups(conn: Connection, kinds: Kinds, *, limit_rows: int, pause_s: float = 0.0) -> int:
    """Bring the rollups up to about `limit_rows` readings per slot further, in one transaction.

    Returns the number of new readings taken into account; 0 when there is nothing left to do. After each kind it waits
    for `pause_s`, for the sake of those whose statements are waited for.
    """
    async with conn.transaction():
        # Before the cursors are read: two workers must not compute a bucket from different readings at once.
        await lock_transaction(conn, Lock.ROLLUP)
        found = await unread(conn, READER, limit_rows)
        spans = sorted((span for part in found for span in part.spans), key=lambda span: span.kind)
        if found:
            revisions = await _recompute(conn, kinds, spans, pause_s)
            await advance(conn, READER, {part.slot: part.last for part in found})
            # Last, because all writers of events wait for each other from here to the end of the transaction.
            await append_events(conn, announcements(revisions))
    return sum(span.rows for span in spans)


async def _recompute(conn: Connection, kinds: Kinds, spans: Sequence[BatchSpan], pause_s: float) -> list[Revision]:
    recorded = await _recorded(conn)
    revisions: list[Revision] = []
    for name, of_kind in itertools.groupby(spans, key=lambda span: span.kind):
        if kind := kinds.get(name):
            for near in clusters(of_kind):
                revisions += await _recompute_near(conn, kind, near, recorded)
            await asyncio.sleep(pause_s)
    return revisions


async def _recompute_near(
    conn: Connection, kind: Kind, near: Sequence[BatchSpan], recorded: list[str]
) -> list[Revision]:
    """Compute what was touched in all resolutions, the finest first; what was revised of it."""
    committed = {span.batch: span.committed_at for span in near}
    values = {
        "low": min(span.min_time for span in near),
        "high": max(span.max_time for span in near),
        "batches": list(committed),
        "committed": list(committed.values()),
        "recorded": recorded,
    }
    revised: list[Revision] = []
    for number in range(len(ROLLUPS)):
        async with conn.cursor(row_factory=class_row(Revision)) as cursor:
            # Planned anew, with the values known: a general plan would look into every chunk.
            await cursor.execute(recompute_statement(kind, number), values, prepare=False)
            revised += await cursor.fetchall()
    return revised


async def _recorded(conn: Connection) -> list[str]:
    row = await (await conn.execute(_RECORDED)).fetchone()
    assert row is not None
    return list(row[0])
