"""The sink of one ingest slot: readings in, durable after COMMIT.

A batch is one transaction: binary COPY straight into each kind's hypertable; on a unique violation it is begun anew and
the kind goes through staging. The batch's row, accounts, quarantine and notification are in it too, sent in one round
trip. The sink's own connection holds the slot's advisory lock, so a slot has one writer and one transaction in flight.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from typing import Self

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from ingest.columns import ABSENT, Batch, Columns, Outcome, SinkRefused, SinkUnavailable, SlotLost
from ingest.sequence import Settled
from sensors.kind import Kind, Kinds
from store import ledger
from store.clocks import book_clocks
from store.copy_in import Column, bigints, reals, smallints, texts, timestamps
from store.database import Connection, DatabaseUnavailable, connect, needs_mending, passes_by_itself
from store.days import book_days
from store.kind_tables import raw_columns
from store.leadership import Lock, holder, try_lock, wait_for_lock
from store.quarantine import book_quarantine
from store.sequences import Sequences
from store.spans import Span, spans
from store.staging import Fate, Staging, copy_rows, copy_statement
from store.troubles import book_troubles

LOCK_TIMEOUT_S = 5
"""How long a write waits for a table that somebody has locked. Then it is tried again with growing pauses: it is told,
it can be ended, and it stands in nobody's way meanwhile. Lower gives up beside every short migration."""
STATEMENT_TIMEOUT_S = 60
"""How long one statement may take; a batch takes 50 ms. Lower never ends on a server that is only slow."""

NUMBERS_AT_ONCE = 64
"""Batch numbers taken from the sequence at once, which spares most batches a round trip. What is left over is a gap."""

_NUMBERS = "select nextval('batch_number') from generate_series(1, %s)"
_BOUND = "select set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)"

REPAIR_SLOT = 32_767
"""The slot of what is re-ingested from the quarantine: one transaction in flight like any other, so that readers see
its batches in commit order. The greatest smallint, far from those of the settings."""


class SlotSink:
    """Write the batches of one slot; get one from `open`."""

    def __init__(self, url: str, slot: int, kinds: Kinds, conn: Connection) -> None:
        self._url = url
        # What senders still owe is the business of the slot that reads them live, which remembers it between batches.
        self._settles = slot != REPAIR_SLOT
        self._slot = slot
        self._conn = conn
        self._backend = conn.info.backend_pid
        self._numbers: list[int] = []
        self._sequences = Sequences()
        self._into = {kind.name: _Into(kind) for kind in kinds.values()}

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, slot: int, kinds: Kinds) -> AsyncIterator[Self]:
        """Wait until no other process holds the slot, and hold it until the block ends.

        Raises `DatabaseUnavailable`.
        """
        conn = await connect(url, name=f"ingest {slot}")
        sink = cls(url, slot, kinds, conn)
        try:
            await _wait_for_slot(conn, slot)
            yield sink
        finally:
            await sink.close()

    async def close(self) -> None:
        """End the connection and with it the hold on the slot."""
        await self._conn.close()

    async def write(self, batch: Batch) -> Outcome:
        """Store the batch in one transaction and return after its COMMIT; afterwards nothing of it can be lost.

        Raises `SinkUnavailable`, `SinkRefused` or `SlotLost`; then nothing of the batch is stored, or the connection
        broke at the COMMIT itself and trying again counts the readings as duplicates.
        """
        try:
            tally, settled = await self._transact(await self._connection(), batch)
        except psycopg.Error as exc:
            raise _failure(exc) from exc
        except (ValueError, OverflowError) as exc:
            raise SinkRefused(f"it has no place in a column: {exc}") from exc
        self._sequences.committed()
        total = tally.total()
        return Outcome(total.committed, total.duplicates, total.conflicts, total.quarantined, settled)

    async def _connection(self) -> Connection:
        """The connection that holds the slot, a new one when the old one broke."""
        if not self._conn.closed:
            return self._conn
        try:
            conn = await connect(self._url, name=f"ingest {self._slot}")
        except DatabaseUnavailable as exc:
            raise SinkUnavailable(str(exc)) from exc
        try:
            await self._take_slot(conn)
            await _bound(conn)
        except BaseException:
            await conn.close()
            raise
        self._conn, self._backend, self._numbers = conn, conn.info.backend_pid, []
        # Until we had the lock again another process may have settled more than we know of.
        self._sequences.forget()
        return conn

    async def _take_slot(self, conn: Connection) -> None:
        if await try_lock(conn, Lock.SLOT, self._slot):
            return
        by = await holder(conn, Lock.SLOT, self._slot)
        if by in {None, self._backend}:
            raise SinkUnavailable(f"the connection that held slot {self._slot} has not ended yet")
        raise SlotLost(f"slot {self._slot} was taken over by another process")

    async def _transact(self, conn: Connection, batch: Batch) -> tuple[ledger.Tally, tuple[Settled, ...]]:
        """One transaction, begun anew for each kind of which the table turns out to know some readings.

        A savepoint would save the beginning anew, which is rare, and cost every batch two round trips for each kind.
        """
        number, staged = await self._next_number(conn), set[str]()
        while True:
            try:
                async with conn.transaction():
                    return await self._store(conn, batch, number, staged)
            except _Known as exc:
                staged.add(exc.kind)

    async def _next_number(self, conn: Connection) -> int:
        """The next of this connection's block: ascending within the slot, which is all that its readers need."""
        if not self._numbers:
            cursor = await conn.execute(_NUMBERS, (NUMBERS_AT_ONCE,))
            self._numbers = [int(number) for (number,) in await cursor.fetchall()]
        return self._numbers.pop(0)

    async def _store(
        self, conn: Connection, batch: Batch, number: int, staged: AbstractSet[str]
    ) -> tuple[ledger.Tally, tuple[Settled, ...]]:
        tally, stored = ledger.Tally(), dict[str, list[Span]]()
        fared: list[tuple[Columns, NDArray[np.int8] | None]] = []
        for columns in batch.columns:
            into = self._into[columns.kind.name]
            fates = await into.store(conn, columns, number, staged=columns.kind.name in staged)
            tally.readings(columns.site, fates)
            fared.append((columns, fates))
            kept = columns.time_us if fates is None else columns.time_us[fates == Fate.COMMITTED]
            stored[columns.kind.name] = stored.get(columns.kind.name, []) + spans(kept)
        tally.quarantined(batch.quarantined)
        async with conn.pipeline():
            await book_quarantine(conn, batch.quarantined)
            await ledger.book_health(conn, batch.health)
            await book_clocks(conn, batch.clocks)
            await ledger.book_accounts(conn, tally)
            await book_days(conn, fared, batch.quarantined)
            await book_troubles(conn, (self._slot, number), fared, batch.quarantined)
            await ledger.book_batch(conn, number, self._slot, stored)
            return tally, await self._sequences.book(conn, batch, number) if self._settles else ()


class _Known(Exception):  # noqa: N818  not an error: a redelivery
    """A direct COPY met a reading that the table of this kind holds already."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class _Into:
    """How readings of one kind get into its hypertable."""

    def __init__(self, kind: Kind) -> None:
        self._copy = copy_statement(sql.Identifier(kind.name), tuple(raw_columns(kind)))
        self._staging = Staging(kind)

    async def store(self, conn: Connection, columns: Columns, batch: int, *, staged: bool) -> NDArray[np.int8] | None:
        """Store in the caller's transaction; the fate of each reading, or None where all of them are committed.

        Raises `_Known`; then the transaction must be begun anew, with this kind staged.
        """
        rows = len(columns.time_us)
        wire = wire_columns(columns, batch)
        if staged:
            return await self._staging.store(conn, columns, wire)
        try:
            await copy_rows(conn, self._copy, wire, rows)
        except psycopg.errors.UniqueViolation as exc:
            raise _Known(columns.kind.name) from exc
        return None


def wire_columns(columns: Columns, batch: int) -> list[Column]:
    """Columns in the order of `raw_columns`."""
    return [
        texts(columns.thing),
        timestamps(columns.time_us),
        timestamps(columns.received_us),
        bigints(columns.boot, absent=ABSENT),
        bigints(columns.seq, absent=ABSENT),
        bigints(np.full(len(columns.time_us), batch)),
        smallints(columns.quality),
        *(reals(values) for values in columns.values.T),
        *(texts(column) for column in columns.texts),
    ]


def _failure(exc: psycopg.Error) -> SinkUnavailable | SinkRefused:
    """What a failed write means: later, once somebody has mended it, or never."""
    lines = str(exc).strip().splitlines()
    reason = lines[0] if lines else "no reason given"
    if passes_by_itself(exc) or needs_mending(exc):
        return SinkUnavailable(f"{exc.sqlstate or 'connection lost'}: {reason}")
    return SinkRefused(f"{exc.sqlstate or 'not sent'}: {reason}")


async def _bound(conn: Connection) -> None:
    """No statement of this connection takes for ever. Only after the wait for the slot, which may."""
    await conn.execute(_BOUND, (f"{LOCK_TIMEOUT_S}s", f"{STATEMENT_TIMEOUT_S}s"))


async def _wait_for_slot(conn: Connection, slot: int) -> None:
    try:
        await wait_for_lock(conn, Lock.SLOT, slot)
        await _bound(conn)
    except psycopg.Error as exc:
        if not passes_by_itself(exc):
            raise
        raise DatabaseUnavailable(f"the database went away while waiting for slot {slot}: {exc}") from exc
