"""Publishing at QoS 1: every message stays here until the broker has accepted it, whatever happens to the connection.

Owns the window of unacknowledged messages, the reconnecting and the repeating. A PUBACK of 16 or above is not an
acceptance: "no matching subscribers" (nobody would keep the message) and a broker that is busy are retried until they
end; a refusal of credentials, topic or payload is an error. Order and repetition are decided by `Outbox`.

With `receipts`, a reading that carries a number is kept until the service's receipt covers it, and sent again where it
is missing: that is decided by `Keeper`. What carries none ends with its acceptance.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable
from types import TracebackType
from typing import Final, Self

import aiomqtt
import structlog
from paho.mqtt.reasoncodes import ReasonCode

from sensors.broker_url import BrokerAddress, parse_broker_url
from simulators.connection import FINAL, NOT_ACCEPTED, Connection, Dialect, PublishError
from simulators.keeper import KEPT, REPEAT_AFTER_S, Kept
from simulators.link import Backoff, Link
from simulators.outbox import Outbox
from simulators.stream import each
from simulators.vouching import Vouching, WhenFull

__all__ = ["PublishError", "Publisher"]

_log = structlog.get_logger(__name__)

WINDOW: Final = 1000
"""Unacknowledged messages: from 200 up a local broker is never idle; more cost memory and are repeated after a loss."""

_AROUND_BYTES: Final = 12
"""Of a packet around topic and payload at most: headers, lengths, packet id, no properties (MQTT 5, 3.3)."""

PATIENCE_S: Final = 10.0
"""How long the first connection may take: a broker that starts at the same time needs a second."""


class Publisher:
    """A persistent publisher: `async with Publisher(url, client_id) as publisher`, then `publish` or `publish_all`.

    Raises `PublishError` on entering when there is no connection within `patience_s`, and from every later call once
    the broker has refused for good. Leaving disconnects at once; what must be accepted is awaited by `drain`.

    With `receipts` at most `keep` readings wait for theirs. `when_full` says what then happens: `wait` makes `publish`
    wait (a file can be read later), `forget` drops the oldest (a sensor measures on) and counts it in `forgotten`.
    """

    def __init__(
        self,
        broker: str | BrokerAddress,
        client_id: str,
        *,
        dialect: Dialect | None = None,
        window: int = WINDOW,
        patience_s: float = PATIENCE_S,
        rng: random.Random | None = None,
        receipts: bool = False,
        repeat_after_s: float = REPEAT_AFTER_S,
        keep: int = KEPT,
        when_full: WhenFull = "wait",
    ) -> None:
        self._broker = parse_broker_url(broker) if isinstance(broker, str) else broker
        self._client_id = client_id
        self._window = window
        self._patience_s = patience_s
        self._outbox = Outbox()
        self._vouching = Vouching(repeat_after_s, keep, when_full, self._repeat) if receipts else None
        self._backoff = Backoff(rng or random.Random())  # noqa: S311  jitter, not a secret
        self._link = Link(self._broker, client_id, dialect or Dialect(), self, self._backoff)
        self._maximum_packet_bytes = math.inf
        self.published = 0  # messages taken over
        self.too_large = 0  # messages left out: above the broker's Maximum Packet Size
        self.repeated = 0  # readings sent again because no receipt covered them
        self._failure: BaseException | None = None
        self._wake = asyncio.Event()

    @property
    def trouble(self) -> str | None:
        """None while there is a connection, else why there is none."""
        return None if self._link.connection else self._link.trouble or "not connected yet"

    @property
    def accepted(self) -> int:
        """How many messages the broker has accepted."""
        return self._outbox.accepted

    @property
    def owed(self) -> int:
        """How many messages wait for their acceptance."""
        return len(self._outbox)

    @property
    def kept(self) -> int:
        """How many readings wait for the service's receipt."""
        return 0 if self._vouching is None else len(self._vouching.keeper)

    @property
    def receipted(self) -> int:
        """How many readings a receipt has covered."""
        return 0 if self._vouching is None else self._vouching.keeper.settled

    @property
    def receipts(self) -> int:
        """How many receipts came."""
        return 0 if self._vouching is None else self._vouching.receipts

    @property
    def forgotten(self) -> int:
        """How many readings were dropped without a receipt, for want of room."""
        return 0 if self._vouching is None else self._vouching.keeper.forgotten

    def unreceipted(self) -> Counter[str]:
        """How many readings wait for a receipt, by sensor or corridor."""
        return Counter() if self._vouching is None else self._vouching.keeper.waiting()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._link.run(), name=f"publisher {self._client_id}")]
        if self._vouching is not None:
            ask = self._vouching.ask(self._takes_more)
            self._tasks.append(asyncio.create_task(ask, name=f"receipts {self._client_id}"))
        for task in self._tasks:
            task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(self._patience_s):
                await self._until(lambda: self._link.connection is not None)
        except TimeoutError as exc:
            await self._stop()
            what = "no broker with TLS" if self._broker.tls else "no broker"
            raise PublishError(f"{what} at {self._broker.label}: {self._link.trouble or 'no answer'}") from exc
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Take over one message; waits while the window is full, or there is no room to keep it.

        One that the broker would not take is left out and counted in `too_large`: sent, it would end the connection.
        """
        if not self._fits(topic, payload):
            return
        if len(self._outbox) >= self._window or self._failure:
            await self._until(lambda: len(self._outbox) < self._window)
        if self._vouching is not None:
            if not self._vouching.has_room():
                await self._until(self._vouching.has_room)
            fresh = self._vouching.keep(topic, payload)
            if fresh and self._link.connection:
                self._link.connection.subscribe_to([fresh])
        self._outbox.add(topic, payload)
        self.published += 1
        self._send_due()

    def _fits(self, topic: str, payload: bytes) -> bool:
        size = len(topic.encode()) + len(payload) + _AROUND_BYTES
        if size <= self._maximum_packet_bytes:
            return True
        if not self.too_large:
            _log.warning("left out: more than the broker takes", topic=topic, bytes=size)
        self.too_large += 1
        return False

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
        async for topic, payload in each(messages):
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
        """Wait until the broker has accepted everything, and the service's receipts cover all that is kept."""
        await self._until(lambda: not len(self._outbox) and not self.kept)

    def begun(self, connection: Connection) -> None:
        """Send again what was under way when the last connection broke."""
        self._outbox.lose()
        self._outbox.limit = connection.receive_maximum
        self._maximum_packet_bytes = connection.maximum_packet_bytes
        if self._vouching is not None:
            connection.subscribe_to(self._vouching.topics)
        self._wake.set()
        self._send_due()

    def acknowledged(self, packet: int, code: ReasonCode) -> None:
        """Take notice of an acceptance or a refusal."""
        was_open = self._outbox.open
        if code.value < NOT_ACCEPTED:
            self._outbox.accept(packet)
            self._wake.set()
        elif (owed := self._outbox.refuse(packet)) and code.value in FINAL:
            self._fail(PublishError(f"the broker at {self._broker.label} refuses {owed.topic}: {code}"))
        if self._outbox.open and not was_open:
            self._backoff.reset()
        if self._outbox.held_back:
            self._send_due()
        elif self._outbox.idle and not self._outbox.open:
            asyncio.get_running_loop().call_later(self._backoff.next_s(), self._send_due)

    def received(self, message: aiomqtt.Message) -> None:
        """Only receipts are subscribed to."""
        if self._vouching is not None:
            self._vouching.read(message.topic.value, message.payload)
            self._wake.set()

    def _takes_more(self) -> bool:
        """While the broker takes nothing, asking would only pile up."""
        return self._outbox.open or not self.owed

    def _repeat(self, again: Iterable[Kept]) -> None:
        for kept in again:
            self._outbox.add(kept.topic, kept.payload)
            self.repeated += 1
        self._send_due()

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached() or self._failure:
            if self._failure:
                raise self._failure
            self._wake.clear()
            await self._wake.wait()

    def _send_due(self) -> None:
        connection = self._link.connection
        if connection is None:
            return
        # A connection that breaks here is noticed by the link, and what it still owes is repeated on the next one.
        with contextlib.suppress(aiomqtt.MqttError):
            for owed in self._outbox.due():
                self._outbox.sent(owed.number, connection.send(owed.topic, owed.payload))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (exc := task.exception()):
            self._fail(exc)

    def _fail(self, failure: BaseException) -> None:
        self._failure = self._failure or failure
        self._wake.set()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError, PublishError):
                await task
