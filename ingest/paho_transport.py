"""The second transport: paho-mqtt with manual acknowledgement, for brokers that speak only MQTT 3.1.1.

paho is used as a parser: it reads from and writes to a buffer; sockets, TLS and time stay with asyncio. MQTT 3.1.1
has no Receive Maximum (the full inbox stops the broker instead), no content types, no expiry that a client could ask
for, and does not tell that a session was taken over: there the lock of the slot decides, and the old holder learns it
at its next commit.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.framing import LONGEST_HEADER, declared_size
from ingest.persistent import PersistentTransport, Subscribed
from ingest.transport import MAX_PACKET_BYTES, BrokerRefused, BrokerUnavailable, Frame, Subscription, TakenOver
from ingest.wire import Wire
from sensors.broker_url import BrokerAddress

_PINGREQ = b"\xc0\x00"
_GRANTED_QOS_1 = 1
_TAKEN_OVER = 0x8E
_REFUSALS = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C})
"""Protocol version, client id, password, rights, ban, method: another attempt would meet them again."""


class Version(enum.Enum):
    """Which MQTT to speak."""

    V5 = MQTTProtocolVersion.MQTTv5
    V311 = MQTTProtocolVersion.MQTTv311


class _Buffer:
    """What paho takes for its socket: it reads one packet at a time from us, and what it writes is collected."""

    def __init__(self) -> None:
        self.written = bytearray()
        self._packet = b""
        self._at = 0

    def give(self, packet: bytes) -> None:
        self._packet, self._at = packet, 0

    def collect(self) -> bytes:
        data = bytes(self.written)
        self.written.clear()
        return data

    def recv(self, size: int) -> bytes:
        if self._at == len(self._packet):
            raise BlockingIOError
        part = self._packet[self._at : self._at + size]
        self._at += len(part)
        return part

    def send(self, data: bytes) -> int:
        self.written += data
        return len(data)

    def close(self) -> None:
        """The wire closes the connection."""

    def setblocking(self, blocking: bool) -> None:  # noqa: FBT001  as sockets have it
        """It never blocks."""


class _Parser(Client):
    """A paho client on a buffer; the one method of it that opens sockets is replaced."""

    buffer: _Buffer

    def _create_socket(self) -> Any:  # noqa: ANN401  paho names a socket, and takes its own websocket wrapper too
        return self.buffer


class _PahoWire(Wire):
    """A wire whose parser is a paho client, new for each connection."""

    def __init__(
        self,
        address: BrokerAddress,
        subscription: Subscription,
        version: Version,
        *,
        clock_us: Callable[[], int],
        wake: asyncio.Event,
        generation: int,
    ) -> None:
        super().__init__(wake, subscription.keepalive_s)
        self._address = address
        self._subscription = subscription
        self._version = version
        self._clock_us = clock_us
        self._base = generation << 16
        self._now_us = 0
        self._arrived = bytearray()
        self._heard = True
        self._ready = self._proven = self._session_present = False
        self._error: Exception | None = None
        self._client = self._new_client()

    @property
    def ready(self) -> bool:
        return self._ready

    @property
    def session_present(self) -> bool:
        return self._session_present

    @property
    def proven(self) -> bool:
        return self._proven

    def greet(self) -> bytes:
        keepalive = max(1, round(self.keepalive_s))
        host, port = self._address.host, self._address.port
        if self._version is Version.V5:
            wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's is not annotated
            wishes.SessionExpiryInterval = self._subscription.session_expiry_s
            wishes.ReceiveMaximum = self._subscription.window
            wishes.MaximumPacketSize = MAX_PACKET_BYTES
            self._client.connect(host, port, keepalive, clean_start=False, properties=wishes)
        else:
            self._client.connect(host, port, keepalive)
        return self._written()

    def parse(self, data: bytes) -> bytes:
        self._heard = True
        self._now_us = self._clock_us()
        self._arrived += data
        at = 0
        while (size := self._next_packet(at)) is not None:
            self._read(bytes(self._arrived[at : at + size]))
            at += size
        del self._arrived[:at]
        return self._written()

    def acknowledgements(self, frames: Sequence[Frame]) -> bytes:
        base, end = self._base, self._base + (1 << 16)
        for frame in frames:
            if frame.token is not None and base < frame.token < end:
                self._proven = True
                self._client.ack(frame.token - base, 1)
        return self._written()

    def message(self, topic: str, payload: bytes, *, retain: bool) -> bytes:
        self._client.publish(topic, payload, retain=retain)
        return self._written()

    def ping(self, *, answer_expected: bool) -> bytes:
        if answer_expected and not self._heard:
            raise BrokerUnavailable(f"the broker has been silent for {self.keepalive_s / 2:g} s and a ping")
        self._heard = False
        return _PINGREQ

    def goodbye(self) -> bytes:
        self._client.disconnect()
        return self._written()

    def _new_client(self) -> _Parser:
        clean = None if self._version is Version.V5 else False
        client = _Parser(
            CallbackAPIVersion.VERSION2,
            self._subscription.client_id,
            clean_session=clean,
            protocol=self._version.value,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.buffer = _Buffer()
        client.username_pw_set(self._address.user, self._address.password)
        client.on_connect = lambda _client, _data, flags, code, said: self._on_connect(flags, code, said)
        client.on_subscribe = lambda _client, _data, _mid, codes, _said: self._on_subscribe(codes)
        client.on_message = lambda _client, _data, message: self._on_message(message)
        client.on_disconnect = lambda _client, _data, flags, code, _said: self._on_disconnect(flags, code)
        return client

    def _next_packet(self, at: int) -> int | None:
        """Size of the packet that starts at `at`, None where it is not complete."""
        head = bytes(self._arrived[at : at + LONGEST_HEADER])
        size = declared_size(head)
        if size is None and len(head) == LONGEST_HEADER:
            raise BrokerUnavailable("the broker sent a malformed packet: a length without end")
        if size is not None and size > MAX_PACKET_BYTES:
            raise BrokerUnavailable(f"the broker sent a packet of {size} bytes, over {MAX_PACKET_BYTES}")
        return size if size is not None and size <= len(self._arrived) - at else None

    def _read(self, packet: bytes) -> None:
        """Let paho read one packet; raises what ends the connection."""
        self._client.buffer.give(packet)
        try:
            self._client.loop_read()
        except Exception as exc:
            # paho does not say what its parser may raise; after any of it the stream cannot be trusted.
            raise self._error or BrokerUnavailable(f"the broker sent a malformed packet: {exc!r}") from exc
        if self._error is not None:
            raise self._error

    def _written(self) -> bytes:
        if self._client.want_write():
            self._client.loop_write()
        return self._client.buffer.collect()

    def _on_connect(self, flags: ConnectFlags, code: ReasonCode, properties: Properties | None) -> None:
        if code.is_failure:
            line = f"broker {self._address.label} refused {self._subscription.client_id}: {_words(code)}"
            self._error = BrokerRefused(line) if code.value in _REFUSALS else BrokerUnavailable(line)
            return
        self._session_present = flags.session_present
        # The keepalive that the broker asks for, where it does.
        self.keepalive_s = min(self.keepalive_s, getattr(properties, "ServerKeepAlive", 0) or self.keepalive_s)
        if self._version is Version.V5:
            wishes = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
            self._client.subscribe([(pattern, wishes) for pattern in self._subscription.filters])
        else:
            self._client.subscribe([(pattern, 1) for pattern in self._subscription.filters])

    def _on_subscribe(self, codes: list[ReasonCode]) -> None:
        for pattern, code in zip(self._subscription.filters, codes, strict=False):
            if code.value != _GRANTED_QOS_1:
                line = f"broker {self._address.label} refused the subscription {pattern}: {_words(code)}"
                self._error = BrokerRefused(line)
                return
        self._ready = True
        if self._session_present and self._subscription.dropped:
            self._client.unsubscribe(list(self._subscription.dropped))

    def _on_message(self, message: MQTTMessage) -> None:
        token = self._base + message.mid if message.qos else None
        if message.retain and self._version is Version.V311:
            # The last word of a sensor that may be dead for years: MQTT 3.1.1 cannot ask not to get it.
            if token is not None:
                self._client.ack(message.mid, 1)
            return
        content_type = getattr(message.properties, "ContentType", None)
        payload = bytes(message.payload)
        frame = Frame(message.topic, payload, self._now_us, token, message.qos, message.retain, content_type)
        self.inbox.frames.append(frame)

    def _on_disconnect(self, flags: DisconnectFlags, code: ReasonCode) -> None:
        if self._error is not None:
            return
        if flags.is_disconnect_packet_from_server and code.value == _TAKEN_OVER:
            self._error = TakenOver("another holder connected with our client id")
        else:
            self._error = BrokerUnavailable(f"the broker ended the connection: {_words(code)}")


class PahoTransport(PersistentTransport):
    """One persistent session by paho-mqtt; `clock_us` gives the time of arrival."""

    def __init__(
        self,
        address: BrokerAddress,
        subscription: Subscription,
        *,
        clock_us: Callable[[], int],
        rng: Random,
        version: Version = Version.V5,
        subscribed: Subscribed | None = None,
        first_retry_s: float = 0.1,
        longest_retry_s: float = 5.0,
    ) -> None:
        super().__init__(
            address,
            subscription,
            lambda generation, wake: _PahoWire(
                address, subscription, version, clock_us=clock_us, wake=wake, generation=generation
            ),
            rng=rng,
            subscribed=subscribed,
            first_retry_s=first_retry_s,
            longest_retry_s=longest_retry_s,
        )


def _words(code: ReasonCode) -> str:
    return code.getName().lower()
