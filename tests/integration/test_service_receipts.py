"""Receipts through the real chain: a broker of its own that gets killed, ingest as it ships, a real TimescaleDB."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import psycopg
import pytest

from deploy.embedded.child import Child
from deploy.embedded.stack import EmbeddedStack
from sensors.broker_url import parse_broker_url
from sensors.kind import load_kinds
from service.endpoints import Endpoints
from service.ingestor import Ingest
from service.parts import keep_all_running
from service.settings import Settings
from simulators.publish import Publisher
from store.catalogue import seed
from store.migrate import migrate

SECONDS = 60.0
THINGS = ("W01-F1", "W02-F1")
BOOT = 1_772_438_400
KINDS = load_kinds()


class Place:
    """A broker that may be killed, a database, and ingest between them."""

    def __init__(self, child: Child, endpoints: Endpoints) -> None:
        self.child = child
        self.endpoints = endpoints

    @contextlib.asynccontextmanager
    async def ingest(self, every_s: float = 0.2) -> AsyncIterator[None]:
        parts = Ingest(Settings(ingest_receipt_s=every_s), self.endpoints, KINDS).parts()
        task = asyncio.create_task(keep_all_running(parts))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def publisher(self, **more: Any) -> Publisher:
        return Publisher(self.endpoints.broker_url, "sender", receipts=True, repeat_after_s=1.0, **more)

    async def kill_broker(self) -> None:
        self.child.kill()
        await self.child.wait()
        await self.child.restart()

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.endpoints.database_url, autocommit=True) as conn:
            return conn.execute(query.encode()).fetchall()

    async def until(self, query: str, expected: list[tuple[Any, ...]]) -> None:
        async with asyncio.timeout(SECONDS):
            while (found := self.ask(query)) != expected:
                await asyncio.sleep(0.05)
        assert found == expected

    async def receipt(self, thing: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        broker = parse_broker_url(self.endpoints.broker_url)
        client = aiomqtt.Client(broker.host, broker.port, username=broker.user, password=broker.password)
        async with client, asyncio.timeout(SECONDS):
            await client.subscribe(f"vigie/1/receipts/{thing[:3]}/{thing}")
            async for message in client.messages:
                found = json.loads(message.payload)
                if wanted(found):
                    return {**found, "retained": message.retain}
        raise AssertionError


@pytest.fixture
async def place(database_url: str, program_cache: Path) -> AsyncIterator[Place]:
    await migrate(database_url, KINDS)
    await seed(database_url)
    folder = Path(tempfile.mkdtemp(prefix="vigie-test-"))
    folder.chmod(0o755)  # noqa: ASYNC240  the account that root hands the broker to must pass through
    try:
        async with EmbeddedStack(folder, say=print, cache=program_cache, database=False) as stack:
            yield Place(stack.children[0], Endpoints(database_url, stack.urls.broker_url))
    finally:
        shutil.rmtree(folder)


def reading(number: int, *, thing: str = THINGS[0], boot: int = BOOT) -> tuple[str, bytes]:
    at = datetime.fromtimestamp(boot + number / 100, UTC).isoformat()
    payload = {"time": at, "boot": boot, "seq": number, "speed_kmh": 80.0 + number % 7}
    return f"vigie/1/readings/{thing[:3]}/{thing}/traffic", json.dumps(payload).encode()


def readings(count: int) -> Iterator[tuple[str, bytes]]:
    return (reading(number, thing=thing) for number, thing in itertools.product(range(count), THINGS))


async def test_a_receipt_follows_the_commit_is_retained_and_names_gap_and_boot(place: Place) -> None:
    async with place.ingest(), place.publisher() as sender:
        for number in (0, 1, 2, 5):
            await sender.publish(*reading(number))
        told = await place.receipt(THINGS[0], lambda found: found["through"] == 5)
        assert (told["boot"], told["seq"], told["gaps"], told["quarantined"]) == (BOOT, 2, [[3, 4]], [])
        assert datetime.fromisoformat(told["at"]) <= datetime.now(UTC)
        assert place.ask("select count(*) from traffic") == [(4,)]
        await sender.publish(*reading(4))
        await sender.publish(reading(3)[0], b'{"boot": %d, "seq": 3, "time": "noon", "speed_kmh": 1}' % BOOT)
        await sender.publish(*reading(0, boot=BOOT + 500))
        await asyncio.wait_for(sender.drain(), SECONDS)
    late = await place.receipt(THINGS[0], lambda found: found["boot"] == BOOT + 500)
    assert late["retained"]
    (earlier,) = late["earlier"]
    assert (late["seq"], earlier["seq"], earlier["gaps"], earlier["quarantined"]) == (0, 5, [], [3])


async def test_nothing_is_told_while_the_commit_hangs(place: Place) -> None:
    async with place.ingest(), place.publisher() as sender:
        await sender.publish(*reading(0))
        await asyncio.wait_for(sender.drain(), SECONDS)
        with psycopg.connect(place.endpoints.database_url) as blocker:
            blocker.execute("lock table account in exclusive mode")
            await sender.publish(*reading(1))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sender.drain(), 2.0)
            assert sender.kept == 1
        await asyncio.wait_for(sender.drain(), SECONDS)


async def test_an_orderly_stop_tells_what_is_not_told_yet(place: Place) -> None:
    async with place.publisher() as sender:
        async with place.ingest(every_s=3600):
            await sender.publish(*reading(0))
            await asyncio.wait_for(sender.drain(), SECONDS)
            await sender.publish(*reading(1))
            await place.until("select count(*) from traffic", [(2,)])
            assert sender.kept == 1
        await asyncio.wait_for(sender.drain(), SECONDS)


async def test_a_sender_that_honours_receipts_loses_nothing_to_a_killed_broker(place: Place) -> None:
    count = 3_000
    async with place.ingest(), place.publisher() as sender:
        publishing = asyncio.create_task(sender.publish_all(readings(count), rate=1_500))
        for _ in range(3):
            await asyncio.sleep(0.8)
            await place.kill_broker()
        await asyncio.wait_for(publishing, SECONDS)
    stored = "select sensor, count(*), min(seq), max(seq), count(distinct seq) from traffic group by 1 order by 1"
    assert place.ask(stored) == [(thing, count, 0, count - 1, count) for thing in THINGS]
    assert place.ask("select count(*) from sequence_gap") == [(0,)]


async def test_a_broker_killed_with_a_backlog_while_nobody_reads_loses_nothing(place: Place) -> None:
    async with place.ingest(), place.publisher() as sender:
        await sender.publish(*reading(0))
        await asyncio.wait_for(sender.drain(), SECONDS)
    async with place.publisher() as sender:
        for number in range(1, 2_000):
            await sender.publish(*reading(number))
        async with asyncio.timeout(SECONDS):
            while sender.owed:
                await asyncio.sleep(0.01)
        await place.kill_broker()
        async with place.ingest():
            await asyncio.wait_for(sender.drain(), SECONDS)
    assert place.ask("select count(*), count(distinct seq) from traffic") == [(2_000, 2_000)]


async def test_the_next_holder_of_a_slot_names_no_false_gap(place: Place) -> None:
    async with place.publisher() as sender:
        async with place.ingest():
            publishing = asyncio.create_task(sender.publish_all(readings(2_000), rate=2_000))
            await place.until("select count(*) > 500 from traffic", [(True,)])
        async with place.ingest():
            await asyncio.wait_for(publishing, SECONDS)
            assert sender.repeated == 0
    assert place.ask("select count(*) from sequence_gap") == [(0,)]
    assert place.ask("select count(*) from traffic") == [(4_000,)]


async def test_the_sender_of_the_docs_loses_nothing_to_a_killed_broker(place: Place, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "receipts.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (sender := tmp_path / "sender.py").write_text(code)
    broker = parse_broker_url(place.endpoints.broker_url)
    arguments = (broker.host, broker.port, broker.user, broker.password, "W01", THINGS[0], 2_000)
    async with place.ingest():
        process = await asyncio.create_subprocess_exec(sys.executable, sender, *map(str, arguments))
        await place.until("select count(*) > 300 from traffic", [(True,)])
        await place.kill_broker()
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0
    assert place.ask("select count(*), min(seq), max(seq) from traffic") == [(2_000, 0, 1_999)]
    assert place.ask("select count(*) from sequence_gap") == [(0,)]
