"""Alarms out of the feed: stored with their trail, told to the feed, and continued by whoever comes next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.rows import dict_row

from analytics.alarms.conditions import CONGESTION, Reading
from analytics.alarms.lifecycle import State, rebuild
from analytics.alarms.rulebook import shipped_rules
from analytics.alarms.rules import Rules
from service.alarm_desk import CONDITIONS, run_alarms
from store.alarms.rows import alarm_row, trail_row
from store.catalogue import seed
from store.database import Connection, connected
from store.events import NewEvent, append_events
from store.leadership import Lock, release_lock, wait_for_lock

WAIT_S = 10.0
Feed = Callable[..., Awaitable[list[int]]]
Event = tuple[str, str, dict[str, Any]]


@pytest.fixture
async def feed(migrated_url: str) -> Feed:
    """Append events: type, subject and data of each."""
    await seed(migrated_url)

    async def feed(*events: Event, ago_s: float = 0.0) -> list[int]:
        async with connected(migrated_url, name="test") as conn:
            return await append(conn, *events, ago_s=ago_s)

    return feed


async def append(conn: Connection, *events: Event, ago_s: float = 0.0) -> list[int]:
    time = datetime.now(UTC) - timedelta(seconds=ago_s)
    async with conn.transaction():
        return await append_events(conn, [NewEvent(time, f"vigie.{type_}.v1", *rest) for type_, *rest in events])


@pytest.fixture
def rows(migrated_url: str) -> Callable[..., list[dict[str, Any]]]:
    def ask(query: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(migrated_url, autocommit=True, row_factory=dict_row) as conn:
            return conn.execute(query.encode(), values or None).fetchall()

    return ask


@asynccontextmanager
async def running(
    url: str, rules: Rules | None = None, readings: Sequence[Reading] = CONGESTION
) -> AsyncIterator[None]:
    task = asyncio.create_task(run_alarms(url, rules or shipped_rules(), readings), name="alarms")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def without_delay(off_s: float = 0.0) -> Rules:
    alarms = tuple(msgspec.structs.replace(rule, off_delay_s=off_s) for rule in shipped_rules().alarm)
    return msgspec.structs.replace(shipped_rules(), alarm=alarms)


async def until(condition: Callable[[], Any]) -> Any:
    async with asyncio.timeout(WAIT_S):
        while not (found := condition()):
            await asyncio.sleep(0.01)
        return found


def jam(thing: str = "W12-F1", verb: str = "began", level: str = "jammed") -> Event:
    return f"congestion.{verb}", thing, {"kind": "traffic", "site": thing[:3], "level": level, "evidence": {"v": 11.5}}


async def test_a_jam_becomes_an_alarm_with_its_trail_and_the_feed_is_told(migrated_url: str, feed, rows) -> None:
    async with running(migrated_url, without_delay()):
        await feed(jam())
        (row,) = await until(lambda: rows("select * from alarm"))
        await feed(jam(verb="ended", level="fluid"))
        told = await until(lambda: len(found := rows(_TOLD)) > 1 and found)
    alarm = alarm_row(row)
    assert (alarm.rule, alarm.sites, alarm.life.state) == ("road_congested", ("W12",), State.UNACKNOWLEDGED)
    assert alarm.told.title.fr == "Circulation congestionnée"
    assert alarm.condition.data["evidence"] == {"v": 11.5}
    assert alarm.arithmetic is not None
    assert alarm.arithmetic.words == "3 (jammed) x 1.5 (unknown) x 1.5 (public_road) = 6.75: high, from 6"
    assert [(t["type"], t["subject"], t["data"]["state"]) for t in told] == [
        ("vigie.alarm.raised.v1", "W12-F1", "unacknowledged"),
        ("vigie.alarm.changed.v1", "W12-F1", "returned_unacknowledged"),
    ]
    assert told[0]["data"]["alarm"] == str(alarm.id)


_TOLD = "select type, subject, data from event where type like 'vigie.alarm.%' order by id"


async def test_the_stored_trail_rebuilds_the_stored_state(migrated_url: str, feed, rows) -> None:
    async with running(migrated_url):
        await feed(jam(), jam(verb="changed", level="congested"), ("sensor.faulty", "W12-F1", {"fault": "stuck"}))
        await until(lambda: rows("select from alarm where state = 'suppressed'"))
    for row in rows("select * from alarm"):
        trail = [trail_row(step) for step in rows(_TRAIL, row["id"])]
        assert [step.number for step in trail] == list(range(1, row["steps"] + 1))
        assert rebuild(step.transition for step in trail) == alarm_row(row).life


_TRAIL = "select * from alarm_transition where alarm = %s order by number"


async def test_what_stood_before_the_first_start_calls_and_what_was_over_does_not(
    migrated_url: str, feed, rows
) -> None:
    await feed(jam("W12-F1"), jam("W12-F1", "ended", "fluid"), jam("W12-F2"), ago_s=3600)
    async with running(migrated_url):
        (row,) = await until(lambda: rows("select key, state, raised_at from alarm"))
    assert (row["key"], row["state"]) == ("congestion:W12-F2", "unacknowledged")
    assert datetime.now(UTC) - row["raised_at"] < timedelta(minutes=1)


async def test_another_process_goes_on_where_the_last_was_stopped(migrated_url: str, feed, rows) -> None:
    slow = without_delay(0.5)
    async with running(migrated_url, slow):
        await feed(jam())
        await until(lambda: rows("select from alarm"))
        await feed(jam(verb="ended", level="fluid"))
        await until(lambda: rows("select from condition where over_at is not null"))
    await feed(jam("W15-F1"))
    async with running(migrated_url, slow):
        await until(lambda: len(rows("select from alarm")) > 1)
        (first,) = await until(lambda: rows("select state, active from alarm where subject = 'W12-F1' and not active"))
    assert first["state"] == "returned_unacknowledged"
    assert len(rows("select from alarm_transition")) == 3
    assert rows("select from condition where key = 'congestion:W12-F1'") == []


async def test_a_situation_is_one_alarm_whatever_its_sensors_say(migrated_url: str, feed, rows) -> None:
    data = {"situation": "s1", "kind": "road", "level": "jammed", "sites": ["W12"], "sensors": ["W12-F1", "W12-F2"]}
    task = asyncio.create_task(run_alarms(migrated_url, shipped_rules()), name="alarms")
    await feed(jam("W12-F1"), jam("W12-F2"), ("situation.began", "s1", data))
    await until(lambda: rows("select from alarm"))
    await feed(("situation.changed", "s1", {**data, "state": "part", "parent": "s2"}))
    await until(lambda: rows("select from condition where over_at is not null"))
    task.cancel()
    assert [(row["key"], row["rule"]) for row in rows("select key, rule from alarm")] == [
        ("situation:s1", "road_congested")
    ]
    assert rows("select over_why from condition") == [{"over_why": "part of s2"}]


async def test_what_the_desk_tells_itself_is_behind_its_cursor_at_once(migrated_url: str, feed, rows) -> None:
    async with running(migrated_url):
        await feed(jam())
        await until(lambda: rows(_TOLD))
    (found,) = rows(
        "select event, cursor.xmin = told.xmin as at_once from feed_cursor cursor join event told on id = event"
    )
    assert found == {"event": rows("select max(id) from event")[0]["max"], "at_once": True}


async def test_an_event_that_comes_before_what_the_desk_tells_is_not_passed_over(
    migrated_url: str, feed, rows, until_waiting: Callable[[str], Awaitable[None]]
) -> None:
    async with connected(migrated_url, name="other") as other, running(migrated_url):
        await until(lambda: rows("select from feed_cursor where reader = 'alarms'"))
        await wait_for_lock(other, Lock.EVENT)
        await append(other, jam())
        await until_waiting("vigie alarms")
        await append(other, jam("W12-F2"))
        await release_lock(other, Lock.EVENT)
        await until(lambda: len(rows("select from alarm")) == 2)


@pytest.mark.parametrize(
    ("known", "abnormality"), [((1, -1), "unusual"), ((0, 0), "usual"), ((0, -1), "unknown"), ((), "unknown")]
)
async def test_how_unusual_it_is_comes_from_the_things_it_rests_on(
    migrated_url: str, feed, rows, known: tuple[int, ...], abnormality: str
) -> None:
    things = ("W12-F1", "W12-F2")
    for thing, value in zip(things, known, strict=False):
        rows(_OUTLOOK, thing, value)
    data = {"situation": "s1", "kind": "road", "level": "jammed", "sites": ["W12"], "sensors": list(things)}
    async with running(migrated_url, readings=CONDITIONS):
        await until(lambda: rows("select from feed_cursor"))
        await feed(("situation.began", "s1", data))
        (row,) = await until(lambda: rows("select arithmetic from alarm"))
    assert row["arithmetic"]["abnormality"] == abnormality


_OUTLOOK = """
insert into outlook (sensor, abnormality, minutes, speed, low, high, usual_ahead, updated_at)
values (%s, %s, '{}', '{}', '{}', '{}', '{}', now()) returning sensor"""


async def test_ten_calls_in_ten_minutes_are_a_flood(migrated_url: str, feed, rows) -> None:
    async with running(migrated_url):
        await feed(*(jam(f"W12-F{number}") for number in range(1, 11)))
        (event,) = await until(lambda: rows("select * from event where type = 'vigie.flood.began.v1'"))
    assert event["data"]["alarms_10min"] == 10
    assert rows("select most, ended_at from flood") == [{"most": 10, "ended_at": None}]


async def test_a_recording_is_no_flood(migrated_url: str, feed, rows) -> None:
    rows("update site set clock = 'recording' where id = 'W12' returning id")
    async with running(migrated_url):
        await feed(*(jam(f"W12-F{number}") for number in range(1, 12)))
        await until(lambda: len(rows("select from alarm where recording = 'W12'")) == 11)
    assert rows("select from flood") == []
