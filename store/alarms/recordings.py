"""How far the recordings have come that are replayed: the clock of their sites."""

from __future__ import annotations

from datetime import datetime

from store.database import Connection

_NEWEST = """
select thing.site, max(state.time) from state
join (select id, site from sensor union all select id, to_site from corridor) thing on thing.id = state.sensor
join site on site.id = thing.site and site.clock = 'recording'
where site.id = any(%s) and state.time is not null group by thing.site"""


async def recording_clocks(conn: Connection, sites: set[str]) -> dict[str, datetime]:
    """The newest reading's time of each site that lives by a recording."""
    return dict(await (await conn.execute(_NEWEST, (list(sites),))).fetchall())
