"""One connection of a publisher: where to, as whom, and what aiomqtt does not tell: reason codes and the window."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import aiomqtt
import structlog
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.reasoncodes import ReasonCode

from sensors.broker_url import BrokerAddress
from sensors.errors import OperatorError

_log = structlog.get_logger(__name__)

NOT_ACCEPTED: Final = 0x10
"""MQTT 5, 3.4.2.1: from here on a PUBACK is not plain success; 0x10 is "no matching subscribers"."""

FINAL: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x90, 0x95, 0x99})
"""Refusals the next attempt would meet again: protocol, identifier, credentials, rights, topic, size, format."""

_RECEIVE_MAXIMUM: Final = 65_535
"""MQTT 5, 3.2.2.3.3: what holds where a broker does not say."""


class PublishError(OperatorError):
    """The broker cannot be reached or refuses for good."""


class Connection(aiomqtt.Client):
    """One connection that also tells reason codes, which aiomqtt drops, and lets many messages be under way."""

    def __init__(self, broker: BrokerAddress, client_id: str, acknowledged: Callable[[int, ReasonCode], None]) -> None:
        super().__init__(
            broker.host,
            broker.port,
            username=broker.user,
            password=broker.password,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            # The outbox keeps the window: given a limit, paho would search all messages at every acknowledgement.
            max_inflight_messages=0,
            tls_context=broker.tls_context(),
        )
        self._acknowledged = acknowledged
        self.receive_maximum = _RECEIVE_MAXIMUM

    def send(self, topic: str, payload: bytes) -> int:
        """Hand one message to the socket; returns its packet id."""
        info = self._client.publish(topic, payload, qos=1)
        if info.rc != MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(info.rc, "Could not publish message")
        return info.mid

    def subscribe_to(self, filters: Iterable[str]) -> None:
        """Ask for messages of these topics, at QoS 0."""
        for pattern in filters:
            self._client.subscribe(pattern)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:  # noqa: ANN401  paho's signature
        # paho does not look at the Receive Maximum; a broker may disconnect who exceeds it.
        self.receive_maximum = getattr(properties, "ReceiveMaximum", _RECEIVE_MAXIMUM)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:  # noqa: ANN401  paho's signature
        super()._on_publish(client, userdata, mid, reason_code, properties)
        self._acknowledged(mid, reason_code)

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, reason_codes: Any, properties: Any = None) -> None:  # noqa: ANN401  paho's signature
        del client, userdata, mid, properties
        if refused := [str(code) for code in reason_codes if code.is_failure]:
            _log.warning("the broker refuses to hand out receipts", reasons=refused)
