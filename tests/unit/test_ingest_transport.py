"""What every transport must do, shown against a broker in this process that misbehaves on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from types import TracebackType
from typing import Self

import mqtt5
import pytest
from structlog.testing import capture_logs

from ingest.mqtt5_session import Parser
from ingest.mqtt5_transport import Mqtt5Transport
from ingest.paho_transport import PahoTransport
from ingest.transport import BrokerRefused, Frame, Subscription, TakenOver, Transport
from sensors.broker_url import parse_broker_url

SECONDS = 5.0
"""What anything here may take; nothing does."""
NOW_US = 1_772_000_000_000_000
Make = Callable[..., Transport]


class Peer:
    """The broker's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._packets: asyncio.Queue[mqtt5.Packet | None] = asyncio.Queue()
        self.reading = asyncio.create_task(self._read(), name="peer")

    async def _read(self) -> None:
        """Collect what the client sends; close after its DISCONNECT, as brokers do."""
        parser = Parser()
        while data := await self._reader.read(65_536):
            for packet in parser.feed(data):
                self._packets.put_nowait(packet)
                if isinstance(packet, mqtt5.DisconnectPacket):
                    self._writer.close()
        self._packets.put_nowait(None)

    def send(self, *packets: mqtt5.Packet | bytes) -> None:
        self._writer.write(b"".join(item if isinstance(item, bytes) else item.write() for item in packets))

    async def packet(self) -> mqtt5.Packet | None:
        """The next packet of the client, None at its end."""
        return await asyncio.wait_for(self._packets.get(), SECONDS)

    async def welcome(self, *, session_present: bool = False) -> None:
        assert isinstance(await self.packet(), mqtt5.ConnectPacket)
        self.send(mqtt5.ConnAckPacket(session_present=session_present))
        assert isinstance(await self.packet(), mqtt5.SubscribePacket)
        self.send(mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]))

    async def acknowledged(self, count: int) -> list[int]:
        found = [await self.packet() for _ in range(count)]
        return [packet.packet_id for packet in found if isinstance(packet, mqtt5.PubAckPacket)]

    async def drained(self) -> None:
        """Return when the client has read nearly all that was sent."""
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


class FakeBroker:
    """Listens on a free port and hands each connection to the test."""

    def __init__(self) -> None:
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._all: list[Peer] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for peer in self._all:
            peer.close()
            peer.reading.cancel()
        self._server.close()

    async def peer(self, *, welcome: bool = True) -> Peer:
        peer = await asyncio.wait_for(self._peers.get(), SECONDS)
        if welcome:
            await peer.welcome()
        return peer

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self._all.append(peer)
        self._peers.put_nowait(peer)


def mqtt5_transport(url: str, *, keepalive_s: float = 20.0, window: int = 100) -> Transport:
    subscription = Subscription(client_id="vigie-ingest-0", filters=("#",), window=window, keepalive_s=keepalive_s)
    return Mqtt5Transport(
        parse_broker_url(url),
        subscription,
        clock_us=lambda: NOW_US,
        rng=Random(1),
        first_retry_s=0.001,
        longest_retry_s=0.01,
    )


def paho_transport(url: str, *, keepalive_s: float = 20.0, window: int = 100) -> Transport:
    subscription = Subscription(client_id="vigie-ingest-0", filters=("#",), window=window, keepalive_s=keepalive_s)
    return PahoTransport(
        parse_broker_url(url),
        subscription,
        clock_us=lambda: NOW_US,
        rng=Random(1),
        first_retry_s=0.001,
        longest_retry_s=0.01,
    )


@pytest.fixture(params=[mqtt5_transport, paho_transport], ids=["mqtt5", "paho"])
def make(request: pytest.FixtureRequest) -> Make:
    factory: Make = request.param
    return factory


@pytest.fixture
async def broker() -> AsyncIterator[FakeBroker]:
    async with FakeBroker() as running:
        yield running


@asynccontextmanager
async def opened(transport: Transport, broker: FakeBroker) -> AsyncIterator[tuple[Peer, asyncio.Task[list[Frame]]]]:
    """The transport, connected and waiting for frames, and the broker's end."""
    async with transport, asyncio.timeout(SECONDS):
        taking = asyncio.create_task(transport.frames(1_000))
        yield await broker.peer(), taking
        taking.cancel()


def publish(packet_id: int, payload: bytes = b"{}", *, retain: bool = False) -> mqtt5.PublishPacket:
    return mqtt5.PublishPacket("a/b", payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id, retain=retain)


async def test_what_we_publish_reaches_the_broker_and_nothing_waits_for_a_connection(
    make: Make, broker: FakeBroker
) -> None:
    transport = make(broker.url)
    assert not transport.publish("a/receipt", b"{}", retain=True)
    async with opened(transport, broker) as (peer, taking):
        peer.send(publish(1))
        await taking
        assert transport.publish("a/receipt", b"{}", retain=True)
        packet = await peer.packet()
    assert isinstance(packet, mqtt5.PublishPacket)
    assert (packet.topic, packet.payload, packet.retain, packet.qos) == ("a/receipt", b"{}", True, 0)


async def test_all_that_arrived_is_taken_in_order_with_its_time(make: Make, broker: FakeBroker) -> None:
    async with opened(make(broker.url), broker) as (peer, taking):
        peer.send(publish(1, b"one"), publish(2, b"two", retain=True), mqtt5.PublishPacket("c/d", b"three"))
        frames = await taking
    assert [(frame.topic, frame.payload, frame.qos, frame.retain) for frame in frames] == [
        ("a/b", b"one", 1, False),
        ("a/b", b"two", 1, True),
        ("c/d", b"three", 0, False),
    ]
    assert {frame.received_us for frame in frames} == {NOW_US}


async def test_frames_beyond_the_limit_wait_for_the_next_call(make: Make, broker: FakeBroker) -> None:
    transport = make(broker.url)
    async with opened(transport, broker) as (peer, taking):
        peer.send(publish(1))
        await taking
        peer.send(*[publish(number) for number in range(2, 7)])
        taken = []
        while len(taken) < 5:
            some = await transport.frames(2)
            assert 1 <= len(some) <= 2
            taken += some
    assert len({frame.token for frame in taken}) == 5


async def test_acknowledgements_reach_the_broker(make: Make, broker: FakeBroker) -> None:
    transport = make(broker.url)
    async with opened(transport, broker) as (peer, taking):
        peer.send(publish(5), publish(6))
        transport.acknowledge(await taking)
        assert await peer.acknowledged(2) == [5, 6]


async def test_an_orderly_end_sends_the_last_acknowledgements_and_goodbye(make: Make, broker: FakeBroker) -> None:
    transport = make(broker.url)
    async with opened(transport, broker) as (peer, taking):
        peer.send(publish(5))
        transport.acknowledge(await taking)
    assert await peer.acknowledged(1) == [5]
    assert isinstance(await peer.packet(), mqtt5.DisconnectPacket)
    assert await peer.packet() is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "trouble",
    [b"", publish(1).write()[:-1], b"\x00\x00", b"\x30\x05\x00\x02\xff\xfe\x00", b"\x30\xff\xff\xff\x7f"],
    ids=["closed", "half a frame", "garbage", "not utf-8", "too large"],
)
async def test_after_trouble_it_connects_again(make: Make, broker: FakeBroker, trouble: bytes) -> None:
    async with opened(make(broker.url), broker) as (peer, taking):
        peer.send(trouble)
        peer.close()
        again = await broker.peer()
        again.send(publish(1, b"again"))
        assert [frame.payload for frame in await taking] == [b"again"]


async def test_half_a_frame_is_waited_for(make: Make, broker: FakeBroker) -> None:
    data = publish(1, b"x" * 1_000).write()
    async with opened(make(broker.url), broker) as (peer, taking):
        peer.send(mqtt5.PingRespPacket().write() + data[:500])
        assert not taking.done()
        peer.send(data[500:])
        assert [len(frame.payload) for frame in await taking] == [1_000]


async def test_frames_of_a_broken_connection_are_not_acknowledged_on_the_next(make: Make, broker: FakeBroker) -> None:
    transport = make(broker.url)
    async with opened(transport, broker) as (peer, taking):
        peer.send(publish(1, b"old"))
        old = await taking
        peer.close()
        later = asyncio.create_task(transport.frames(10))
        again = await broker.peer()
        again.send(publish(1, b"other"), publish(2, b"old"))
        new = await later
        transport.acknowledge(old)
        transport.acknowledge(new[1:])
        assert await again.acknowledged(1) == [2]


async def test_a_broker_that_says_nothing_is_left_for_a_new_connection(make: Make, broker: FakeBroker) -> None:
    async with opened(make(broker.url, keepalive_s=0.05), broker) as (silent, taking):
        again = await broker.peer()
        assert isinstance(await silent.packet(), mqtt5.PingReqPacket)
        again.send(publish(1))
        assert len(await taking) == 1


async def test_a_session_taken_over_is_raised_and_not_fought_for(make: Make, broker: FakeBroker) -> None:
    async with opened(make(broker.url), broker) as (peer, taking):
        peer.send(mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER))
        with pytest.raises(TakenOver):
            await taking
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(broker.peer(welcome=False), 0.05)


async def test_a_refusal_at_the_start_is_raised(make: Make, broker: FakeBroker) -> None:
    async with make(broker.url) as transport:
        taking = asyncio.create_task(transport.frames(10))
        peer = await broker.peer(welcome=False)
        peer.send(mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD))
        with pytest.raises(BrokerRefused, match="bad user name or password"):
            await taking


async def test_a_refusal_after_a_success_is_tried_again(make: Make, broker: FakeBroker) -> None:
    async with opened(make(broker.url), broker) as (peer, taking):
        peer.close()
        refusing = await broker.peer(welcome=False)
        refusing.send(mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.NOT_AUTHORIZED))
        again = await broker.peer()
        again.send(publish(1))
        assert len(await taking) == 1


async def test_a_broker_that_is_not_there_yet_is_waited_for_and_logged_once(make: Make) -> None:
    async with FakeBroker() as gone:
        url = gone.url
    with capture_logs() as logs:
        async with make(url) as transport:
            taking = asyncio.create_task(transport.frames(10))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(taking, 0.1)
    assert [entry["event"] for entry in logs] == ["broker"]
    assert "cannot be reached" in logs[0]["detail"]


async def test_a_flood_at_qos_0_stops_being_read_until_it_is_taken(make: Make, broker: FakeBroker) -> None:
    transport, payload = make(broker.url), b"x" * 500_000
    total = 100
    async with opened(transport, broker) as (peer, taking):
        peer.send(*[mqtt5.PublishPacket("a/b", payload) for _ in range(total)])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(peer.drained(), 0.3)
        taken = await taking
        while len(taken) < total:
            taken += await transport.frames(1_000)
    assert len(taken) == total
