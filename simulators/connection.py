"""One connection of a publisher: where to, as whom, and what aiomqtt does not tell: reason codes and the window."""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import aiomqtt
import structlog
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.reasoncodes import ReasonCode

from sensors.broker_url import BrokerAddress
from sensors.errors import OperatorError

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)

NOT_ACCEPTED: Final = 0x10
"""MQTT 5, 3.4.2.1: from here on a PUBACK is not plain success; 0x10 is "no matching subscribers"."""

FINAL: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x90, 0x95, 0x99})
"""Refusals the next attempt would meet again: protocol, identifier, credentials, rights, topic, size, format."""

_RECEIVE_MAXIMUM: Final = 65_535
"""MQTT 5, 3.2.2.3.3: what holds where a broker does not say."""


_ANSWER_S: Final = 5.0
"""How long the broker may take to answer a connection: two attempts within the patience of a publisher."""


class PublishError(OperatorError):
    """The broker cannot be reached or refuses for good."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to speak: MQTT 5 tells why it refuses, 3.1.1 accepts and drops; QoS 0 is accepted once it is on its way."""

    version: Literal["5", "3.1.1"] = "5"
    qos: Literal[0, 1] = 1

    @property
    def protocol(self) -> aiomqtt.ProtocolVersion:
        return aiomqtt.ProtocolVersion.V5 if self.version == "5" else aiomqtt.ProtocolVersion.V311


class _TlsSocket(ssl.SSLSocket):
    """Closes when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  Python's signature
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


class Connection(aiomqtt.Client):
    """One connection that also tells reason codes, which aiomqtt drops, and lets many messages be under way."""

    def __init__(
        self,
        broker: BrokerAddress,
        client_id: str,
        dialect: Dialect,
        acknowledged: Callable[[int, ReasonCode], None],
    ) -> None:
        tls = broker.tls_context()
        if tls is not None:
            tls.sslsocket_class = _TlsSocket
        super().__init__(
            broker.host,
            broker.port,
            username=broker.user,
            password=broker.password,
            identifier=client_id,
            protocol=dialect.protocol,
            timeout=_ANSWER_S,
            # What goes wrong comes as an exception, and is told once.
            logger=logging.Logger("mqtt", logging.CRITICAL),  # noqa: LOG001  one that nobody else knows
            # The outbox keeps the window: given a limit, paho would search all messages at every acknowledgement.
            max_inflight_messages=0,
            tls_context=tls,
        )
        self._broker = broker
        self._acknowledged = acknowledged
        self._qos = dialect.qos
        self.receive_maximum = _RECEIVE_MAXIMUM
        self.maximum_packet_bytes = math.inf

    def send(self, topic: str, payload: bytes) -> int:
        """Hand one message to the socket; returns its packet id."""
        info = self._client.publish(topic, payload, qos=self._qos)
        if info.rc != MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(info.rc, "Could not publish message")
        return info.mid

    def subscribe_to(self, filters: Iterable[str]) -> None:
        """Ask for messages of these topics, at QoS 0."""
        for pattern in filters:
            self._client.subscribe(pattern)

    async def _wait_for(self, fut: Awaitable[_T], timeout: float | None) -> _T:  # noqa: ASYNC109  aiomqtt's signature
        """As aiomqtt does, and no stop is lost when it comes with the answer (python/cpython#86296, before 3.12)."""
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("Operation timed out") from None

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:  # noqa: ANN401  paho's signature
        # paho looks at neither limit; a broker may disconnect who exceeds one.
        self.receive_maximum = getattr(properties, "ReceiveMaximum", _RECEIVE_MAXIMUM)
        self.maximum_packet_bytes = getattr(properties, "MaximumPacketSize", math.inf)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:  # noqa: ANN401  paho's signature
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError(f"it closed the connection unanswered{self._hint()}"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _hint(self) -> str:
        if not self._broker.tls:
            return ": does it want TLS (mqtts://)?"
        return "" if self._broker.cert_file else ": does it want a certificate of ours?"

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:  # noqa: ANN401  paho's signature
        super()._on_publish(client, userdata, mid, reason_code, properties)
        self._acknowledged(mid, reason_code)

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, reason_codes: Any, properties: Any = None) -> None:  # noqa: ANN401  paho's signature
        del client, userdata, mid, properties
        if refused := [str(code) for code in reason_codes if code.is_failure]:
            _log.warning("the broker refuses to hand out receipts", reasons=refused)
