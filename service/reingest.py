"""What is in the quarantine once more through decoder and sink: after a sensor was registered or a kind extended.

It goes through a slot of its own, with the time at which it first came. Doing it twice changes nothing: what is stored
is marked, and should the mark be lost, the sink counts a duplicate. What still fails keeps its entry with its reason of
today.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ingest.columns import Batch, Quarantined, SinkRefused
from ingest.decode import BatchBuilder
from ingest.directory import CatalogueDirectory
from ingest.routing import Router
from ingest.transport import Frame
from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from sensors.payload import Reason
from service.clocks import now
from store.catalogue import load_catalogue
from store.database import Connection, connected
from store.quarantine import Choice, Entry, count_unusable, find_repairable, settle_entries
from store.writer import REPAIR_SLOT, SlotSink

PAGE = 500
"""Entries in one transaction."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Reingested:
    """Entries by what became of them; `unusable` were cut or redacted and were not tried."""

    tried: int = 0
    repaired: int = 0
    rejected: int = 0
    unusable: int = 0


async def reingest(database_url: str, kinds: Kinds, choice: Choice) -> Reingested:
    """Try the chosen entries that are whole and not repaired yet, the oldest first; waits while another does so.

    Raises `DatabaseUnavailable` or `SinkUnavailable`; what was done until then is done.
    """
    async with (
        SlotSink.open(database_url, REPAIR_SLOT, kinds) as sink,
        connected(database_url, name="reingest") as conn,
    ):
        repair = _Repair(conn, sink, kinds, await load_catalogue(conn))
        done, after = Reingested(unusable=await count_unusable(conn, choice)), 0
        while page := await find_repairable(conn, choice, after=after, limit=PAGE):
            after = page[-1].id
            rejected = await repair.page(page)
            done.tried += len(page)
            done.rejected += rejected
            done.repaired += len(page) - rejected
        return done


class _Repair:
    """The decoder and the sink of the repair slot."""

    def __init__(self, conn: Connection, sink: SlotSink, kinds: Kinds, catalogue: Catalogue) -> None:
        async def load() -> Catalogue:
            return await load_catalogue(conn)

        self._conn = conn
        self._sink = sink
        self._router = Router(kinds, CatalogueDirectory(kinds, catalogue, load), time.monotonic)
        self._builder = BatchBuilder(REPAIR_SLOT, kinds, self._router, self._note)
        self._failed: dict[int, tuple[str, str]] = {}

    async def page(self, entries: Sequence[Entry]) -> int:
        """Store what can be stored now and write down the rest; how many entries still fail."""
        batch = await self._decode(entries)
        try:
            if batch.columns:
                await self._sink.write(batch)
        except SinkRefused as exc:
            if len(entries) > 1:
                return sum([await self.page([entry]) for entry in entries])
            self._failed[entries[0].id] = (Reason.REFUSED.value, str(exc))
        repaired = [entry.id for entry in entries if entry.id not in self._failed]
        still = [(number, reason, detail) for number, (reason, detail) in self._failed.items()]
        await settle_entries(self._conn, repaired, still, now=now())
        return len(still)

    async def _decode(self, entries: Sequence[Entry]) -> Batch:
        """The batch of what can be used; those that cannot are noted under their ids."""
        self._failed = {}
        frames = [_frame(entry) for entry in entries]
        await self._router.prepare({frame.topic for frame in frames})
        taken = 0
        while taken < len(frames):
            taken += self._builder.add(frames[taken:])
        # The entries are there already, and what they say of clocks is past.
        return replace(self._builder.finish(), quarantined=(), clocks=())

    def _note(self, frame: Frame, entry: Quarantined) -> None:
        assert frame.token is not None
        self._failed[frame.token] = (entry.reason.value, entry.detail)


def _frame(entry: Entry) -> Frame:
    """The message as it came; its token is the entry's id."""
    received_us = (entry.received_at - _EPOCH) // timedelta(microseconds=1)
    return Frame(entry.topic, entry.payload, received_us, token=entry.id, content_type=entry.content_type)
