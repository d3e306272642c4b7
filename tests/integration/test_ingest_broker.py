"""Ingest against the real broker: persistent sessions, redelivery, takeover, the window, the end-to-end count."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from urllib.parse import urlsplit, urlunsplit

import aiomqtt
import pytest

from ingest.columns import Batch, Outcome
from ingest.directory import CatalogueDirectory
from ingest.mqtt5_transport import Mqtt5Transport
from ingest.paho_transport import PahoTransport, Version
from ingest.persistent import PersistentTransport, Subscribed
from ingest.slot import Clocks, IngestSlot, SlotSettings
from ingest.transport import BrokerRefused, Frame, Subscription, TakenOver
from sensors.broker_url import parse_broker_url
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.topics import reading_topic, site_filter

KINDS = load_kinds()
SECONDS = 20.0
_site_numbers = itertools.count(1)


def wall_us() -> int:
    return time.time_ns() // 1_000


@dataclass
class Place:
    """A site of its own for each test, so that tests share one broker."""

    url: str
    make: Callable[..., PersistentTransport] = Mqtt5Transport
    site: str = field(default_factory=lambda: f"T{next(_site_numbers)}-{time.time_ns()}")

    @property
    def topic(self) -> str:
        return reading_topic(self.site, "S1", "traffic")

    def transport(
        self, *, window: int = 1_000, dropped: tuple[str, ...] = (), subscribed: Subscribed | None = None
    ) -> PersistentTransport:
        subscription = Subscription(
            client_id=f"test-{self.site}", filters=(site_filter(self.site),), dropped=dropped, window=window
        )
        address = parse_broker_url(self.url)
        return self.make(address, subscription, clock_us=wall_us, rng=Random(1), subscribed=subscribed)

    def slot(self, sink: ListSink, *, flush_s: float = 5.0) -> IngestSlot:
        catalogue = Catalogue(
            sites=(Site(id=self.site, name="Test", basin="test"),),
            sensors=(Sensor(id="S1", site=self.site, kind="traffic"),),
        )

        async def load() -> Catalogue:
            return catalogue

        return IngestSlot(
            0,
            self.transport(),
            sink,
            kinds=KINDS,
            directory=CatalogueDirectory(KINDS, catalogue, load),
            clocks=Clocks(wall_us, time.monotonic),
            rng=Random(1),
            settings=SlotSettings(flush_s=flush_s),
        )

    async def publish(self, payloads: Iterable[bytes], *, retain: bool = False) -> None:
        """Publish at QoS 1 with an independent client; returns when the broker has accepted all."""
        address = parse_broker_url(self.url)
        async with aiomqtt.Client(
            address.host,
            address.port,
            username=address.user,
            password=address.password,
            protocol=aiomqtt.ProtocolVersion.V5,
        ) as client:
            for payload in payloads:
                await client.publish(self.topic, payload, qos=1, retain=retain)

    async def publish_when_connected(self, transport: PersistentTransport, to: Place) -> None:
        """Publish one reading to a place once the transport is subscribed."""
        async with asyncio.timeout(SECONDS):
            while not transport.connected:
                await asyncio.sleep(0.01)
        await to.publish([reading(1)])

    async def open_session(self) -> None:
        """Make the session exist, as a first run of ingest does."""
        there = asyncio.Event()
        async with self.transport(subscribed=lambda _: there.set()) as transport:
            waiting = asyncio.create_task(transport.frames(1))
            await asyncio.wait_for(there.wait(), SECONDS)
            waiting.cancel()


@dataclass
class ListSink:
    """Keeps what it is given; `gate` holds back the commit."""

    expected: int
    gate: asyncio.Event | None = None
    counts: list[float] = field(default_factory=list)
    quarantined: int = 0
    writing: asyncio.Event = field(default_factory=asyncio.Event)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, batch: Batch) -> Outcome:
        self.writing.set()
        if self.gate is not None:
            await self.gate.wait()
        before = len(self.counts)
        for columns in batch.columns:
            self.counts += columns.values[:, columns.kind.field_names.index("count")].tolist()
        self.quarantined += len(batch.quarantined)
        if len(self.counts) + self.quarantined >= self.expected:
            self.complete.set()
        return Outcome(len(self.counts) - before, 0, 0, len(batch.quarantined))


TRANSPORTS = {
    "mqtt5": Mqtt5Transport,
    "paho": PahoTransport,
    "paho-3.1.1": partial(PahoTransport, version=Version.V311),
}
ONLY_MQTT_5 = pytest.mark.parametrize("place", ["mqtt5", "paho"], indirect=True)
"""MQTT 3.1.1 has no Receive Maximum and does not tell of a takeover."""


@pytest.fixture(params=TRANSPORTS)
def place(broker_url: str, request: pytest.FixtureRequest) -> Place:
    return Place(broker_url, TRANSPORTS[request.param])


def reading(number: int) -> bytes:
    return b'{"time":"2026-03-01T11:00:00.%06dZ","count":%d}' % (number, number)


async def take(transport: PersistentTransport, count: int) -> list[Frame]:
    frames: list[Frame] = []
    async with asyncio.timeout(SECONDS):
        while len(frames) < count:
            frames += await transport.frames(count)
    return frames


async def run_until_complete(slot: IngestSlot, sink: ListSink) -> None:
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(slot.run(), name="slot")
        await sink.complete.wait()
        running.cancel()


async def test_the_session_holds_messages_while_we_are_away(place: Place) -> None:
    await place.open_session()
    await place.publish(map(reading, range(50)))
    sink = ListSink(50)
    await run_until_complete(place.slot(sink), sink)
    assert sink.counts == list(range(50))


async def test_a_consumer_killed_before_its_commit_gets_everything_again(place: Place) -> None:
    await place.open_session()
    await place.publish(map(reading, range(20)))
    hanging = ListSink(20, gate=asyncio.Event())
    killed = asyncio.create_task(place.slot(hanging, flush_s=0.01).run())
    await asyncio.wait_for(hanging.writing.wait(), SECONDS)
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    sink = ListSink(20)
    await run_until_complete(place.slot(sink), sink)
    assert (hanging.counts, sink.counts) == ([], list(range(20)))


async def test_a_connection_that_breaks_before_the_commit_gets_everything_again(place: Place) -> None:
    await place.open_session()
    await place.publish(map(reading, range(20)))
    async with place.transport() as transport:
        first = await take(transport, 20)
        assert transport._wire is not None
        transport._wire.abort()
        again = await take(transport, 20)
    assert [frame.payload for frame in again] == [frame.payload for frame in first]


async def test_what_was_committed_is_not_delivered_again(place: Place) -> None:
    await place.open_session()
    await place.publish(map(reading, range(500)))
    first = ListSink(500)
    await run_until_complete(place.slot(first), first)
    # Connecting at once matters: the broker may still be reading the acknowledgements of the last connection.
    async with place.transport() as transport:
        waiting = asyncio.create_task(transport.frames(10))
        await place.publish([reading(500)])
        assert [frame.payload for frame in await asyncio.wait_for(waiting, SECONDS)] == [reading(500)]
    assert first.counts == list(range(500))


@ONLY_MQTT_5
async def test_a_takeover_is_told_to_the_old_holder_and_moves_what_was_unacknowledged(place: Place) -> None:
    await place.open_session()
    await place.publish(map(reading, range(5)))
    async with place.transport() as old, place.transport() as new:
        await take(old, 5)
        waiting = asyncio.create_task(old.frames(10))
        assert len(await take(new, 5)) == 5
        with pytest.raises(TakenOver):
            await asyncio.wait_for(waiting, SECONDS)
        assert new.connected
        assert not old.connected


@ONLY_MQTT_5
async def test_the_broker_holds_back_what_is_beyond_the_window(place: Place) -> None:
    await place.open_session()
    await place.publish(map(reading, range(30)))
    async with place.transport(window=10) as transport:
        first = await take(transport, 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(transport.frames(100), 0.2)
        transport.acknowledge(first)
        assert [frame.payload for frame in await take(transport, 10)] == [reading(n) for n in range(10, 20)]


async def test_a_retained_message_from_before_is_not_taken_for_a_reading(place: Place) -> None:
    await place.publish([reading(1)], retain=True)
    async with place.transport() as transport:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(transport.frames(10), 0.5)
        await place.publish([reading(2)])
        assert [frame.payload for frame in await take(transport, 1)] == [reading(2)]
    await place.publish([b""], retain=True)


async def test_a_wrong_password_is_one_clear_line(place: Place) -> None:
    parts = urlsplit(place.url)
    wrong = parts._replace(netloc=f"nobody:wrong@{parts.hostname}:{parts.port}")
    async with Place(urlunsplit(wrong), place.make).transport() as transport:
        with pytest.raises(BrokerRefused, match=r"refused test-.*: not authorized"):
            await asyncio.wait_for(transport.frames(1), SECONDS)


async def test_thousands_of_readings_among_garbage_are_each_counted_once(place: Place) -> None:
    await place.open_session()
    payloads = [reading(n) if n % 10 else b"{garbage" for n in range(2_000)]
    sink = ListSink(len(payloads))
    slot = place.slot(sink)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(place.publish(payloads), name="publisher")
        tasks.create_task(run_until_complete(slot, sink), name="ingest")
    assert sink.counts == [n for n in range(2_000) if n % 10]
    assert slot.counters.frames == slot.counters.committed + slot.counters.quarantined == 2_000


async def test_a_filter_that_is_dropped_from_the_settings_is_dropped_from_the_session(place: Place) -> None:
    former = Place(place.url, place.make, site=f"{place.site}-former")
    both = Subscription(client_id=f"test-{place.site}", filters=(site_filter(place.site), site_filter(former.site)))
    address = parse_broker_url(place.url)
    async with place.make(address, both, clock_us=wall_us, rng=Random(1)) as transport:
        waiting = asyncio.create_task(transport.frames(1))
        await place.publish_when_connected(transport, former)
        transport.acknowledge(await asyncio.wait_for(waiting, SECONDS))
    async with place.transport(dropped=(site_filter(former.site),)) as transport:
        waiting = asyncio.create_task(transport.frames(1))
        await place.publish_when_connected(transport, place)
        transport.acknowledge(await asyncio.wait_for(waiting, SECONDS))
    await former.publish([reading(2)])
    await place.publish([reading(3)])
    async with place.transport(dropped=(site_filter(former.site),)) as transport:
        assert [frame.payload for frame in await take(transport, 1)] == [reading(3)]
