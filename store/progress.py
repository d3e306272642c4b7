"""How far everything has come, for those who must wait for an end: what became of a site's messages, what is unread."""

from __future__ import annotations

from psycopg.rows import class_row

from store.database import Connection
from store.ledger import Account

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


async def quarantined_of(conn: Connection, topic: str) -> int:
    """How many messages of a topic are in the quarantine."""
    row = await (await conn.execute("select count(*) from quarantine where topic = %s", (topic,))).fetchone()
    return int(row[0]) if row else 0
