"""The quarantine on the real database: repaired once, bounded, never doubled."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from ingest.columns import Batch, Outcome, Quarantined
from ingest.quarantine import quarantined
from ingest.transport import Frame
from sensors.catalogue import Sensor
from sensors.kind import Kinds
from sensors.payload import Reason, Rejected
from service.reingest import Reingested, reingest
from store.catalogue import register_sensor, seed
from store.database import connected
from store.quarantine import Choice, bound_quarantine, dropped_so_far, find_entries
from store.writer import REPAIR_SLOT, SlotSink

TOPIC = "vigie/1/readings/W01/W01-F9/traffic"
RECEIVED_US = 1_772_438_400_000_000


def message(second: int, topic: str = TOPIC, more: str = "", reason: Reason = Reason.UNKNOWN_SENSOR) -> Quarantined:
    payload = f'{{"time":"2026-03-02T07:59:{second:02d}Z","count":{second}{more}}}'.encode()
    return quarantined(Frame(topic, payload, RECEIVED_US + second), "W01", "W01-F9", Rejected(reason, "not registered"))


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


@pytest.fixture
async def url(migrated_url: str, kinds: Kinds) -> str:
    """Three readings of a sensor that nobody knew, one of them with a plate, and one that is no JSON."""
    await seed(migrated_url)
    messages = [message(1), message(2), message(3, more=',"plate":"AB-123-CD"')]
    broken = Quarantined(TOPIC, b"}", Reason.MALFORMED, "no JSON", RECEIVED_US, "W01", "W01-F9", 1)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        assert await sink.write(Batch(0, (), (*messages, broken), ())) == Outcome(0, 0, 0, 4)
    return migrated_url


async def register(url: str, kinds: Kinds) -> None:
    async with connected(url, name="test") as conn:
        await register_sensor(conn, Sensor(id="W01-F9", site="W01", kind="traffic"), kinds)


async def test_what_is_repaired_is_stored_once_and_stays_as_a_marked_entry(url: str, kinds: Kinds) -> None:
    assert await reingest(url, kinds, Choice()) == Reingested(tried=3, repaired=0, rejected=3, unusable=1)
    await register(url, kinds)
    assert await reingest(url, kinds, Choice()) == Reingested(tried=3, repaired=2, rejected=1, unusable=1)
    before = ask(url, "select * from quarantine order by id"), ask(url, "select * from traffic order by time")
    assert await reingest(url, kinds, Choice()) == Reingested(tried=1, repaired=0, rejected=1, unusable=1)
    assert before == (ask(url, "select * from quarantine order by id"), ask(url, "select * from traffic order by time"))
    assert ask(url, 'select sensor, "count", extract(epoch from received_at)::bigint from traffic order by time') == [
        ("W01-F9", 1.0, RECEIVED_US // 1_000_000),
        ("W01-F9", 2.0, RECEIVED_US // 1_000_000),
    ]
    rows = ask(url, "select reason, repaired_at is not null, times, whole from quarantine order by id")
    assert sorted(rows) == sorted(
        [("unknown_sensor", True, 1, True)] * 2 + [("unknown_sensor", False, 1, False), ("malformed", False, 1, True)]
    )
    assert ask(url, "select slot, kind, rows from batch") == [(REPAIR_SLOT, "traffic", 2)]


async def test_a_mark_that_was_lost_costs_a_duplicate_and_no_reading(url: str, kinds: Kinds) -> None:
    await register(url, kinds)
    await reingest(url, kinds, Choice())
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("update quarantine set repaired_at = null")
    assert (await reingest(url, kinds, Choice())).repaired == 2
    assert ask(url, "select count(*) from traffic") == [(2,)]


async def test_what_still_fails_has_the_reason_of_today(url: str, kinds: Kinds) -> None:
    other = message(5, topic="vigie/1/readings/W02/W01-F9/traffic")
    async with SlotSink.open(url, 0, kinds) as sink:
        await sink.write(Batch(0, (), (other,), ()))
    await register(url, kinds)
    assert (await reingest(url, kinds, Choice(reason="unknown_sensor"))).rejected == 1
    assert ask(url, "select reason, times from quarantine where topic like '%W02%'") == [("identity", 1)]


async def test_a_redelivery_of_a_repaired_message_is_the_same_entry(url: str, kinds: Kinds) -> None:
    await register(url, kinds)
    await reingest(url, kinds, Choice())
    async with SlotSink.open(url, 0, kinds) as sink:
        await sink.write(Batch(0, (), (message(1, reason=Reason.FUTURE),), ()))
    rows = ask(url, "select reason, times, repaired_at is null from quarantine where times > 1")
    assert rows == [("future", 2, True)]


async def test_filters_choose_what_is_tried(url: str, kinds: Kinds) -> None:
    await register(url, kinds)
    assert (await reingest(url, kinds, Choice(site="W02"))).tried == 0
    assert (await reingest(url, kinds, Choice(reason="malformed"))).tried == 1
    (chosen,) = ask(url, "select id from quarantine where whole and reason = 'unknown_sensor' limit 1")
    assert await reingest(url, kinds, Choice(ids=chosen)) == Reingested(tried=1, repaired=1)


async def test_nothing_about_people_reaches_the_table(url: str) -> None:
    assert [
        row
        for row in ask(url, "select quarantine::text, encode(payload, 'escape') from quarantine")
        if "AB-123" in str(row)
    ] == []


async def test_the_oldest_go_first_when_there_is_no_room(url: str, kinds: Kinds) -> None:
    async with SlotSink.open(url, 0, kinds) as sink:
        await sink.write(Batch(0, (), tuple(message(second) for second in range(10, 60)), ()))
    async with connected(url, name="test") as conn:
        assert await bound_quarantine(conn, 1_000_000) is None
        gone = await bound_quarantine(conn, 10_000)
        assert gone is not None
        left = await find_entries(conn, Choice(), before=None, limit=1000)
        assert gone.entries == 54 - len(left)
        assert 10 < len(left) < 40
        assert min(entry.last_received_at for entry in left) > gone.newest
        assert await bound_quarantine(conn, 10_000) is None
        told = await dropped_so_far(conn)
        assert told is not None
        assert told.entries == gone.entries
