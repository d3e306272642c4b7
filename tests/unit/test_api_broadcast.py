"""What a slow or a late client gets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.board import Viewer
from api.broadcast import End, Feed, Subscription, Told
from api.frames import COMMENT
from store.api_rows import EventRow


@pytest.fixture
def row() -> None:
    return lambda number: Told(b"", EventRow(number, None, "t", "s", {}))


async def test_a_slow_client_loses_its_backlog_and_is_told(row: Any) -> None:
    subscription = Subscription(backlog=2)
    for number in (1, 2, 3, 4):
        subscription.offer(row(number))
    assert [event async for event in subscription] == []
    assert subscription.end is End.BEHIND


async def test_other_clients_are_not_affected_by_a_slow_one(source: Any, row: Any) -> None:
    feed = Feed(source, backlog=2, poll_s=1, heartbeat_s=30)
    with feed.subscribe() as slow, feed.subscribe() as quick:
        seen = []
        for number in (1, 2, 3):
            feed._offer(row(number))
            seen.append((await anext(aiter(quick))).row.id)
        assert seen == [1, 2, 3]
        assert (slow.end, feed.dropped, feed.streams) == (End.BEHIND, 1, 2)


async def test_a_stream_without_events_hears_that_its_line_is_open(source: Any, row: Any) -> None:
    feed = Feed(source, backlog=2, poll_s=1, heartbeat_s=30, kept_open_s=0.001)
    with feed.subscribe() as idle, feed.subscribe() as busy:
        busy.offer(row(1))
        keeping = asyncio.create_task(feed.keep_open())
        assert (await anext(aiter(idle))).frame == COMMENT
        assert (await anext(aiter(busy))).row.id == 1
        keeping.cancel()


async def test_a_closed_feed_ends_old_and_new_subscriptions(source: Any) -> None:
    feed = Feed(source, backlog=2, poll_s=1, heartbeat_s=30)
    with feed.subscribe() as before:
        feed.close()
        with feed.subscribe() as after:
            assert [event async for event in before] == [event async for event in after] == []
    await feed.positioned()


async def test_a_slow_viewer_gets_the_latest_state_of_each_sensor() -> None:
    viewer = Viewer()
    viewer.offer({"A": "1", "B": "1"})
    viewer.offer({"A": "2"})
    assert await anext(aiter(viewer)) == ["2", "1"]
    viewer.close()
    assert [states async for states in viewer] == []
