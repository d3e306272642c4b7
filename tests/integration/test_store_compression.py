"""Compression on whichever edition the server is: Debian's has none, that of VIGIE_TEST_DATABASE_URL perhaps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ingest.columns import Batch
from sensors.kind import Kinds
from store.compression import _due, compress_old, enable_statement
from store.database import connected
from store.edition import has_compression
from store.retention import Retention, apply_retention
from store.writer import SlotSink

MakeBatch = Callable[..., Batch]
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
WEEK_S = 7 * 86_400
LATER = START + timedelta(days=60)
AFTER_DAYS = 14


def stored(url: str) -> list[tuple[datetime, float]]:
    with psycopg.connect(url) as conn:
        return conn.execute("select time, count from traffic order by time").fetchall()


async def test_old_readings_are_compressed_where_the_edition_can_and_stay_what_they_are(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, connected(migrated_url, name="test") as conn:
        await sink.write(make_batch([0, 30, 60, WEEK_S], value=[1, 2, 3, 4]))
        before, can = stored(migrated_url), await has_compression(conn)
        assert await compress_old(conn, kinds, AFTER_DAYS, now=LATER) == (2 if can else 0)
        assert stored(migrated_url) == before
        await sink.write(make_batch([15], value=9))  # late, into what is compressed
        assert len(stored(migrated_url)) == len(before) + 1
        await sink.write(make_batch([15], value=9))  # and once more, which the unique index must still see
        assert len(stored(migrated_url)) == len(before) + 1
        assert await compress_old(conn, kinds, AFTER_DAYS, now=LATER) == 0
        kept = Retention(raw_days=30, rollup_days=30, batch_days=30, quarantine_days=30, event_days=30)
        await apply_retention(conn, kinds, kept, now=LATER)
    assert stored(migrated_url) == []


async def test_what_is_due_is_what_ended_so_long_ago_and_of_readings_alone(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, connected(migrated_url, name="test") as conn:
        await sink.write(make_batch([0, WEEK_S, 2 * WEEK_S], value=1))
        ends = [end for (end,) in await (await conn.execute(CHUNKS)).fetchall()]
        assert len(ends) == 3
        for number, end in enumerate(ends):
            moment = timedelta(microseconds=1)
            assert len(await _due(conn, kinds["traffic"], end - moment)) == number
            assert len(await _due(conn, kinds["traffic"], end)) == number + 1
        assert await _due(conn, kinds["passage"], LATER) == []


CHUNKS = """
select range_end from timescaledb_information.chunks where hypertable_name = 'traffic' order by range_end"""


@pytest.mark.parametrize(
    ("kind", "segment", "order"),
    [
        ("traffic", "'sensor'", "'time desc'"),
        ("travel_time", "'corridor'", "'time desc'"),
        ("passage", "'sensor'", "'time desc, lane, direction'"),
    ],
)
async def test_a_segment_is_a_sensor_and_the_rest_of_the_key_is_in_its_order(
    migrated_url: str, kinds: Kinds, kind: str, segment: str, order: str
) -> None:
    statement = enable_statement(kinds[kind])
    async with connected(migrated_url, name="test") as conn:
        text = statement.as_string(conn)
        assert f"compress_segmentby = {segment}" in text
        assert f"compress_orderby = {order}" in text
        if await has_compression(conn):
            await conn.execute(statement)
        else:
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                await conn.execute(statement)
