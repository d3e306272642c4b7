from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from psycopg import sql

from ingest.columns import Batch, Columns, Quarantined
from sensors.kind import Kinds
from sensors.payload import Reason
from store.database import connected
from store.reader import BatchReader, BatchSpan, ReadBatch, advance, clusters, read_query, unread
from store.writer import SlotSink

YEAR_S = 365 * 86_400
WAIT_S = 10.0
LONG_POLL_S = 60.0
READER = "analysis"

MakeBatch = Callable[..., Batch]
UntilWaiting = Callable[[str], Awaitable[None]]


async def read_on(reader: BatchReader, limit_rows: int = 10_000) -> list[ReadBatch]:
    """Read and advance, as a consumer does in its transaction."""
    found = await reader.next(limit_rows)
    if found:
        await advance(reader.connection, READER, dict(part.cursor for part in found))
    return found


def values(found: list[ReadBatch]) -> list[float]:
    return [value for part in found for columns in part.columns for value in columns.values[:, 0].tolist()]


async def test_what_was_written_is_read_back_as_columns(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    batch = make_batch([2, 0, 1], things=["W01-F1", "W01-F10"], value=[0.1, np.nan, 7], quality=1)
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        await sink.write(batch)
        ((columns,),) = [part.columns for part in await reader.next(100)]
    wrote = batch.columns[0]
    order = np.argsort(wrote.time_us)
    assert columns.kind is kinds["traffic"]
    assert columns.thing.tolist() == ["W01-F10", "W01-F1", "W01-F1"]
    np.testing.assert_array_equal(columns.time_us, wrote.time_us[order])
    np.testing.assert_array_equal(columns.received_us, wrote.received_us[order])
    np.testing.assert_array_equal(columns.values, wrote.values[order])
    assert columns.quality.tolist() == [1, 1, 1]


async def test_batches_come_again_until_the_consumer_has_committed(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        await sink.write(make_batch([0], value=1))
        assert values(await reader.next(100)) == [1]
        assert values(await read_on(reader)) == [1]
        assert await reader.next(100) == []


async def test_small_batches_are_read_together_and_a_large_one_alone(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        for start, rows in ((0, 2), (10, 3), (20, 40), (70, 1)):
            await sink.write(make_batch(range(start, start + rows), value=rows))
        assert values(await read_on(reader, 10)) == [2, 2, 3, 3, 3]
        assert values(await read_on(reader, 10)) == [40] * 40
        assert values(await read_on(reader, 10)) == [1]


async def test_a_reader_takes_only_the_rows_of_its_batches(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        await sink.write(make_batch([0, 2, 4], value=1))
        await read_on(reader)
        await sink.write(make_batch([1, 3], value=2))
        assert values(await read_on(reader)) == [2, 2]


@pytest.mark.parametrize("first", [1, 2])
async def test_a_transaction_held_open_across_a_later_commit_loses_nothing(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch, first: int, until_waiting: UntilWaiting
) -> None:
    second = 3 - first
    async with (
        SlotSink.open(migrated_url, first, kinds) as early,
        SlotSink.open(migrated_url, second, kinds) as late,
        BatchReader.open(migrated_url, READER, kinds) as reader,
        connected(migrated_url, name="blocker") as blocker,
    ):
        # A new chunk makes other writers wait for the transaction that creates it: not what is tested here.
        await early.write(make_batch([2], slot=first, value=0))
        assert values(await read_on(reader)) == [0]
        async with blocker.transaction():
            await blocker.execute("lock table quarantine in share mode")
            held = asyncio.create_task(late.write(until_quarantine(make_batch([0], slot=second, value=second))))
            await until_waiting(f"vigie ingest {second}")
            await early.write(make_batch([1], slot=first, value=first))
            assert values(await read_on(reader)) == [first]
        await asyncio.wait_for(held, WAIT_S)
        assert values(await read_on(reader)) == [second]


def until_quarantine(batch: Batch) -> Batch:
    """A batch that stops at the locked quarantine, after its number was taken and its rows were copied."""
    message = Quarantined("a", b"", Reason.TOPIC, "", 0, None, None, 0)
    return Batch(batch.slot, batch.columns, (message,), ())


async def test_a_reader_wakes_when_something_is_committed(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        assert await reader.next(100) == []
        await sink.write(make_batch([0]))
        await asyncio.wait_for(reader.wait(LONG_POLL_S), WAIT_S)


async def test_a_batch_is_read_by_the_time_index(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, connected(migrated_url, name="explain") as conn:
        await sink.write(make_batch(range(5000), things=[f"S{n}" for n in range(50)]))
        await sink.write(make_batch([5000.5]))
        await conn.execute("analyze traffic")
        (part,) = await unread(conn, READER, 5000)
        await advance(conn, READER, {0: part.last})
        (part,) = await unread(conn, READER, 5000)
        query = sql.SQL("explain {}").format(read_query(kinds["traffic"], part.spans))
        plan = "\n".join(row[0] for row in await (await conn.execute(query)).fetchall())
    assert "_traffic_time_idx" in plan
    assert "Seq Scan" not in plan


async def test_few_readings_of_a_long_time_are_not_read_all_at_once(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, connected(migrated_url, name="read") as conn:
        for half_hour in range(5):
            await sink.write(make_batch([1800 * half_hour, 1800 * half_hour + 1500]))
        asked = [await unread(conn, READER, 100, timedelta(minutes=minutes)) for minutes in (1, 80, 1000)]
    assert [len(part.spans) for (part,) in asked] == [1, 3, 5]


async def test_readings_years_apart_are_read_without_the_years_between(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        await sink.write(make_batch([0, 1, -14 * YEAR_S, 2 - 14 * YEAR_S], value=[3, 4, 1, 2]))
        (part,) = await unread(reader.connection, READER, 100)
        assert [span.rows for span in part.spans] == [2, 2]
        assert [len(near) for near in clusters(part.spans)] == [1, 1]
        assert values(await read_on(reader)) == [1, 2, 3, 4]


async def test_several_kinds_of_one_batch_come_together(
    migrated_url: str, kinds: Kinds, make_columns: Callable[..., Columns]
) -> None:
    traffic = make_columns([0, 1])
    corridor = make_columns([0], kind=kinds["travel_time"], things=["W17-W15"], site="W15", value=300)
    async with SlotSink.open(migrated_url, 0, kinds) as sink, BatchReader.open(migrated_url, READER, kinds) as reader:
        await sink.write(Batch(0, (traffic, corridor), (), ()))
        (part,) = await reader.next(100)
    assert [(columns.kind.name, columns.thing.tolist()) for columns in part.columns] == [
        ("traffic", ["W01-F1", "W01-F1"]),
        ("travel_time", ["W17-W15"]),
    ]


async def test_cursors_never_move_back(migrated_url: str, kinds: Kinds) -> None:
    async with connected(migrated_url, name="test") as conn:
        await advance(conn, READER, {0: 5, 1: 2})
        await advance(conn, READER, {0: 4, 1: 3})
        rows = await (await conn.execute("select slot, batch from cursor order by slot")).fetchall()
    assert rows == [(0, 5), (1, 3)]


def test_spans_that_overlap_a_long_one_stay_with_it() -> None:
    def span(low: int, high: int) -> BatchSpan:
        day = datetime(2026, 1, 1, tzinfo=UTC)
        return BatchSpan(0, 1, "traffic", day.replace(hour=low), day.replace(hour=high), 1, day)

    groups = list(clusters([span(4, 5), span(0, 6), span(10, 11), span(12, 13), span(1, 2)]))
    assert [len(group) for group in groups] == [3, 2]
