"""The latest raw payloads of each sensor, as rings in unlogged tables: a help for engineers, not data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from ingest.columns import SinkUnavailable
from ingest.raw import RING, RawPayload
from store.database import Connection, DatabaseUnavailable, connect
from store.ledger import storable
from store.spans import at

# Numbers are given by a row of each thing, so that two processes, one after the other, go on in the same ring.
_KEEP = """
with new as materialized (
    select *, row_number() over (partition by thing order by received_at, position) as nth,
        count(*) over (partition by thing) as together
    from unnest(%s::text[], %s::timestamptz[], %s::text[], %s::bytea[], %s::int[], %s::boolean[], %s::text[])
        with ordinality as raw (thing, received_at, topic, payload, length, redacted, reason, position)
), ring as (
    insert into raw_ring as ring (thing, written)
    select thing, count(*) from new where nth > together - %s group by thing order by thing
    on conflict (thing) do update set written = ring.written + excluded.written
    returning thing, written
)
insert into raw_payload (thing, place, received_at, topic, payload, length, redacted, reason)
select thing, (written - together + nth) %% %s, received_at, topic, payload, length, redacted, reason
from new join ring using (thing) where nth > together - %s
on conflict (thing, place) do update set received_at = excluded.received_at, topic = excluded.topic,
    payload = excluded.payload, length = excluded.length, redacted = excluded.redacted, reason = excluded.reason"""

_OF = """
select received_at, topic, payload, length, redacted, reason from raw_payload
where thing = %s order by received_at desc limit %s"""


@dataclass(frozen=True, slots=True)
class RawRow:
    """A payload as a sensor sent it, redacted; `reason` where it could not be used."""

    received_at: datetime
    topic: str
    payload: bytes
    length: int
    redacted: bool
    reason: str | None


class RawPayloads:
    """Writes rings on a connection of its own, opened when first needed and again after it broke."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._conn: Connection | None = None

    async def keep(self, payloads: Sequence[RawPayload]) -> None:
        """Add payloads in one statement. Raises `SinkUnavailable`; then they are lost."""
        rows = [
            (p.thing, at(p.received_us), storable(p.topic), p.payload, p.length, p.redacted, p.reason) for p in payloads
        ]
        columns = [list(column) for column in zip(*rows, strict=True)]
        try:
            if self._conn is None or self._conn.closed:
                self._conn = await connect(self._url, name="raw payloads")
            await self._conn.execute(_KEEP, (*columns, RING, RING, RING))
        except (psycopg.Error, DatabaseUnavailable) as exc:
            await self.close()
            raise SinkUnavailable(str(exc)) from exc

    async def close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            with suppress(psycopg.Error):
                await conn.close()


async def raw_payloads_of(conn: Connection, thing: str) -> list[RawRow]:
    """The last payloads of a sensor or corridor, the newest first."""
    async with conn.cursor(row_factory=class_row(RawRow)) as cursor:
        await cursor.execute(_OF, (thing, RING))
        return await cursor.fetchall()
