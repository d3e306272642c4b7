from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psycopg
import pytest

from ingest.columns import (
    Batch,
    Columns,
    DeviceHealth,
    Outcome,
    Quarantined,
    SinkRefused,
    SinkUnavailable,
    SlotLost,
)
from sensors.kind import Kinds, load_kinds
from sensors.payload import Reason
from store.catalogue import seed
from store.migrate import migrate
from store.writer import LOCK_TIMEOUT_S, SlotSink

START_US = 1_772_438_400_000_000
WAIT_S = 10.0

MakeBatch = Callable[..., Batch]
UntilWaiting = Callable[[str], Awaitable[None]]


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


def account(url: str, site: str) -> tuple[int, ...]:
    return ask(url, f"select committed, duplicates, conflicts, quarantined from account where site = '{site}'")[0]  # noqa: S608


def broken(topic: str, payload: bytes, received_us: int, site: str | None = "W01") -> Quarantined:
    return Quarantined(topic, payload, Reason.MALFORMED, "not JSON", received_us, site, "W01-F1", len(payload))


async def test_a_batch_is_stored_and_counted(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    async with SlotSink.open(migrated_url, 3, kinds) as sink:
        outcome = await sink.write(make_batch(range(5), slot=3))
    assert outcome == Outcome(5, 0, 0, 0)
    assert ask(migrated_url, "select count(*), min(speed_kmh), min(boot), min(seq) from traffic") == [
        (5, None, None, None)
    ]
    assert ask(migrated_url, "select slot, kind, rows, max_time - min_time = '4 s' from batch") == [
        (3, "traffic", 5, True)
    ]


async def test_a_missing_number_is_null_and_never_nan(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(make_batch([0, 1], value=[np.nan, 3.0]))
    assert ask(migrated_url, 'select "count" from traffic order by time') == [(None,), (3.0,)]


async def test_a_redelivery_is_counted_and_not_stored_again(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    await seed(migrated_url)
    batch = make_batch(range(100), seq=7)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(batch)
        assert await sink.write(batch) == Outcome(0, 100, 0, 0)
    assert ask(migrated_url, "select count(*), count(distinct batch) from traffic") == [(100, 1)]
    assert account(migrated_url, "W01") == (100, 100, 0, 0)


async def test_new_readings_beside_a_redelivery_are_stored(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(make_batch(range(10)))
        assert await sink.write(make_batch(range(5, 15))) == Outcome(5, 5, 0, 0)
    rows = ask(migrated_url, "select rows, min_time from batch order by batch")
    assert [row[0] for row in rows] == [10, 5]
    assert (rows[1][1] - rows[0][1]).total_seconds() == 10


async def test_a_conflict_is_kept_apart_once(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(make_batch([0], value=50.0))
        for _ in range(2):
            assert await sink.write(make_batch([0], value=51.5)) == Outcome(0, 0, 1, 0)
    assert ask(migrated_url, 'select "count" from traffic') == [(50.0,)]
    assert ask(migrated_url, "select kind, sensor, reading->'count' from conflict") == [("traffic", "W01-F1", 51.5)]


async def test_a_value_where_null_was_stored_is_a_conflict(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(make_batch([0], value=np.nan))
        assert await sink.write(make_batch([0], value=1.0)) == Outcome(0, 0, 1, 0)


async def test_duplicates_and_conflicts_inside_one_batch_are_told_apart(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        outcome = await sink.write(make_batch([0, 1, 0, 0, 2, 1], value=[10, 11, 10, 99, 12, 11]))
    assert outcome == Outcome(3, 2, 1, 0)
    assert ask(migrated_url, 'select "count" from traffic order by time') == [(10.0,), (11.0,), (12.0,)]


async def test_two_lanes_may_let_a_lorry_through_at_once(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    texts: tuple[list[str | None], ...] = (["in", "in", "out"], ["MSCU1234566", None, None], [None, "v-1", None])
    batch = make_batch([0, 0, 0], kind=kinds["passage"], value=[1, 2, 1], texts=texts)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        assert await sink.write(batch) == Outcome(3, 0, 0, 0)
        assert await sink.write(batch) == Outcome(0, 3, 0, 0)
        changed = replace(batch.columns[0], texts=(texts[0], [None, None, None], texts[2]))
        assert await sink.write(replace(batch, columns=(changed,))) == Outcome(0, 2, 1, 0)
    rows = ask(migrated_url, "select lane, direction, container, visit from passage order by lane, direction")
    assert rows == [(1.0, "in", "MSCU1234566", None), (1.0, "out", None, None), (2.0, "in", None, "v-1")]


async def test_the_same_broken_message_is_one_entry_of_the_quarantine(migrated_url: str, kinds: Kinds) -> None:
    await seed(migrated_url)
    first, again = (broken("vigie/1/readings/W01/W01-F1/traffic", b"{\x00\xff", us) for us in (START_US, START_US + 1))
    other = broken("vigie/1/readings/W01/W01-F1/traffic", b"}", START_US)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        assert await sink.write(Batch(0, (), (first, again, other), ())) == Outcome(0, 0, 0, 3)
        await sink.write(Batch(0, (), (first,), ()))
    rows = ask(
        migrated_url, "select payload, times, reason, last_received_at - received_at from quarantine order by payload"
    )
    assert [(bytes(row[0]), row[1], row[2]) for row in rows] == [(b"{\x00\xff", 3, "malformed"), (b"}", 1, "malformed")]
    assert rows[0][3].microseconds == 1
    assert account(migrated_url, "W01") == (0, 0, 0, 4)
    assert ask(migrated_url, "select count(*) from batch") == [(0,)]


async def test_a_topic_that_no_text_can_hold_is_kept_all_the_same(migrated_url: str, kinds: Kinds) -> None:
    message = replace(broken("a\0b", b"", START_US), detail="half a pair \ud800", site="nowhere")
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(Batch(0, (), (message,), ()))
    assert ask(migrated_url, "select topic, detail from quarantine") == [
        ("a\N{REPLACEMENT CHARACTER}b", "half a pair ?")
    ]
    assert account(migrated_url, "") == (0, 0, 0, 1)


async def test_what_a_device_says_of_itself_is_stored_once(migrated_url: str, kinds: Kinds) -> None:
    health = DeviceHealth("W01-F1", "W01", START_US, 3.6, None, "1.2.3")
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        for _ in range(2):
            await sink.write(Batch(0, (), (), (health,)))
    assert ask(
        migrated_url, "select sensor, round(battery_v::numeric, 1)::text, rssi_dbm, firmware from device_health"
    ) == [("W01-F1", "3.6", None, "1.2.3")]


async def test_two_slots_that_store_the_same_readings_store_them_once(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as one, SlotSink.open(migrated_url, 1, kinds) as two:
        done = await asyncio.gather(
            *(sink.write(make_batch(range(n, n + 50), slot=slot)) for slot, sink in enumerate((one, two)) for n in (0,))
        )
    assert sorted(outcome.committed for outcome in done) == [0, 50]
    assert sorted(outcome.duplicates for outcome in done) == [0, 50]
    assert ask(migrated_url, "select count(*) from traffic") == [(50,)]


async def test_a_slot_is_handed_on_when_its_holder_ends(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch, until_waiting: UntilWaiting
) -> None:
    async def next_in_line() -> Outcome:
        async with SlotSink.open(migrated_url, 0, kinds) as sink:
            return await sink.write(make_batch([1]))

    async with SlotSink.open(migrated_url, 0, kinds) as holder:
        waiting = asyncio.create_task(next_in_line())
        await until_waiting("vigie ingest 0")
        await holder.write(make_batch([0]))
        assert not waiting.done()
    assert await asyncio.wait_for(waiting, WAIT_S) == Outcome(1, 0, 0, 0)


async def test_a_sink_connects_again_after_its_connection_broke(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        terminate(migrated_url)
        with pytest.raises(SinkUnavailable):
            await sink.write(make_batch([0]))
        assert await sink.write(make_batch([0])) == Outcome(1, 0, 0, 0)


async def test_a_sink_that_lost_its_slot_to_another_stores_nothing(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as lost:
        terminate(migrated_url)
        async with SlotSink.open(migrated_url, 0, kinds):
            with pytest.raises(SinkUnavailable):
                await lost.write(make_batch([0]))
            with pytest.raises(SlotLost, match="taken over"):
                await lost.write(make_batch([0]))
    assert ask(migrated_url, "select count(*) from traffic") == [(0,)]


async def test_a_cancelled_batch_leaves_nothing_and_can_be_written_again(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch, until_waiting: UntilWaiting
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        with psycopg.connect(migrated_url) as blocker:
            blocker.execute("lock table account in exclusive mode")
            writing = asyncio.create_task(sink.write(make_batch(range(10))))
            await until_waiting("vigie ingest 0")
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
        assert ask(migrated_url, "select count(*) from traffic") == [(0,)]
        assert await sink.write(make_batch(range(10))) == Outcome(10, 0, 0, 0)


async def test_a_table_that_is_not_there_yet_is_waited_for(migrated_url: str, make_batch: MakeBatch) -> None:
    unmigrated = load_kinds()
    async with SlotSink.open(migrated_url, 0, unmigrated) as sink:
        with pytest.raises(SinkUnavailable, match="42P01"):
            await sink.write(make_batch([0], kind=unmigrated["gate"]))
        await migrate(migrated_url, unmigrated)
        assert await sink.write(make_batch([0], kind=unmigrated["gate"])) == Outcome(1, 0, 0, 0)


@pytest.mark.parametrize(
    ("sqlstate", "failure"),
    [
        ("53100", SinkUnavailable),  # the disk is full
        ("53200", SinkUnavailable),
        ("40P01", SinkUnavailable),
        ("57014", SinkUnavailable),
        ("58030", SinkUnavailable),
        ("42501", SinkUnavailable),
        ("22003", SinkRefused),
        ("23514", SinkRefused),
        ("54000", SinkRefused),
        ("XX000", SinkRefused),
        ("P0001", SinkRefused),
    ],
)
async def test_a_failure_is_waited_for_or_refused_by_its_sqlstate_and_leaves_nothing(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch, sqlstate: str, failure: type[Exception]
) -> None:
    fail_inserts(migrated_url, sqlstate)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        with pytest.raises(failure, match=sqlstate):
            await sink.write(make_batch(range(5)))
        run(migrated_url, "drop trigger fail on traffic")
        assert await sink.write(make_batch(range(5))) == Outcome(5, 0, 0, 0)


async def test_a_database_that_only_reads_is_waited_for(migrated_url: str, kinds: Kinds, make_batch: MakeBatch) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        read_only(migrated_url, "on")
        with pytest.raises(SinkUnavailable, match="57P01"):
            await sink.write(make_batch([0]))
        with pytest.raises(SinkUnavailable, match="25006"):
            await sink.write(make_batch([0]))
        read_only(migrated_url, "off")
        with pytest.raises(SinkUnavailable):
            await sink.write(make_batch([0]))
        assert await sink.write(make_batch([0])) == Outcome(1, 0, 0, 0)


async def test_a_locked_table_does_not_hold_a_slot_for_ever(
    migrated_url: str, kinds: Kinds, make_batch: MakeBatch
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        with psycopg.connect(migrated_url) as blocker:
            blocker.execute("lock table traffic in access exclusive mode")
            with pytest.raises(SinkUnavailable, match="55P03"):
                await asyncio.wait_for(sink.write(make_batch([0])), LOCK_TIMEOUT_S + WAIT_S)
        assert await sink.write(make_batch([0])) == Outcome(1, 0, 0, 0)


async def test_a_batch_is_stored_whole_or_not_at_all(
    migrated_url: str, kinds: Kinds, make_columns: Callable[..., Columns]
) -> None:
    good, bad = make_columns([0]), make_columns([0], kind=kinds["passage"], texts=(["in"], ["a\0b"], [None]))
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        with pytest.raises(SinkRefused):
            await sink.write(Batch(0, (good, bad), (), ()))
        assert ask(migrated_url, "select count(*) from traffic") == [(0,)]
        assert await sink.write(Batch(0, (good,), (), ())) == Outcome(1, 0, 0, 0)


def fail_inserts(url: str, sqlstate: str) -> None:
    """Have every insert into the traffic table fail; chunks inherit the trigger."""
    body = f"begin raise exception 'as told' using errcode = '{sqlstate}'; end"
    run(url, f"create function fail() returns trigger language plpgsql as $$ {body} $$")
    run(url, "create trigger fail before insert on traffic for each row execute function fail()")


def read_only(url: str, value: str) -> None:
    run(url, f"alter database {urlsplit(url).path[1:]} set default_transaction_read_only = {value}")
    terminate(url)


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=off") as conn:
        conn.execute(statement.encode())


def terminate(url: str) -> None:
    ask(url, "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'vigie ingest 0'")
