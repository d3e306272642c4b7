"""The feed over MQTT: every alert once it is committed, in order, at QoS 1, and a heartbeat.

An alert counts as published when the broker has acknowledged it; then the cursor moves. Whoever publishes next begins
there, so an alert may come twice and none is left out. Nothing is retained: whoever comes years later would believe it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from random import SystemRandom
from typing import Any, TypeVar

import aiomqtt
import structlog
from paho.mqtt.reasoncodes import ReasonCode

from api.heartbeat import heartbeat
from api.shapes import alert_json
from api.source import Source
from ingest.trouble import Trouble
from sensors.broker_url import BrokerAddress
from sensors.errors import OperatorError
from sensors.topics import HEARTBEAT, alert_topic
from store.api_rows import EventRow
from store.follower import Follower
from store.leadership import Lock

_T = TypeVar("_T")

READER = "mqtt"
_ROWS = 200
"""Alerts between two moves of the cursor: more come twice after a kill, fewer cost a transaction each."""
_ANSWER_S = 10.0
"""How long a broker may take to acknowledge; one that needs longer is not well."""

_log = structlog.get_logger(__name__)


class AlertRefused(OperatorError):  # noqa: N818  an answer, not a failure
    """The broker does not take alerts from us: the rights of our user must be mended."""


class _Client(aiomqtt.Client):
    """A connection that also says when the broker acknowledges and yet refuses, which aiomqtt drops."""

    def __init__(self, broker: BrokerAddress, client_id: str) -> None:
        super().__init__(
            broker.host,
            broker.port,
            username=broker.user,
            password=broker.password,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=broker.tls_context(),
            timeout=_ANSWER_S,
        )
        self.refusal: str | None = None

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:  # noqa: ANN401  paho's signature
        if reason_code.is_failure:
            self.refusal = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    async def _wait_for(self, fut: Awaitable[_T], timeout: float | None) -> _T:  # noqa: ASYNC109  aiomqtt's signature
        """As aiomqtt does, without the loss of `asyncio.wait_for` before Python 3.12 (python/cpython#86296).

        That returns as if nothing had happened when the answer and a cancellation come in the same turn: a service
        told to stop would go on.
        """
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("Operation timed out") from None

    async def tell(self, topic: str, payload: str) -> None:
        """Publish and wait for the acknowledgement; raises `AlertRefused`."""
        await self.publish(topic, payload, qos=1)
        if self.refusal is not None:
            raise AlertRefused(f"the broker refuses alerts on {topic}: {self.refusal}; let our user write there")


async def publish_alerts(database_url: str, source: Source, broker: BrokerAddress, *, heartbeat_s: float) -> None:
    """Publish until cancelled; a broker that is away is waited for. Raises `DatabaseUnavailable`."""
    trouble = Trouble("alerts over MQTT", _log.bind(broker=broker.label), SystemRandom())
    async with Follower.open(database_url, READER, Lock.ALERTS) as follower:
        while True:
            try:
                async with _Client(broker, "vigie-alerts") as client:
                    trouble.over()
                    await _publish(follower, source, client, heartbeat_s)
            except (aiomqtt.MqttError, AlertRefused) as exc:
                await asyncio.sleep(trouble.happened(str(exc)))


async def _publish(follower: Follower, source: Source, client: _Client, heartbeat_s: float) -> None:
    clock = asyncio.get_running_loop().time
    due = clock()
    while True:
        full = True
        while full:
            rows = await follower.next(_ROWS)
            await _tell_all(follower, rows, client)
            full = len(rows) == _ROWS
        if clock() >= due:
            due = clock() + heartbeat_s
            await client.tell(HEARTBEAT, heartbeat(await source.progress(), follower.cursor, heartbeat_s).json)
        await follower.wait(max(0.0, due - clock()))


async def _tell_all(follower: Follower, rows: Sequence[EventRow], client: _Client) -> None:
    """One after the other, so that they come in order; what was acknowledged is noted whatever happens to the rest."""
    told = follower.cursor
    try:
        for row in rows:
            await client.tell(alert_topic(row.type, row.subject), alert_json(row))
            told = row.id
    finally:
        if told > follower.cursor:
            await follower.done(told)
