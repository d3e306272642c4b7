"""How far everything has come, for those who must wait for an end: what became of a site's messages, what is unread."""

from __future__ import annotations

from psycopg.rows import class_row

from store.database import Connection
from store.ledger import Account

# A slot's newest batch, and what readers of readings and of the feed have behind them, in one look.
_DEALT_WITH = """
with newest as (select slot, max(batch) as batch from batch group by slot)
select coalesce((select sum(committed) from account), 0) >= %(messages)s
    and not exists (
        select from newest left join cursor on cursor.reader = %(reader)s and cursor.slot = newest.slot
        where cursor.batch is null or cursor.batch < newest.batch)
    and not exists (
        select from event where id > coalesce((select event from feed_cursor where reader = %(follower)s), 0))"""

_ACCOUNT = "select committed, duplicates, conflicts, quarantined from account where site = %s"


async def account_of(conn: Connection, site: str) -> Account:
    """What became of the messages of a site so far; '' for those of sites that nobody knows."""
    async with conn.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(_ACCOUNT, (site,))
        return await cursor.fetchone() or Account()


async def newest_batches(conn: Connection) -> dict[int, int]:
    """The newest committed batch of each slot."""
    return dict(await (await conn.execute("select slot, max(batch) from batch group by slot")).fetchall())


async def cursors_of(conn: Connection, reader: str) -> dict[int, int]:
    """How far a reader is in each slot that it has begun."""
    return dict(await (await conn.execute("select slot, batch from cursor where reader = %s", (reader,))).fetchall())


async def committed_in_all(conn: Connection) -> int:
    """How many messages of all sites are committed."""
    row = await (await conn.execute("select coalesce(sum(committed), 0)::bigint from account")).fetchone()
    return int(row[0]) if row else 0


async def dealt_with(conn: Connection, messages: int, *, reader: str, follower: str) -> bool:
    """Whether so many messages are committed, `reader` has read them all, and `follower` every event of the feed."""
    values = {"messages": messages, "reader": reader, "follower": follower}
    row = await (await conn.execute(_DEALT_WITH, values)).fetchone()
    return bool(row and row[0])


async def quarantined_of(conn: Connection, topic: str) -> int:
    """How many messages of a topic are in the quarantine."""
    row = await (await conn.execute("select count(*) from quarantine where topic = %s", (topic,))).fetchone()
    return int(row[0]) if row else 0
