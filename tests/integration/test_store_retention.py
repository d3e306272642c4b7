from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from ingest.columns import Batch, Quarantined
from sensors.catalogue import Sensor, Site
from sensors.kind import Kinds
from sensors.payload import Reason
from store.catalogue import register_recording
from store.database import connected
from store.retention import Retention, apply_retention
from store.rollups import update_rollups
from store.writer import SlotSink

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY_S = 86_400
DAYS = Retention(raw_days=30, rollup_days=60, batch_days=2, quarantine_days=10, event_days=365)
LATER = START + timedelta(days=45)

MakeBatch = Callable[..., Batch]


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


async def store(url: str, kinds: Kinds, *batches: Batch, roll: bool = True) -> None:
    site = Site(id="r", name="r", basin="recording", clock="recording")
    async with connected(url, name="test") as conn, SlotSink.open(url, 0, kinds) as sink:
        await register_recording(conn, site, [Sensor(id="rec", site="r", kind="traffic")])
        for batch in batches:
            await sink.write(batch)
        if roll:
            await update_rollups(conn, kinds, limit_rows=10_000)


async def retain(url: str, kinds: Kinds, now: datetime, retention: Retention = DAYS) -> None:
    async with connected(url, name="test") as conn:
        await apply_retention(conn, kinds, retention, now=now)


async def test_old_chunks_go_and_young_ones_stay(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    await store(migrated_url, kinds, make_batch([0, 40 * DAY_S]))
    await retain(migrated_url, kinds, LATER)
    assert ask(migrated_url, "select time from traffic") == [(START + timedelta(days=40),)]
    assert ask(
        migrated_url, "select count(*) from timescaledb_information.chunks where hypertable_name = 'traffic'"
    ) == [(1,)]
    assert ask(migrated_url, "select count(*) from traffic_5min") == [(2,)]


async def test_hours_and_days_go_with_the_other_rollups(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    await store(migrated_url, kinds, make_batch([-1000 * DAY_S, 0]))
    await retain(migrated_url, kinds, LATER)
    for resolution in ("5min", "1h", "1d"):
        assert ask(migrated_url, f"select count(*) from traffic_{resolution}") == [(1,)]  # noqa: S608


async def test_a_recording_stays_however_long_ago_it_was_made(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    recorded = make_batch([-5000 * DAY_S, 10 - 5000 * DAY_S], things=["rec"], site="r")
    await store(migrated_url, kinds, recorded)
    await retain(migrated_url, kinds, LATER)
    assert ask(migrated_url, "select count(*) from traffic where sensor = 'rec'") == [(2,)]
    assert ask(migrated_url, "select count(*) from traffic_5min where sensor = 'rec'") == [(1,)]


async def test_a_chunk_shared_with_a_recording_loses_only_the_others(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    await store(migrated_url, kinds, make_batch([0, 1, 2]), make_batch([0], things=["rec"], site="r"))
    await retain(migrated_url, kinds, LATER)
    assert ask(migrated_url, "select sensor from traffic") == [("rec",)]


async def test_a_recording_ages_by_its_own_newest_reading(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    seconds = [day * DAY_S for day in (-1000, -969, -968)]
    await store(migrated_url, kinds, make_batch(seconds, things=["rec"], site="r"))
    await retain(migrated_url, kinds, LATER)
    assert ask(migrated_url, "select count(*) from traffic") == [(2,)]


async def test_a_batch_that_some_reader_has_not_read_stays(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    now = datetime.now(UTC) + timedelta(days=3)
    await store(migrated_url, kinds, make_batch([0]))
    ask(migrated_url, "insert into cursor values ('analysis', 0, 0) returning 1")
    await retain(migrated_url, kinds, now)
    assert ask(migrated_url, "select count(*) from batch") == [(1,)]
    ask(migrated_url, "update cursor set batch = 1000 returning 1")
    await retain(migrated_url, kinds, now)
    assert ask(migrated_url, "select count(*) from batch") == [(0,)]


async def test_the_quarantine_is_emptied_by_the_last_time_a_message_came(migrated_url: str, kinds: Kinds) -> None:
    old = Quarantined("a", b"", Reason.TOPIC, "", int(START.timestamp()) * 1_000_000, None, None, 0)
    young = replace(old, topic="b", received_us=old.received_us + 44 * DAY_S * 1_000_000)
    await store(migrated_url, kinds, Batch(0, (), (old, young), ()))
    await retain(migrated_url, kinds, LATER)
    assert ask(migrated_url, "select topic from quarantine") == [("b",)]


async def test_old_events_go(migrated_url: str, kinds: Kinds) -> None:
    insert = "insert into event (id, time, type, subject, data, recorded_at) values"
    ask(
        migrated_url,
        f"{insert} (1, now(), 't', 's', '{{}}', '2025-01-01'), (2, now(), 't', 's', '{{}}', now()) returning 1",
    )
    await retain(migrated_url, kinds, LATER)
    assert ask(migrated_url, "select id from event") == [(2,)]


async def test_container_numbers_are_forgotten_and_their_passages_stay(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    texts: tuple[list[str | None], ...] = (["in", "in"], ["MSCU1234566", "MSCU1234566"], ["v1", "v2"])
    batch = make_batch([0, 20 * DAY_S], kind=kinds["passage"], value=1, texts=texts)
    kept = Quarantined("x/passage", b"", Reason.TIME, "", int(START.timestamp()) * 1_000_000, None, None, 0)
    await store(migrated_url, kinds, batch, Batch(0, (), (kept,), ()), roll=False)
    now = START + timedelta(days=31)
    await retain(migrated_url, kinds, now, replace(DAYS, raw_days=400, quarantine_days=400))
    rows = ask(migrated_url, "select direction, container, visit from passage order by time")
    assert rows == [("in", None, None), ("in", "MSCU1234566", "v2")]
    assert ask(migrated_url, "select topic from quarantine") == []
