from __future__ import annotations

import asyncio

from store.database import connected, listen, wait_for_notices

WAIT_S = 10.0


async def test_no_notification_is_lost_that_came_together_with_another(database_url: str) -> None:
    async with connected(database_url, name="listener") as conn, connected(database_url, name="teller") as teller:
        for channel in ("catalogue", "batch"):
            await listen(conn, channel)
        await teller.execute("select pg_notify('batch', ''), pg_notify('catalogue', '')")
        told: set[str] = set()
        async with asyncio.timeout(WAIT_S):
            while told != {"catalogue", "batch"}:
                told |= await wait_for_notices(conn, WAIT_S)
        assert await wait_for_notices(conn, 0.0) == set()
