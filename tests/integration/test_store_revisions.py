"""Late data on the real database: what is revised, what is told of it, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from ingest.columns import Batch
from sensors.catalogue import Sensor, Site
from sensors.kind import Kind, Kinds
from store.backfill import backfill_rollups
from store.catalogue import register_recording
from store.database import connected
from store.migrate import migrate
from store.recompute import recompute_statement
from store.rollups import READER, update_rollups
from store.writer import SlotSink

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RESOLUTIONS = ("5min", "1h", "1d")
STEPS = (300, 3600, 86_400)
MakeBatch = Callable[..., Batch]


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


def means(url: str, resolution: str) -> dict[tuple[str, int], tuple[Any, ...]]:
    """By thing and seconds after START: readings, coverage, mean, least, most, revised."""
    query = (
        "select sensor, extract(epoch from time - '2026-03-02 08:00Z')::int, readings, coverage, count_mean,"  # noqa: S608
        f" count_min, count_max, coalesce(revised, false) from traffic_{resolution} order by 1, 2"
    )
    return {(row[0], row[1]): row[2:] for row in ask(url, query)}


def everything(url: str) -> list[dict[tuple[str, int], tuple[Any, ...]]]:
    return [means(url, resolution) for resolution in RESOLUTIONS]


def told(url: str) -> list[dict[str, Any]]:
    query = "select subject, data from event where type = 'vigie.aggregate.revised.v1' order by id"
    return [{"subject": subject, **data} for subject, data in ask(url, query)]


async def put(url: str, kinds: Kinds, batch: Batch, at: datetime) -> None:
    """Store a batch as if it were `at`: committed then, received then."""
    received = int(at.timestamp()) * 1_000_000
    for columns in batch.columns:
        columns.received_us[:] = received
    async with SlotSink.open(url, batch.slot, kinds) as sink:
        await sink.write(batch)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("update batch set committed_at = %s where batch = (select max(batch) from batch)", (at,))


async def roll(url: str, kinds: Kinds, limit_rows: int = 10_000) -> None:
    async with connected(url, name="test") as conn:
        while await update_rollups(conn, kinds, limit_rows=limit_rows):
            pass


async def put_and_roll(url: str, kinds: Kinds, batch: Batch, at: datetime) -> None:
    await put(url, kinds, batch, at)
    await roll(url, kinds)


async def test_a_late_reading_revises_its_buckets_and_no_other(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    await put_and_roll(migrated_url, kinds, make_batch(range(30, 7200, 30), value=10), START + 2 * HOUR)
    before = everything(migrated_url)
    await put_and_roll(migrated_url, kinds, make_batch([0], value=130), START + 3 * DAY)
    after = everything(migrated_url)
    assert after[0].pop(("W01-F1", 0)) == (10, 1.0, 22.0, 10.0, 130.0, True)
    assert after[1].pop(("W01-F1", 0)) == (120, 1.0, 11.0, 10.0, 130.0, True)
    assert after[2].pop(("W01-F1", -8 * 3600)) == (240, pytest.approx(2 / 24), 10.5, 10.0, 130.0, True)
    assert before[0].pop(("W01-F1", 0)) == (9, pytest.approx(0.9), 10.0, 10.0, 10.0, False)
    assert before[1].pop(("W01-F1", 0))[0] == 119
    assert before[2].pop(("W01-F1", -8 * 3600))[0] == 239
    assert after == before


async def test_the_feed_tells_old_and_new_of_each_resolution(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    await put_and_roll(migrated_url, kinds, make_batch(range(30, 3600, 30), value=10), START + HOUR)
    await put_and_roll(migrated_url, kinds, make_batch([0], value=130), START + 3 * DAY)
    by_resolution = {event["resolution"]: event for event in told(migrated_url)}
    five = by_resolution["5min"]
    unmeasured = dict.fromkeys(kinds["traffic"].field_names[1:])
    assert {**five, "old": None, "new": None} == {
        "subject": "W01-F1",
        "kind": "traffic",
        "resolution": "5min",
        "from": "2026-03-02T08:00:00Z",
        "to": "2026-03-02T08:05:00Z",
        "buckets": 1,
        "why": "late",
        "valid_until": five["valid_until"],
        "old": None,
        "new": None,
    }
    assert datetime.fromisoformat(five["valid_until"]) > START + 3 * DAY
    assert five["old"] == {"readings": 9, "coverage": 0.9, "mean": {"count": 10.0, **unmeasured}}
    assert five["new"] == {"readings": 10, "coverage": 1.0, "mean": {"count": 22.0, **unmeasured}}
    assert [by_resolution[name]["new"]["readings"] for name in RESOLUTIONS] == [10, 120, 120]
    assert [by_resolution[name]["old"]["readings"] for name in RESOLUTIONS] == [9, 119, 119]
    assert by_resolution["1h"]["new"]["mean"]["count"] == 11.0
    assert (by_resolution["1d"]["from"], by_resolution["1d"]["to"]) == ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")


async def test_what_is_not_over_yet_is_not_revised(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    for second in range(0, 4500, 150):
        await put_and_roll(migrated_url, kinds, make_batch([second]), START + timedelta(seconds=second + 1))
    assert told(migrated_url) == []
    await put_and_roll(migrated_url, kinds, make_batch([31]), START + timedelta(seconds=4500))
    assert [(event["resolution"], event["from"]) for event in told(migrated_url)] == [
        ("1h", "2026-03-02T08:00:00Z"),
        ("5min", "2026-03-02T08:00:00Z"),
    ]


async def test_an_outages_backlog_fills_buckets_that_nobody_has_seen(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    later = START + 6 * HOUR
    for number in range(12):
        seconds = range(number * 450, (number + 1) * 450, 30)
        await put_and_roll(migrated_url, kinds, make_batch(seconds), later + timedelta(seconds=5 * number))
    assert told(migrated_url) == []
    assert {row[-1] for rows in everything(migrated_url) for row in rows.values()} == {False}


async def test_a_burst_of_late_readings_is_one_event_a_thing_and_stretch(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    things = ["W01-F1", "W01-F2"]
    await put_and_roll(migrated_url, kinds, make_batch(np.repeat(range(0, 10_800, 60), 2), things=things), START + DAY)
    await put_and_roll(
        migrated_url, kinds, make_batch(np.repeat(range(30, 10_800, 60), 2), things=things), START + 3 * DAY
    )
    assert [(event["subject"], event["resolution"], event["buckets"]) for event in told(migrated_url)] == [
        (thing, resolution, buckets) for resolution, buckets in (("1d", 1), ("1h", 3), ("5min", 36)) for thing in things
    ]


async def test_readings_that_waited_for_the_database_are_told_as_stored_late(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    await put_and_roll(migrated_url, kinds, make_batch([0]), START + timedelta(seconds=1))
    await put(migrated_url, kinds, make_batch([30]), START + timedelta(seconds=31))
    with psycopg.connect(migrated_url, autocommit=True) as conn:
        conn.execute("update batch set committed_at = %s where batch = (select max(batch) from batch)", (START + HOUR,))
    await roll(migrated_url, kinds)
    assert [(event["resolution"], event["why"]) for event in told(migrated_url)] == [("5min", "stored_late")]


async def test_a_replay_in_order_revises_nothing_and_a_straggler_does(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    site = Site(id="r", name="r", basin="recording", clock="recording")
    async with connected(migrated_url, name="test") as conn:
        await register_recording(conn, site, [Sensor(id="rec", site="r", kind="traffic")])
    now = datetime(2026, 6, 1, tzinfo=UTC)
    for number in range(10):
        seconds = range(number * 20_010, (number + 1) * 20_010, 1000)
        batch = make_batch(seconds, things=["rec"], site="r")
        await put_and_roll(migrated_url, kinds, batch, now + number * HOUR)
    assert told(migrated_url) == []
    await put_and_roll(migrated_url, kinds, make_batch([7], things=["rec"], site="r"), now + 10 * HOUR)
    assert [event["resolution"] for event in told(migrated_url)] == ["1d", "1h", "5min"]


async def test_going_over_it_again_changes_nothing_and_tells_nothing(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    await put_and_roll(migrated_url, kinds, make_batch(range(30, 3600, 30)), START + HOUR)
    await put_and_roll(migrated_url, kinds, make_batch([0]), START + 3 * DAY)
    before, events = everything(migrated_url), told(migrated_url)
    ask(migrated_url, f"delete from cursor where reader = '{READER}' returning 1")  # noqa: S608
    await roll(migrated_url, kinds)
    assert (everything(migrated_url), told(migrated_url)) == (before, events)


async def test_a_transaction_open_across_later_commits_is_not_forgotten(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    await put_and_roll(migrated_url, kinds, make_batch([0], value=10), START + HOUR)
    with psycopg.connect(migrated_url) as slow:
        slow.execute(
            "insert into traffic (sensor, time, received_at, batch, quality, count)"
            " select 'W01-F1', %s::timestamptz + interval '1 s', now(), nextval('batch_number'), 0, 30",
            (START,),
        )
        slow.execute(
            "insert into batch (batch, slot, kind, min_time, max_time, rows)"
            " select batch, 1, 'traffic', time, time, 1 from traffic order by time desc limit 1"
        )
        await put_and_roll(migrated_url, kinds, make_batch([60], value=20), START + HOUR)
        assert [row[0:3:2] for table in everything(migrated_url) for row in table.values()] == [(2, 15.0)] * 3
    await roll(migrated_url, kinds)
    assert [row[0:3:2] for table in everything(migrated_url) for row in table.values()] == [(3, 20.0)] * 3


async def test_means_outlive_their_readings(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    await put_and_roll(migrated_url, kinds, make_batch(range(0, 300, 30), value=10), START + HOUR)
    before = everything(migrated_url)
    ask(migrated_url, "delete from traffic returning 1")
    await put_and_roll(migrated_url, kinds, make_batch([31], value=500), START + 500 * DAY)
    assert (everything(migrated_url), told(migrated_url)) == (before, [])


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_batches_gives_what_the_readings_say(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch, seed: int
) -> None:
    random = np.random.default_rng(seed)
    seconds = random.choice(200_000, 600, replace=False)
    values = random.integers(0, 60, len(seconds)).astype(float)
    bad = random.random(len(seconds)) < 0.1
    for part in np.array_split(random.permutation(len(seconds)), 12):
        for quality in (0, 1):
            some = part[bad[part] == bool(quality)]
            batch = make_batch(seconds[some], value=values[some], quality=quality, slot=int(random.integers(3)))
            await put(migrated_url, kinds, batch, START + int(random.integers(100)) * HOUR)
        if random.random() < 0.5:
            await roll(migrated_url, kinds, limit_rows=int(random.integers(1, 100)))
    await roll(migrated_url, kinds)
    for resolution, step in zip(RESOLUTIONS, STEPS, strict=True):
        found = {start: row[:5] for (_, start), row in means(migrated_url, resolution).items()}
        assert found == expected(seconds[~bad], values[~bad], seconds, step)


def expected(seconds: Any, values: Any, touched: Any, step: int) -> dict[int, Any]:
    """From the readings themselves; START is 8 hours into a day, and coverage is that of 5-minute buckets."""

    def bucket(second: Any, length: int) -> Any:
        return (second + 8 * 3600) // length * length - 8 * 3600

    made = {}
    for start in np.unique(bucket(touched, step)):
        inside = bucket(seconds, step) == start
        here, counts = values[inside], np.unique(bucket(seconds[inside], 300), return_counts=True)[1]
        coverage = np.minimum(1, counts * 30 / 300).sum() * 300 / step
        mean, low, high = (here.mean(), here.min(), here.max()) if len(here) else (None, None, None)
        measured = [None if part is None else pytest.approx(part, rel=1e-5) for part in (mean, low, high)]
        made[int(start)] = (len(here), pytest.approx(coverage, rel=1e-5), *measured)
    return made


async def test_years_of_old_means_become_hours_and_days(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    seconds = [*range(0, 900_000, 1000), *range(-40_000_000, -39_000_000, 1000)]
    await put_and_roll(migrated_url, kinds, make_batch(seconds, value=range(len(seconds))), START + 30 * DAY)
    before = everything(migrated_url)
    with psycopg.connect(migrated_url, autocommit=True) as conn:
        conn.execute("drop table traffic_1h")
        conn.execute("drop table traffic_1d")
    await migrate(migrated_url, kinds)
    # Readings go on while the old means wait.
    await put_and_roll(migrated_url, kinds, make_batch([900_000]), START + 30 * DAY)
    steps = 0
    async with connected(migrated_url, name="test") as conn:
        while await backfill_rollups(conn, kinds):
            steps += 1
    assert steps == 5  # two weeks, two weeks years before, and the end
    after = everything(migrated_url)
    assert ask(migrated_url, "select * from rollup_backfill") == []
    assert {key: row[0] for key, row in after[2].items()} == {
        key: row[0] + (key == max(after[2])) for key, row in before[2].items()
    }
    last = max(before[1])
    assert {key: row for key, row in after[1].items() if key < last} == {
        key: row for key, row in before[1].items() if key < last
    }


async def test_touched_buckets_are_found_by_the_index(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    things = [f"S{n:02}" for n in range(50)]
    await put_and_roll(migrated_url, kinds, make_batch(np.repeat(range(0, 43_200, 60), 50), things=things), START + DAY)
    await put(migrated_url, kinds, make_batch([30.5]), START + 2 * DAY)
    with psycopg.connect(migrated_url, autocommit=True) as conn:
        conn.execute(  # without which the table of days is so small that reading all of it is cheapest
            "insert into traffic_1d (sensor, time, readings) select distinct traffic.sensor, day, 1 from traffic,"
            " generate_series('2024-03-01Z'::timestamptz, '2026-02-28Z', interval '1 day') day"
        )
        conn.execute("analyze")
        query = "select batch, min_time, committed_at from batch order by batch desc limit 1"
        ((batch, time, committed_at),) = conn.execute(query).fetchall()
        values = {"low": time, "high": time, "batches": [batch], "committed": [committed_at], "recorded": ["S01"]}
        for number in range(3):
            plan = explained(conn, kinds["traffic"], number, values)
            assert not [line for line in plan if "Seq Scan on _hyper" in line]
            assert any("Index" in line and "sensor_time" in line for line in plan)


def explained(conn: psycopg.Connection[Any], kind: Kind, number: int, values: dict[str, Any]) -> Sequence[str]:
    query = sql.SQL("explain {}").format(recompute_statement(kind, number))
    return [row[0] for row in conn.execute(query, values).fetchall()]
