"""The feed in the database: what is chosen, how long it holds, how far somebody is."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

from store.database import connected
from store.events import NewEvent, append_events
from store.feed import FeedChoice, feed_after, feed_cursor, feed_newest, latest_event, move_feed_cursor

NOW = datetime.now(UTC)


async def test_the_database_and_the_stream_choose_alike(migrated_url: str) -> None:
    rng = random.Random(7)
    types = ["vigie.alarm.raised.v1", "vigie.alarm.cleared.v1", "vigie.congestion.began.v1", "vigie_alarm.x.v1", "v%"]
    wanted = [None, ["vigie.alarm.*"], ["vigie.alarm.raised.v1", "v%"], ["*"], ["vigie_*"], []]
    sites, levels = [None, ["W07"], ["W12", "W15"], []], [None, ["jammed"], ["jammed", "dense"]]
    events = []
    for _ in range(120):
        data = {"level": rng.choice(["jammed", "dense", None]), "site": rng.choice(["W07", "W12", None])}
        data |= rng.choice([{}, {"sites": rng.sample(["W07", "W12", "W15"], 2)}, {"sites": "W07"}])
        data |= rng.choice([{}, {"priority": rng.choice(["low", "high"])}])
        events.append(NewEvent(NOW, rng.choice(types), rng.choice(["W07-G1", "W12-F1"]), data))
    async with connected(migrated_url, name="test") as conn:
        async with conn.transaction():
            await append_events(conn, events)
        rows = await feed_after(conn, 0, 1000)
        for parts in itertools.product(wanted, [None, ["W07-G1"]], sites, levels, [None, ["high"]]):
            choice = FeedChoice(*parts)
            assert await feed_after(conn, 0, 1000, choice) == [row for row in rows if choice.matches(row)], choice
        assert await feed_newest(conn, 3) == rows[-3:]
        assert await latest_event(conn) == rows[-1].id


async def test_an_alert_holds_from_when_it_was_told_unless_that_was_late(migrated_url: str) -> None:
    old, given = NOW - timedelta(days=1), "2030-01-01T00:00:00Z"
    events = [
        NewEvent(NOW - timedelta(minutes=20), "t", "on time", {}),
        NewEvent(old, "t", "late", {}),
        NewEvent(NOW, "t", "knows better", {"valid_until": given}),
    ]
    async with connected(migrated_url, name="test") as conn:
        async with conn.transaction():
            await append_events(conn, events)
        rows = await feed_after(conn, 0, 10)
    told, late = (datetime.fromisoformat(str(row.data["valid_until"])) for row in rows[:2])
    assert timedelta(minutes=29) < told - datetime.now(UTC) <= timedelta(minutes=30)
    assert late == old + timedelta(minutes=90)
    assert rows[2].data["valid_until"] == given


async def test_a_follower_begins_nowhere_and_goes_on_where_it_was(migrated_url: str) -> None:
    async with connected(migrated_url, name="test") as conn:
        assert await feed_cursor(conn, "mqtt") is None
        for event in (3, 7):
            await move_feed_cursor(conn, "mqtt", event)
        assert await feed_cursor(conn, "mqtt") == 7
