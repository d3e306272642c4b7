"""Publishing at QoS 1: every message stays here until the broker has accepted it, whatever happens to the connection.

Owns the window of unacknowledged messages, the reconnecting and the repeating. A PUBACK of 16 or above is not an
acceptance: "no matching subscribers" (nobody would keep the message) and a broker that is busy are retried until they
end; a refusal of credentials, topic or payload is an error. Order and repetition are decided by `Outbox`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import unquote, urlsplit

import aiomqtt
import structlog
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.reasoncodes import ReasonCode

from sensors.errors import OperatorError
from simulators.outbox import Outbox

_log = structlog.get_logger(__name__)

WINDOW: Final = 1000
"""Unacknowledged messages: from 200 up a local broker is never idle; more cost memory and are repeated after a loss."""

_NOT_ACCEPTED: Final = 0x10
"""MQTT 5, 3.4.2.1: from here on a PUBACK is not plain success; 0x10 is "no matching subscribers"."""

_RECEIVE_MAXIMUM: Final = 65_535
"""MQTT 5, 3.2.2.3.3: what holds where a broker does not say."""

_FINAL: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x90, 0x95, 0x99})
"""Refusals the next attempt would meet again: protocol, identifier, credentials, rights, topic, size, format."""

_BACKOFF_S: Final = (0.05, 5.0)
"""First and longest pause; a longer last one delays readings after an outage, a shorter one hammers the broker."""

PATIENCE_S: Final = 10.0
"""How long the first connection may take: a broker that starts at the same time needs a second."""


class PublishError(OperatorError):
    """The broker cannot be reached or refuses for good."""


class Broker(NamedTuple):
    """Where to publish and as whom."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool

    def __repr__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_broker(url: str) -> Broker:
    """Read `mqtt://user:password@host:port` or `mqtts://...`; raises `PublishError`, without repeating the password."""
    expected = "expected mqtt://[user:password@]host[:port] or mqtts://..."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise PublishError(f"the broker's URL is malformed: {expected}") from exc
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise PublishError(f"the broker's URL has scheme {parts.scheme!r} and host {parts.hostname!r}: {expected}")
    tls = parts.scheme == "mqtts"
    username, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return Broker(parts.hostname, port or (8883 if tls else 1883), username, password, tls)


class _Connection(aiomqtt.Client):
    """One connection that also tells reason codes, which aiomqtt drops, and lets many messages be under way."""

    def __init__(self, broker: Broker, client_id: str, acknowledged: Callable[[int, ReasonCode], None]) -> None:
        super().__init__(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            # The outbox keeps the window: given a limit, paho would search all messages at every acknowledgement.
            max_inflight_messages=0,
            tls_context=ssl.create_default_context() if broker.tls else None,
        )
        self._acknowledged = acknowledged
        self.receive_maximum = _RECEIVE_MAXIMUM

    def send(self, topic: str, payload: bytes) -> int:
        """Hand one message to the socket; returns its packet id."""
        info = self._client.publish(topic, payload, qos=1)
        if info.rc != MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(info.rc, "Could not publish message")
        return info.mid

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:  # noqa: ANN401  paho's signature
        # paho does not look at the Receive Maximum; a broker may disconnect who exceeds it.
        self.receive_maximum = getattr(properties, "ReceiveMaximum", _RECEIVE_MAXIMUM)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:  # noqa: ANN401  paho's signature
        super()._on_publish(client, userdata, mid, reason_code, properties)
        self._acknowledged(mid, reason_code)


class Publisher:
    """A persistent publisher: `async with Publisher(url, client_id) as publisher`, then `publish` or `publish_all`.

    Raises `PublishError` on entering when there is no connection within `patience_s`, and from every later call once
    the broker has refused for good. Leaving disconnects at once; what must be accepted is awaited by `drain`.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        window: int = WINDOW,
        patience_s: float = PATIENCE_S,
        rng: random.Random | None = None,
    ) -> None:
        self._broker = parse_broker(url)
        self._client_id = client_id
        self._window = window
        self._patience_s = patience_s
        self._rng = rng or random.Random()  # noqa: S311  jitter, not a secret
        self._outbox = Outbox()
        self._connection: _Connection | None = None
        self._failure: BaseException | None = None
        self._wake = asyncio.Event()
        self._pause_s = _BACKOFF_S[0]
        self._trouble = ""

    @property
    def accepted(self) -> int:
        """How many messages the broker has accepted."""
        return self._outbox.accepted

    @property
    def owed(self) -> int:
        """How many messages wait for their acceptance."""
        return len(self._outbox)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=f"publisher {self._client_id}")
        self._task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(self._patience_s):
                await self._until(lambda: self._connection is not None)
        except TimeoutError as exc:
            await self._stop()
            raise PublishError(f"no broker at {self._broker!r}: {self._trouble or 'no answer'}") from exc
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Take over one message; waits while the window is full."""
        if len(self._outbox) >= self._window or self._failure:
            await self._until(lambda: len(self._outbox) < self._window)
        self._outbox.add(topic, payload)
        self._send_due()

    async def publish_all(
        self,
        messages: Iterable[tuple[str, bytes]] | AsyncIterable[tuple[str, bytes]],
        *,
        rate: float | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Publish them all, at most `rate` a second, until each is accepted; returns how many.

        `progress` is called now and then with the number accepted so far.
        """
        before, taken, started = self.accepted, 0, time.monotonic()
        async for topic, payload in _each(messages):
            await self.publish(topic, payload)
            taken += 1
            if rate and (early := started + taken / rate - time.monotonic()) > 0:
                await asyncio.sleep(early)
            if progress and taken % self._window == 0:
                progress(self.accepted - before)
        await self.drain()
        if progress:
            progress(taken)
        return taken

    async def drain(self) -> None:
        """Wait until the broker has accepted everything."""
        await self._until(lambda: not len(self._outbox))

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached() or self._failure:
            if self._failure:
                raise self._failure
            self._wake.clear()
            await self._wake.wait()

    async def _run(self) -> None:
        while True:
            connection = _Connection(self._broker, self._client_id, self._acknowledged)
            try:
                async with connection:
                    self._begin(connection)
                    async for _ in connection.messages:
                        pass
            except aiomqtt.MqttError as exc:
                self._note(exc)
            finally:
                self._connection = None
            await asyncio.sleep(self._next_pause())

    def _begin(self, connection: _Connection) -> None:
        self._outbox.lose()
        self._outbox.limit = connection.receive_maximum
        self._connection = connection
        if self._trouble:
            _log.info("broker reached", broker=repr(self._broker), owed=len(self._outbox))
        self._trouble = ""
        self._wake.set()
        self._send_due()

    def _note(self, exc: aiomqtt.MqttError) -> None:
        """Report a lost or failed connection once; one that the broker refuses for good ends the publisher."""
        code = exc.rc if isinstance(exc, aiomqtt.MqttCodeError) else None
        if isinstance(code, ReasonCode) and code.value in _FINAL:
            raise PublishError(f"the broker at {self._broker!r} refuses the connection: {code}") from exc
        if not self._trouble:
            _log.warning("broker lost", broker=repr(self._broker), error=str(exc), owed=len(self._outbox))
        self._trouble = str(exc)

    def _acknowledged(self, packet: int, code: ReasonCode) -> None:
        was_open = self._outbox.open
        if code.value < _NOT_ACCEPTED:
            self._outbox.accept(packet)
            self._wake.set()
        elif (owed := self._outbox.refuse(packet)) and code.value in _FINAL:
            self._fail(PublishError(f"the broker at {self._broker!r} refuses {owed.topic}: {code}"))
        if self._outbox.open and not was_open:
            self._pause_s = _BACKOFF_S[0]
        if self._outbox.held_back:
            self._send_due()
        elif self._outbox.idle and not self._outbox.open:
            asyncio.get_running_loop().call_later(self._next_pause(), self._send_due)

    def _send_due(self) -> None:
        if self._connection is None:
            return
        # A connection that breaks here is noticed by _run, which repeats what it still owes.
        with contextlib.suppress(aiomqtt.MqttError):
            for owed in self._outbox.due():
                self._outbox.sent(owed.number, self._connection.send(owed.topic, owed.payload))

    def _next_pause(self) -> float:
        pause = self._pause_s
        self._pause_s = min(2 * pause, _BACKOFF_S[1])
        return pause * self._rng.uniform(0.5, 1.5)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (exc := task.exception()):
            self._fail(exc)

    def _fail(self, failure: BaseException) -> None:
        self._failure = self._failure or failure
        self._wake.set()

    async def _stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError, PublishError):
            await self._task


async def _each(
    messages: Iterable[tuple[str, bytes]] | AsyncIterable[tuple[str, bytes]],
) -> AsyncIterator[tuple[str, bytes]]:
    if isinstance(messages, AsyncIterable):
        async for message in messages:
            yield message
    else:
        for message in messages:
            yield message
