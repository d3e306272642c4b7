"""How far everything has come, for those who must wait for an end: what became of a site's messages, what is unread."""

from __future__ import annotations

from psycopg.rows import class_row

from store.database import Connection
from store.ledger import Account

_ACCOUNT = "select committed, duplicates, conflicts, quarantined from account where site = %s"

_UNREAD_ROWS = """
select coalesce(sum(rows), 0) from batch
left join cursor on cursor.reader = %s and cursor.slot = batch.slot
where batch.batch > coalesce(cursor.batch, 0)"""


async def account_of(conn: Connection, site: str) -> Account:
    """What became of the messages of a site so far; '' for those of sites that nobody knows."""
    async with conn.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(_ACCOUNT, (site,))
        return await cursor.fetchone() or Account()


async def unread_rows(conn: Connection, reader: str) -> int:
    """How many committed readings the reader has not been through."""
    row = await (await conn.execute(_UNREAD_ROWS, (reader,))).fetchone()
    assert row is not None
    return int(row[0])
