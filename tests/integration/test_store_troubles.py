"""What a batch did not store, on the way to who recognises faults of senders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from ingest.columns import Batch, Columns, Quarantined
from sensors.kind import Kinds
from sensors.payload import Reason
from store.catalogue import seed
from store.reader import BatchReader, advance
from store.retention import Retention, apply_retention
from store.troubles import TroubleRow, read_troubles
from store.writer import SlotSink

READER = "analytics"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
TOPIC = "vigie/1/readings/W01/W01-F1/traffic"
MakeColumns = Callable[..., Columns]


def message(reason: Reason, thing: str = "W01-F1", second: int = 0) -> Quarantined:
    return Quarantined(TOPIC, b"{", reason, "", START_US + second * 1_000_000, "W01", thing, 1)


async def read_on(reader: BatchReader) -> list[TroubleRow]:
    cursors = dict(part.cursor for part in await reader.next(1000))
    found = await read_troubles(reader.connection, READER, cursors)
    await advance(reader.connection, READER, cursors)
    return found


async def test_troubles_are_read_with_the_batches_up_to_which_they_happened(
    migrated_url: str, kinds: Kinds, make_columns: MakeColumns
) -> None:
    await seed(migrated_url)
    bad = (message(Reason.TRUNCATED), message(Reason.TRUNCATED, second=9), message(Reason.UNKNOWN_SENSOR, "W01-F99"))
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        await sink.write(Batch(0, (make_columns([0, 1]),), bad, ()))
        await sink.write(Batch(0, (make_columns([1, 2]),), (), ()))
        await sink.write(Batch(0, (make_columns([2], value=9),), (), ()))
        await sink.write(Batch(0, (make_columns([3]),), (), ()))
        found = await read_on(reader)
        assert await read_on(reader) == []
    cut, again, other = found
    second = timedelta(seconds=1)
    assert (cut.thing, cut.what, cut.times) == ("W01-F1", "truncated", 2)
    assert (cut.first_received_at, cut.last_received_at) == (START, START + 9 * second)
    assert (cut.min_time, cut.max_time) == (None, None)
    assert (again.what, again.times, again.min_time, again.max_time) == ("duplicate", 1, START + second, START + second)
    assert (other.what, other.times, other.min_time) == ("conflict", 1, START + 2 * second)


async def test_numbers_of_the_sender_come_back_with_the_readings(
    migrated_url: str, kinds: Kinds, make_columns: MakeColumns
) -> None:
    columns = make_columns([0, 1, 2])
    numbered = replace(columns, boot=np.array([7, 7, -1]), seq=np.array([41, 42, -1]))
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        await sink.write(Batch(0, (numbered,), (), ()))
        ((read,),) = [part.columns for part in await reader.next(100)]
    assert read.boot.tolist() == [7, 7, -1]
    assert read.seq.tolist() == [41, 42, -1]


async def test_old_troubles_go_with_the_batches(migrated_url: str, kinds: Kinds, make_columns: MakeColumns) -> None:
    await seed(migrated_url)
    retention = Retention(raw_days=400, rollup_days=400, batch_days=7, quarantine_days=30, event_days=30)
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        await sink.write(Batch(0, (make_columns([0]),), (message(Reason.TRUNCATED),), ()))
        await apply_retention(reader.connection, kinds, retention, now=START + timedelta(days=6))
        assert len(await read_troubles(reader.connection, READER, {0: 1000})) == 1
        await apply_retention(reader.connection, kinds, retention, now=START + timedelta(days=8))
        assert await read_troubles(reader.connection, READER, {0: 1000}) == []
