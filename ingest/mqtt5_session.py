"""One MQTT 5 connection as a pure state machine: bytes in, frames and replies out. No socket, no clock, no asyncio.

`mqtt5.read` raises IndexError for a packet that is not complete, but also for a complete one whose inner lengths point
outside; ValueError for one that is malformed; and for invalid UTF-8 a PanicException, which is a BaseException. All but
the first become `BrokerUnavailable`: after garbage a stream cannot be trusted and must be opened anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import mqtt5

from ingest.framing import LONGEST_HEADER, declared_size
from ingest.transport import MAX_PACKET_BYTES, BrokerRefused, BrokerUnavailable, Frame, Subscription, TakenOver
from sensors.broker_url import BrokerAddress

_SUBSCRIBE_ID = 1
_UNSUBSCRIBE_ID = 2
_PACKET_ID_BITS = 16
_REFUSALS = (
    mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
    mqtt5.ConnAckReasonCode.CLIENT_ID_NOT_VALID,
    mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD,
    mqtt5.ConnAckReasonCode.NOT_AUTHORIZED,
    mqtt5.ConnAckReasonCode.BANNED,
    mqtt5.ConnAckReasonCode.BAD_AUTHENTICATION_METHOD,
)


class Parser:
    """Cut a byte stream into packets; never holds more than one incomplete packet of at most the maximum size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[mqtt5.Packet]:
        """Return the packets that `data` completes; raises `BrokerUnavailable` for what is not MQTT 5."""
        self._buffer += data
        packets: list[mqtt5.Packet] = []
        with memoryview(self._buffer) as view:
            used = _read_all(view, packets)
        del self._buffer[:used]
        return packets


def _read_all(view: memoryview, packets: list[mqtt5.Packet]) -> int:
    """Append all complete packets and return how many bytes they took."""
    at, end, read = 0, len(view), mqtt5.read
    try:
        while at < end:
            packet, size = read(view[at:])
            packets.append(packet)
            at += size
    except IndexError:
        _check_incomplete(view[at:])
    except ValueError as exc:
        raise BrokerUnavailable(f"the broker sent a malformed packet: {exc}") from exc
    except BaseException as exc:
        if type(exc).__module__ != "pyo3_runtime":
            raise
        raise BrokerUnavailable("the broker sent a packet with invalid UTF-8") from exc
    return at


def _check_incomplete(view: memoryview) -> None:
    """Refuse what will never be complete: longer than we take, or all there and still not readable."""
    size = declared_size(bytes(view[:LONGEST_HEADER]))
    if size is not None and size > MAX_PACKET_BYTES:
        raise BrokerUnavailable(f"the broker sent a packet of {size} bytes, over the {MAX_PACKET_BYTES} it was told")
    if size is not None and size <= len(view):
        raise BrokerUnavailable("the broker sent a malformed packet: a length inside points outside")


class Session:
    """The client's side of one connection, from CONNECT to DISCONNECT.

    `generation` numbers the connections of a transport: it is part of each token, because packet ids begin anew with
    every connection and an acknowledgement of the last one would hit another message.
    """

    def __init__(self, address: BrokerAddress, subscription: Subscription, generation: int) -> None:
        self.ready = False
        self.session_present = False
        self.proven = False
        """True once the connection was of use: then the next failure is a new one, not the same again."""
        self.keepalive_s = subscription.keepalive_s
        self._address = address
        self._subscription = subscription
        self._base = generation << _PACKET_ID_BITS
        self._parser = Parser()
        self._connected = False
        self._heard = True

    def connect(self) -> bytes:
        """The CONNECT packet: an existing session is continued, a new one outlives the connection."""
        password = self._address.password
        return mqtt5.ConnectPacket(
            self._subscription.client_id,
            username=self._address.user,
            password=password.encode() if password is not None else None,
            clean_start=False,
            keep_alive=max(1, round(self.keepalive_s)),
            session_expiry_interval=self._subscription.session_expiry_s,
            receive_max=self._subscription.window,
            max_packet_size=MAX_PACKET_BYTES,
        ).write()

    def receive(self, data: bytes, received_us: int, frames: list[Frame]) -> bytes:
        """Take bytes from the broker, append the frames in them, return the bytes to answer.

        Raises `BrokerUnavailable`, `BrokerRefused` or `TakenOver`; the connection is over then.
        """
        self._heard = True
        replies: list[bytes] = []
        base = self._base
        for packet in self._parser.feed(data):
            if type(packet) is mqtt5.PublishPacket:
                frames.append(_frame(packet, base, received_us))
            else:
                replies.extend(self._control(packet))
        return b"".join(replies)

    def acknowledgements(self, frames: Sequence[Frame]) -> bytes:
        """PUBACKs for the frames of this connection; those without a token and of other connections are left out."""
        base, end = self._base, self._base + (1 << _PACKET_ID_BITS)
        acks = [
            mqtt5.PubAckPacket(frame.token - base).write()
            for frame in frames
            if frame.token is not None and base < frame.token < end
        ]
        self.proven = self.proven or bool(acks)
        return b"".join(acks)

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> bytes:
        """One message at QoS 0: what we say can be said again."""
        return mqtt5.PublishPacket(topic, payload, retain=retain).write()

    def ping(self, *, answer_expected: bool = True) -> bytes:
        """A PINGREQ, to be sent every half keepalive; raises `BrokerUnavailable` when the last was not answered."""
        if answer_expected and not self._heard:
            raise BrokerUnavailable(f"the broker has been silent for {self.keepalive_s / 2:g} s and a ping")
        self._heard = False
        return mqtt5.PingReqPacket().write()

    def disconnect(self) -> bytes:
        """An orderly end; the session stays."""
        return mqtt5.DisconnectPacket().write()

    def _control(self, packet: mqtt5.Packet) -> Iterator[bytes]:
        match packet:
            case mqtt5.ConnAckPacket() if not self._connected:
                self._on_connack(packet)
                # Also when the session is present: the filters may have changed since it began.
                yield self._subscribe()
            case mqtt5.SubAckPacket():
                self._on_suback(packet)
                if self.session_present and self._subscription.dropped:
                    yield mqtt5.UnsubscribePacket(_UNSUBSCRIBE_ID, list(self._subscription.dropped)).write()
            case mqtt5.PingRespPacket():
                self.proven = True
            case mqtt5.UnsubAckPacket():
                pass
            case mqtt5.DisconnectPacket():
                raise _disconnected(packet)
            case _:
                raise BrokerUnavailable(f"the broker sent an unexpected {type(packet).__name__}")

    def _on_connack(self, packet: mqtt5.ConnAckPacket) -> None:
        if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            words = _words(packet.reason_code.name, packet.reason_str)
            line = f"broker {self._address.label} refused {self._subscription.client_id}: {words}"
            raise BrokerRefused(line) if packet.reason_code in _REFUSALS else BrokerUnavailable(line)
        self._connected = True
        self.session_present = packet.session_present
        if packet.server_keep_alive:
            self.keepalive_s = min(self.keepalive_s, float(packet.server_keep_alive))

    def _subscribe(self) -> bytes:
        """Never ask for retained messages: they are the last ones of sensors that may have been dead for years.

        Without `retain_as_published` the flag is left only on what the broker kept from before.
        """
        filters = [
            mqtt5.TopicFilter(
                pattern,
                max_qos=mqtt5.QoS.AT_LEAST_ONCE,
                retain_as_published=False,
                retain_handling=mqtt5.RetainHandling.SEND_NEVER,
            )
            for pattern in self._subscription.filters
        ]
        return mqtt5.SubscribePacket(_SUBSCRIBE_ID, filters).write()

    def _on_suback(self, packet: mqtt5.SubAckPacket) -> None:
        for pattern, code in zip(self._subscription.filters, packet.reason_codes, strict=False):
            if code != mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE:
                words = _words(code.name, packet.reason_str)
                raise BrokerRefused(f"broker {self._address.label} refused the subscription {pattern}: {words}")
        self.ready = True


def _frame(packet: mqtt5.PublishPacket, base: int, received_us: int) -> Frame:
    packet_id = packet.packet_id
    token = None if packet_id is None else base + packet_id
    content_type = packet.content_type
    qos = 0 if packet_id is None else 1
    return Frame(packet.topic, packet.payload, received_us, token, qos, packet.retain, content_type)


def _disconnected(packet: mqtt5.DisconnectPacket) -> Exception:
    if packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
        return TakenOver("another holder connected with our client id")
    return BrokerUnavailable(f"the broker ended the connection: {_words(packet.reason_code.name, packet.reason_str)}")


def _words(code: str, explanation: str | None) -> str:
    words = code.lower().replace("_", " ")
    return f"{words} ({explanation})" if explanation else words
