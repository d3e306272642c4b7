from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from ingest.columns import Batch
from sensors.catalogue import Sensor, Site
from sensors.kind import Kinds
from sensors.level import Quality
from store.backfill import fill_rollups
from store.catalogue import register_recording
from store.database import connected
from store.feed import latest_event
from store.progress import cursors_of, dealt_with, newest_batches
from store.rollups import READER, update_rollups
from store.writer import SlotSink

MakeBatch = Callable[..., Batch]
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def means(url: str, table: str = "traffic", field: str = "count") -> list[tuple[Any, ...]]:
    query = (
        f"select extract(epoch from time - '2026-03-02 08:00Z')::int, readings, coverage::float8,"  # noqa: S608
        f" {field}_mean, {field}_min, {field}_max from {table}_5min order by 1"
    )
    with psycopg.connect(url) as conn:
        return conn.execute(query.encode()).fetchall()


async def write_and_roll(url: str, kinds: Kinds, *batches: Batch) -> None:
    async with SlotSink.open(url, 0, kinds) as sink, connected(url, name="test") as conn:
        for batch in batches:
            await sink.write(batch)
        while await update_rollups(conn, kinds, limit_rows=1000):
            pass
        assert await cursors_of(conn, READER) == await newest_batches(conn)
        assert await dealt_with(conn, 1, reader=READER, follower="nobody") == (not await latest_event(conn))
        assert not await dealt_with(conn, 1, reader="nobody", follower="nobody")


async def test_five_minutes_are_mean_least_most_and_coverage(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    await write_and_roll(migrated_url, kinds, make_batch([0, 30, 60, 299.5, 300], value=[1, 2, 3, 6, 9]))
    assert means(migrated_url) == [
        (0, 4, pytest.approx(0.4), 3.0, 1.0, 6.0),
        (300, 1, pytest.approx(0.1), 9.0, 9.0, 9.0),
    ]


async def test_a_late_reading_revises_its_five_minutes(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    await write_and_roll(migrated_url, kinds, make_batch([0, 600], value=[10, 1]))
    await write_and_roll(migrated_url, kinds, make_batch([30], value=20))
    assert [row[:2] + row[3:4] for row in means(migrated_url)] == [(0, 2, 15.0), (600, 1, 1.0)]


@pytest.mark.parametrize("quality", [Quality.OUT_OF_RANGE, Quality.SENTINEL, Quality.SENTINEL | Quality.CLOCK])
async def test_a_distrusted_reading_does_not_count(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch, quality: Quality
) -> None:
    doubtful = make_batch([30, 300], value=9000, quality=quality)
    await write_and_roll(migrated_url, kinds, make_batch([0], value=10), doubtful)
    assert means(migrated_url) == [(0, 1, pytest.approx(0.1), 10.0, 10.0, 10.0), (300, 0, 0.0, None, None, None)]


async def test_coverage_follows_the_period_of_the_sensor_and_ends_at_one(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    site = Site(id="r", name="r", basin="recording", clock="recording")
    slow = Sensor(id="slow", site="r", kind="traffic", period_s=150)
    async with connected(migrated_url, name="test") as conn:
        await register_recording(conn, site, [slow, msgspec.structs.replace(slow, id="slower", period_s=900)])
    await write_and_roll(
        migrated_url,
        kinds,
        make_batch([0], things=["slow"], site="r"),
        make_batch([301, 302, 303], things=["slower"], site="r"),
    )
    assert [row[2] for row in means(migrated_url)] == [0.5, 1.0]


async def test_events_have_means_and_no_coverage(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    texts: tuple[list[str | None], ...] = (["in", "out"], [None, None], [None, None])
    await write_and_roll(migrated_url, kinds, make_batch([0, 0], kind=kinds["passage"], value=[1, 3], texts=texts))
    assert means(migrated_url, "passage", "lane") == [(0, 2, None, 2.0, 1.0, 3.0)]


async def test_rolling_up_twice_gives_the_same(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    await write_and_roll(migrated_url, kinds, make_batch(range(0, 900, 30), value=list(range(30))))
    before = means(migrated_url)
    with psycopg.connect(migrated_url, autocommit=True) as conn:
        conn.execute("delete from cursor")
    async with connected(migrated_url, name="test") as connection:
        assert await update_rollups(connection, kinds, limit_rows=1000) == 30
    assert means(migrated_url) == before


async def test_means_of_loaded_readings_are_those_of_ingested_ones(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    seconds = [0, 30, 60, 299.5, 300, 3700, 86_400 * 2]
    await write_and_roll(migrated_url, kinds, make_batch(seconds, value=[1, 2, 3, 6, 9, 4, 5]))
    tables = ("traffic_5min", "traffic_1h", "traffic_1d")
    columns = "sensor, time, readings, coverage, count_mean, count_min, count_max"

    def all_means(conn: psycopg.Connection[Any]) -> list[list[tuple[Any, ...]]]:
        return [conn.execute(f"select {columns} from {table} order by 1, 2".encode()).fetchall() for table in tables]  # noqa: S608

    with psycopg.connect(migrated_url, autocommit=True) as conn:
        made = all_means(conn)
        for table in tables:
            conn.execute(f"delete from {table}".encode())  # noqa: S608
        async with connected(migrated_url, name="test") as own:
            for _ in range(2):
                await fill_rollups(own, kinds, START + timedelta(minutes=1), START + timedelta(days=3))
        assert all_means(conn) == made
