"""The publisher against the real broker: what is acknowledged was kept, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import aiomqtt
import pytest

from sensors.broker_url import parse_broker_url
from simulators.publish import Publisher, PublishError

SECONDS = 15.0
_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A name of its own for each test, so that tests share one broker."""
    return f"sim-{os.getpid()}-{next(_numbers)}"


@asynccontextmanager
async def subscribed(url: str, topic: str) -> AsyncIterator[aiomqtt.Client]:
    broker = parse_broker_url(url)
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.user,
        password=broker.password,
        identifier=f"{topic.split('/', maxsplit=1)[0]}-listener",
        protocol=aiomqtt.ProtocolVersion.V5,
    )
    async with client:
        await client.subscribe(topic, qos=1)
        yield client


async def received(client: aiomqtt.Client, count: int) -> list[bytes]:
    messages: list[bytes] = []
    async with asyncio.timeout(SECONDS):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            messages.append(message.payload)
            if len(messages) == count:
                break
    return messages


class Relay:
    """A way to the broker that a test can cut."""

    def __init__(self, url: str) -> None:
        self._broker = parse_broker_url(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"mqtt://{self._broker.user}:{self._broker.password}@127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection(self._broker.host, self._broker.port)
        self._writers |= {writer, back}
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_everything_arrives_in_order(broker_url: str, name: str) -> None:
    payloads = [f"{number}".encode() for number in range(3000)]
    seen: list[int] = []
    async with subscribed(broker_url, f"{name}/#") as client, Publisher(broker_url, name) as publisher:
        count = await publisher.publish_all(((f"{name}/a", payload) for payload in payloads), progress=seen.append)
        assert count == publisher.accepted == 3000
        assert publisher.owed == 0
        assert await received(client, 3000) == payloads
    assert seen[-1] == 3000
    assert seen == sorted(seen)


async def test_an_async_source_is_published_too(broker_url: str, name: str) -> None:
    async def source() -> AsyncIterator[tuple[str, bytes]]:
        for number in range(5):
            await asyncio.sleep(0)
            yield f"{name}/a", b"%d" % number

    async with subscribed(broker_url, f"{name}/#") as client, Publisher(broker_url, name) as publisher:
        assert await publisher.publish_all(source()) == 5
        assert await received(client, 5) == [b"0", b"1", b"2", b"3", b"4"]


async def test_what_nobody_would_keep_waits_for_a_subscriber(broker_url: str, name: str) -> None:
    payloads = [b"%d" % number for number in range(50)]
    async with Publisher(broker_url, name) as publisher, asyncio.TaskGroup() as group:
        publishing = group.create_task(publisher.publish_all((f"{name}/a", payload) for payload in payloads))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.shield(publishing)
        assert publisher.accepted == 0
        async with subscribed(broker_url, f"{name}/#") as client:
            assert await received(client, 50) == payloads
            assert await publishing == 50


async def test_a_lost_connection_repeats_what_was_not_accepted(broker_url: str, name: str) -> None:
    payloads = [b"%d" % number for number in range(4000)]
    async with subscribed(broker_url, f"{name}/#") as client, Relay(broker_url) as relay:

        def cut_twice(accepted: int) -> None:
            if accepted and relay.connections < 3:
                relay.cut()

        async with Publisher(relay.url, name, window=200) as publisher:
            await publisher.publish_all(((f"{name}/a", payload) for payload in payloads), progress=cut_twice)
            assert publisher.accepted == 4000
        assert relay.connections >= 3
        await received_all(client, set(payloads))


async def received_all(client: aiomqtt.Client, expected: set[bytes]) -> None:
    """Repetitions are allowed, gaps are not; a first sight is never out of order."""
    seen: dict[bytes, None] = {}
    async with asyncio.timeout(SECONDS):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            seen.setdefault(message.payload)
            if len(seen) == len(expected):
                break
    assert list(seen) == sorted(expected, key=int)


async def test_a_rate_is_kept(broker_url: str, name: str) -> None:
    async with subscribed(broker_url, f"{name}/#"), Publisher(broker_url, name) as publisher:
        started = time.monotonic()
        await publisher.publish_all(((f"{name}/a", b"x") for _ in range(50)), rate=100)
        assert time.monotonic() - started >= 0.45


async def test_wrong_credentials_are_refused_without_repeating_the_password(broker_url: str, name: str) -> None:
    broker = parse_broker_url(broker_url)
    wrong = f"mqtt://nobody:secret-word@{broker.host}:{broker.port}"
    with pytest.raises(PublishError, match="refuses the connection") as caught:
        async with Publisher(wrong, name):
            raise AssertionError("connected")
    assert "secret-word" not in str(caught.value)


async def test_a_broker_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(PublishError, match=r"no broker at 127\.0\.0\.1:1: .*refused"):
        async with Publisher("mqtt://127.0.0.1:1", name, patience_s=0.3):
            raise AssertionError("connected")


async def test_a_topic_that_the_broker_refuses_ends_the_publisher(broker_url: str, name: str) -> None:
    async with Publisher(broker_url, name) as publisher:
        with pytest.raises(PublishError, match=r"\$SYS/vigie"):
            async with asyncio.timeout(SECONDS):
                await publisher.publish_all([("$SYS/vigie", b"x")])


async def test_a_message_that_the_broker_would_not_take_is_left_out_and_the_others_arrive(
    broker_url: str, name: str
) -> None:
    large = b"x" * (1 << 20)
    async with subscribed(broker_url, f"{name}/#") as client, Publisher(broker_url, name) as publisher:
        assert await publisher.publish_all((f"{name}/a", payload) for payload in (b"1", large, large, b"2")) == 4
        assert await received(client, 2) == [b"1", b"2"]
        assert (publisher.published, publisher.accepted, publisher.too_large, publisher.owed) == (2, 2, 2, 0)


async def test_the_largest_message_that_fits_is_taken(broker_url: str, name: str) -> None:
    largest = b"x" * ((1 << 20) - len(f"{name}/a") - 12)
    async with subscribed(broker_url, f"{name}/#") as client, Publisher(broker_url, name) as publisher:
        await publisher.publish_all([(f"{name}/a", largest)])
        assert [len(payload) for payload in await received(client, 1)] == [len(largest)]


async def test_cancelling_ends_at_once(broker_url: str, name: str) -> None:
    async with Publisher(broker_url, name) as publisher:
        task = asyncio.create_task(publisher.publish_all([(f"{name}/nobody", b"x")]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert publisher.owed <= 1
