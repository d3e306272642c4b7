"""The feed over MQTT, through the real broker: everything, in order, and again from where it stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt
import jsonschema_rs
import pytest

from api.publish import publish_alerts
from sensors.alerts import schema_of
from sensors.broker_url import parse_broker_url
from store.api_queries import DatabaseSource
from store.database import Pool, connected
from store.events import NewEvent, append_events
from store.feed import feed_cursor

WAIT_S = 20.0
FLOOD = {"began": "2026-03-02T07:14:00Z", "alarms_10min": 10, "most_10min": 10}


async def append(url: str, *subjects: str) -> list[int]:
    events = [NewEvent(datetime.now(UTC), "vigie.flood.began.v1", subject, FLOOD) for subject in subjects]
    async with connected(url, name="test") as conn, conn.transaction():
        return await append_events(conn, events)


@asynccontextmanager
async def publishing(url: str, broker_url: str) -> AsyncIterator[None]:
    async with Pool(url, name="publish", size=1) as pool:
        source = DatabaseSource(pool, url)
        work = publish_alerts(url, source, parse_broker_url(broker_url), heartbeat_s=30)
        task = asyncio.create_task(work, name="publish")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def heard(broker_url: str) -> AsyncIterator[asyncio.Queue[tuple[str, Any]]]:
    """What comes on the topics of alerts."""
    parts = urlsplit(broker_url)
    assert parts.hostname is not None
    queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    async with aiomqtt.Client(
        parts.hostname, parts.port or 1883, username=parts.username, password=unquote(parts.password or "")
    ) as client:
        await client.subscribe("vigie/1/alerts/#", qos=1)

        async def listen() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                assert not message.retain
                queue.put_nowait((str(message.topic), json.loads(message.payload)))

        task = asyncio.create_task(listen(), name="listen")
        yield queue
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def first(heard: asyncio.Queue[tuple[str, Any]], wanted: str) -> Any:
    """The next message on a topic."""
    async with asyncio.timeout(WAIT_S):
        while True:
            topic, message = await heard.get()
            if topic == wanted:
                return message


async def test_alerts_are_published_in_order_as_they_are_in_the_feed(
    migrated_url: str, broker_url: str, heard: asyncio.Queue[tuple[str, Any]]
) -> None:
    await append(migrated_url, "before")
    async with publishing(migrated_url, broker_url):
        beat = await first(heard, "vigie/1/alerts/heartbeat")
        ids = await append(migrated_url, *["order-1"] * 50)
        alerts = [await first(heard, "vigie/1/alerts/flood/began/order-1") for _ in ids]
    assert (beat["cursor"], beat["data_age_s"]) == ("1", None)
    assert [alert["id"] for alert in alerts] == [str(number) for number in ids]
    jsonschema_rs.Draft202012Validator(schema_of("vigie.flood.began.v1")).validate(alerts[0])


async def test_what_was_committed_while_nobody_published_is_published_afterwards(
    migrated_url: str, broker_url: str, heard: asyncio.Queue[tuple[str, Any]]
) -> None:
    async with publishing(migrated_url, broker_url):
        await first(heard, "vigie/1/alerts/heartbeat")
        await append(migrated_url, "gap-1")
        await first(heard, "vigie/1/alerts/flood/began/gap-1")
    missed = await append(migrated_url, *["gap-2"] * 3)
    async with publishing(migrated_url, broker_url):
        alerts = [await first(heard, "vigie/1/alerts/flood/began/gap-2") for _ in missed]
    assert [alert["id"] for alert in alerts] == [str(number) for number in missed]
    async with connected(migrated_url, name="test") as conn:
        assert await feed_cursor(conn, "mqtt") == missed[-1]


async def test_a_broker_that_is_away_is_waited_for(migrated_url: str) -> None:
    """Leaving the block raises what the publisher would have ended with."""
    async with publishing(migrated_url, "mqtt://nobody:nothing@127.0.0.1:1"):
        async with asyncio.timeout(WAIT_S), connected(migrated_url, name="test") as conn:
            while await feed_cursor(conn, "mqtt") is None:
                await asyncio.sleep(0.01)
        await append(migrated_url, "away")
    async with connected(migrated_url, name="test") as conn:
        assert await feed_cursor(conn, "mqtt") == 0
