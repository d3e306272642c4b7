"""What can be seen of a broker by using it as ingest does: for `vigie doctor`, which judges it.

A broker does not tell how much it keeps for an absent reader, and drops the rest without a word. So it is tried: a
reader subscribes and leaves, numbered messages come on a topic of its own, and the reader counts what it finds.
"""

from __future__ import annotations

import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sensors.broker_url import BrokerAddress

MESSAGES = 1200
"""Above what brokers keep by default (mosquitto, HiveMQ and EMQX: 1,000); 7 minutes of 90 sensors at one in 30 s."""
PATIENCE_S = 10.0
_QUIET_S = 2.0
"""No message for so long means that no more will come; shorter takes a slow broker for a forgetful one."""
_EXPIRY_S = 60
_VERSION = "$SYS/broker/version"


class BrokerSilentError(Exception):
    """The broker cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """largest_bytes: of a message, None: no limit. window: that the broker grants. kept of sent: for an absent reader.

    certificate_until: when the certificate of the broker ends, None without TLS; version: as it says, or empty.
    """

    largest_bytes: int | None
    window: int
    kept: int
    sent: int
    certificate_until: datetime | None
    version: str


def examine_broker(address: BrokerAddress, *, messages: int = MESSAGES) -> BrokerFacts:
    """Look at a broker, in some seconds; blocks. Raises `BrokerSilentError`."""
    topic, name = f"vigie/1/doctor/{secrets.token_hex(8)}", f"vigie-doctor-{secrets.token_hex(8)}"
    certificate_until = _certificate_until(address)
    with _Guest(address, name, expiry_s=_EXPIRY_S).connected() as reader:
        version = reader.version()
        if not reader.subscribe(topic):
            raise BrokerSilentError("it does not let us read vigie/#")
    with _Guest(address, f"{name}-writer").connected() as writer:
        writer.publish(topic, messages)
    with _Guest(address, name, goes_on=True).connected() as again:
        kept = again.count(messages)
    return BrokerFacts(reader.largest_bytes, reader.window, kept, messages, certificate_until, version)


def _certificate_until(address: BrokerAddress) -> datetime | None:
    """First of all, and by ourselves: paho leaves the socket of a failed handshake open."""
    context = address.tls_context()
    if context is None:
        return None
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=PATIENCE_S) as wire,
            context.wrap_socket(wire, server_hostname=address.host) as tls,
        ):
            shown = tls.getpeercert()
    except OSError as exc:
        raise BrokerSilentError(_reason(exc)) from exc
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC) if shown else None


class _Guest:
    """One connection, driven by paho's own thread; every wait has an end."""

    def __init__(self, address: BrokerAddress, name: str, *, expiry_s: int = 0, goes_on: bool = False) -> None:
        self._address, self._expiry_s, self._goes_on = address, expiry_s, goes_on
        self._answers: SimpleQueue[tuple[ReasonCode, Properties | None]] = SimpleQueue()
        self._granted: SimpleQueue[bool] = SimpleQueue()
        self._published: SimpleQueue[ReasonCode] = SimpleQueue()
        self._messages: SimpleQueue[MQTTMessage] = SimpleQueue()
        self.largest_bytes: int | None = None
        self.window = 65_535
        self._client = client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        client.on_connect = lambda _c, _u, _f, code, properties: self._answers.put((code, properties))
        client.on_subscribe = lambda _c, _u, _m, codes, _p: self._granted.put(not any(c.is_failure for c in codes))
        client.on_publish = lambda _c, _u, _m, code, _p: self._published.put(code)
        client.on_message = lambda _c, _u, message: self._messages.put(message)
        client.max_queued_messages_set(0)
        if address.user is not None:
            client.username_pw_set(address.user, address.password)
        if (context := address.tls_context()) is not None:
            client.tls_set_context(context)

    @contextmanager
    def connected(self) -> Iterator[Self]:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._expiry_s
        host, port = self._address.host, self._address.port
        try:
            self._client.connect(host, port, clean_start=not self._goes_on, properties=properties)
            self._client.loop_start()
            self._greeted(*self._answers.get(timeout=PATIENCE_S))
            yield self
        except (OSError, ValueError) as exc:
            raise BrokerSilentError(_reason(exc)) from exc
        except Empty as exc:
            raise BrokerSilentError(f"it took longer than {PATIENCE_S:g} s to answer") from exc
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _greeted(self, code: ReasonCode, properties: Properties | None) -> None:
        if code.is_failure:
            raise BrokerSilentError(f"it refuses the connection: {code}")
        self.largest_bytes = getattr(properties, "MaximumPacketSize", None)
        self.window = getattr(properties, "ReceiveMaximum", self.window)

    def subscribe(self, topic: str) -> bool:
        self._client.subscribe(topic, qos=1)
        return self._granted.get(timeout=PATIENCE_S)

    def version(self) -> str:
        """What the broker says that it is, where it says so and lets us hear it."""
        if not self.subscribe(_VERSION):
            return ""
        try:
            return self._messages.get(timeout=_QUIET_S).payload.decode(errors="replace")
        except Empty:
            return ""

    def publish(self, topic: str, messages: int) -> None:
        for number in range(messages):
            self._client.publish(topic, str(number), qos=1)
        codes = [self._published.get(timeout=PATIENCE_S) for _ in range(messages)]
        if refused := next((code for code in codes if code.is_failure), None):
            raise BrokerSilentError(f"it refuses messages on {topic.rpartition('/')[0]}/#: {refused}")

    def count(self, messages: int) -> int:
        """How many of the messages come."""
        numbers: set[bytes] = set()
        with suppress(Empty):
            while len(numbers) < messages:
                numbers.add(bytes(self._messages.get(timeout=_QUIET_S).payload))
        return len(numbers)


def _reason(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {exc.verify_message}"
    return getattr(exc, "strerror", None) or str(exc)
