"""From a reading to whoever must act: what is told when, in the stream and at a receiver, in the readings' time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
import pytest

from sensors.kind import load_kinds
from service.alert_stream import connection
from service.bench.jams import JAM_STEPS, STEP, Jams, places
from service.bench.running import Client, key_for_bench, running_vigie
from service.score.stage import recorded_port
from service.scratch import own_environ, scratch_stack
from simulators.publish import Publisher
from store.catalogue import seed
from store.migrate import migrate

PATIENCE_S = 120.0
STEPS = 90
LATEST_FIRST = sorted(places(recorded_port()), key=lambda place: place.first_step, reverse=True)
FIRST = {place.site: place for place in {place.site[0]: place for place in LATEST_FIRST}.values()}
"""Where something stands first in each basin, by site."""
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


@dataclass
class Told:
    """Alerts of alarms by id, as they came to the stream and to the receiver."""

    stream: dict[str, Any] = field(default_factory=dict)
    hook: dict[str, Any] = field(default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, url: str, key: str) -> None:
        async for sent in connection(f"{url}/v1/alerts/stream?type=vigie.alarm.*", key, None):
            self.ready.set()
            if sent.event == "alert":
                self.stream[str(sent.id)] = json.loads(sent.data)

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].split("\r\n")[0])
        event = json.loads(await reader.readexactly(length))
        text = event["data"].get("challenge", "")
        if not text:
            self.hook[event["id"]] = event
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()

    async def until_over(self) -> None:
        """Until both have heard that at each of the sites an alarm is over."""
        async with asyncio.timeout(PATIENCE_S):
            while not over(self.stream) & over(self.hook) >= FIRST.keys():
                await asyncio.sleep(0.05)


def over(alerts: dict[str, Any]) -> set[str]:
    """The sites at which an alarm is over."""
    return {alert["data"]["site"] for alert in alerts.values() if not alert["data"]["active"]}


@asynccontextmanager
async def told_by(url: str, key: str) -> AsyncIterator[Told]:
    """Somebody at the stream, and a receiver that is registered and verified."""
    told = Told()
    async with (
        await asyncio.start_server(told.receive, "127.0.0.1", 0) as hook,
        httpcore.AsyncConnectionPool() as pool,
    ):
        client, port = Client(pool, url, key), hook.sockets[0].getsockname()[1]
        wanted = {"kind": "webhook", "name": "city", "target": f"http://127.0.0.1:{port}/"}
        wanted["choice"] = {"types": ["vigie.alarm.*"]}
        made = json.loads(await client.post("/v1/subscriptions", wanted))
        assert json.loads(await client.post(f"/v1/subscriptions/{made['id']}/verify", {}))["delivered"]
        listening = asyncio.create_task(told.listen(url, key), name="stream")
        await told.ready.wait()
        yield told
        listening.cancel()


def minutes(alert: Any, step: int) -> float:
    """From the readings of a step on, in the time of the readings."""
    return (datetime.fromisoformat(alert["time"]) - START - step * STEP) / timedelta(minutes=1)


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_a_jam_calls_within_two_minutes_and_returns_after_its_end_in_the_stream_and_at_a_receiver(
    program_cache: Path,
) -> None:
    async with scratch_stack("timeline", program_cache, print) as place:
        url = place.endpoints.database_url
        await migrate(url, load_kinds())
        await seed(url, recorded_port())
        key = await key_for_bench(url, "admin")
        environ = own_environ(place.endpoints, webhook_private_networks='["127.0.0.0/8"]')
        jams = Jams(recorded_port(), load_kinds(), seed=1)
        async with (
            running_vigie(place.folder, environ, ["--no-simulators"]) as vigie,
            told_by(vigie.url, key) as told,
            Publisher(place.endpoints.broker_url, "timeline") as publisher,
        ):
            for step in range(STEPS):
                for readings in jams.step(step, START + step * STEP):
                    await publisher.publish_all(readings)
            await told.until_over()
    both = told.stream.keys() & told.hook.keys()
    assert {id_: told.stream[id_] for id_ in both} == {id_: told.hook[id_] for id_ in both}
    for site, place in FIRST.items():
        mine = [told.stream[id_] for id_ in sorted(both, key=int) if told.stream[id_]["data"]["site"] == site]
        raised, returned = mine[0], next(alert for alert in mine if not alert["data"]["active"])
        assert raised["type"] == "vigie.alarm.raised.v1"
        assert 0 <= minutes(raised, place.first_step) <= 2
        assert returned["data"]["state"] == "returned_unacknowledged"
        assert minutes(returned, place.first_step + JAM_STEPS) > 0
