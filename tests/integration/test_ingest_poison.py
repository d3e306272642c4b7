"""One poison message among thousands, on the real database: it alone goes to the quarantine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from types import TracebackType
from typing import Self

import psycopg

from ingest.directory import CatalogueDirectory
from ingest.slot import Clocks, IngestSlot
from ingest.transport import Frame
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.kind import Kinds
from store.catalogue import seed
from store.writer import SlotSink

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
MESSAGES = 4_000
POISON = 1_234
WAIT_S = 60.0


class Once:
    """Hands over its frames once; done when all are acknowledged."""

    def __init__(self, frames: list[Frame]) -> None:
        self.acknowledged: list[int | None] = []
        self.done = asyncio.Event()
        self._frames = frames

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def frames(self, limit: int) -> list[Frame]:
        taken, self._frames = self._frames[:limit], self._frames[limit:]
        if not taken:
            await asyncio.Event().wait()
        return taken

    def acknowledge(self, frames: Sequence[Frame]) -> None:
        self.acknowledged += [frame.token for frame in frames]
        if len(self.acknowledged) == MESSAGES:
            self.done.set()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:  # noqa: ARG002  as the protocol has it
        return True


def reading(number: int) -> Frame:
    time_ = (START + timedelta(seconds=number)).isoformat()
    payload = b'{"time":"%s","boot":1,"seq":%d,"speed_kmh":50,"count":%d}' % (time_.encode(), number, number)
    return Frame("vigie/1/readings/W01/W01-F1/traffic", payload, int(time.time() * 1e6), number + 1, 1)


async def test_one_poison_message_among_thousands(migrated_url: str, kinds: Kinds) -> None:
    await seed(migrated_url)
    body = (
        f"begin if new.count = {POISON} then raise exception 'poison' using errcode = '22003'; end if; return new; end"
    )
    with psycopg.connect(migrated_url, autocommit=True) as conn:
        conn.execute(f"create function refuse() returns trigger language plpgsql as $$ {body} $$".encode())
        conn.execute("create trigger refuse before insert on traffic for each row execute function refuse()")
    transport = Once([reading(number) for number in range(MESSAGES)])

    async def load() -> Catalogue:
        return shipped_catalogue()

    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        clocks = Clocks(lambda: int(time.time() * 1e6), time.monotonic)
        directory = CatalogueDirectory(kinds, shipped_catalogue(), load)
        ingest = IngestSlot(0, transport, sink, kinds=kinds, directory=directory, clocks=clocks, rng=Random(1))
        task = asyncio.create_task(ingest.run())
        await asyncio.wait_for(transport.done.wait(), WAIT_S)
        task.cancel()
        await asyncio.wait({task})
    with psycopg.connect(migrated_url, autocommit=True) as conn:
        stored = [row[0] for row in conn.execute("select seq from traffic order by seq")]
        (refused,) = conn.execute("select reason, detail, thing from quarantine").fetchall()
        order = conn.execute(
            "select bool_and(ok) from (select seq > lag(seq) over (order by batch, time) is not false"
            " as ok from traffic) t"
        ).fetchone()
        gaps = conn.execute("select count(*) from sequence_gap").fetchone()
    assert stored == [number for number in range(MESSAGES) if number != POISON]
    assert refused == ("refused", "22003: poison", "W01-F1")
    assert transport.acknowledged == [number + 1 for number in range(MESSAGES)]
    assert order == (True,)
    assert gaps == (0,)
