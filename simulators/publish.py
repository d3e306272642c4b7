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
import random
import time
from collections.abc import AsyncIterable, Callable, Iterable
from types import TracebackType
from typing import Final, Literal, Self

import aiomqtt
import structlog
from paho.mqtt.reasoncodes import ReasonCode

from sensors.broker_url import parse_broker_url
from sensors.receipt import decode_receipt, readable_numbers
from sensors.topics import RECEIPTS, parse_reading_topic, parse_receipt_topic
from simulators.connection import FINAL, NOT_ACCEPTED, Connection, PublishError
from simulators.keeper import KEPT, REPEAT_AFTER_S, Keeper, Kept
from simulators.outbox import Outbox
from simulators.stream import each

__all__ = ["PublishError", "Publisher"]

_log = structlog.get_logger(__name__)

WINDOW: Final = 1000
"""Unacknowledged messages: from 200 up a local broker is never idle; more cost memory and are repeated after a loss."""

_BACKOFF_S: Final = (0.05, 5.0)
"""First and longest pause; a longer last one delays readings after an outage, a shorter one hammers the broker."""

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
        url: str,
        client_id: str,
        *,
        window: int = WINDOW,
        patience_s: float = PATIENCE_S,
        rng: random.Random | None = None,
        receipts: bool = False,
        repeat_after_s: float = REPEAT_AFTER_S,
        keep: int = KEPT,
        when_full: Literal["wait", "forget"] = "wait",
    ) -> None:
        self._broker = parse_broker_url(url)
        self._client_id = client_id
        self._window = window
        self._patience_s = patience_s
        self._rng = rng or random.Random()  # noqa: S311  jitter, not a secret
        self._outbox = Outbox()
        self._keeper = Keeper(repeat_after_s, keep) if receipts else None
        self._when_full = when_full
        self._look_s = min(1.0, repeat_after_s / 4)
        self._sites: dict[str, None] = {}
        self.repeated = 0  # readings sent again because no receipt covered them
        self._connection: Connection | None = None
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

    @property
    def kept(self) -> int:
        """How many readings wait for the service's receipt."""
        return 0 if self._keeper is None else len(self._keeper)

    @property
    def forgotten(self) -> int:
        """How many readings were dropped without a receipt, for want of room."""
        return 0 if self._keeper is None else self._keeper.forgotten

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._run(), name=f"publisher {self._client_id}")]
        if self._keeper is not None:
            self._tasks.append(asyncio.create_task(self._ask(self._keeper), name=f"receipts {self._client_id}"))
        for task in self._tasks:
            task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(self._patience_s):
                await self._until(lambda: self._connection is not None)
        except TimeoutError as exc:
            await self._stop()
            raise PublishError(f"no broker at {self._broker.label}: {self._trouble or 'no answer'}") from exc
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Take over one message; waits while the window is full, or there is no room to keep it."""
        if len(self._outbox) >= self._window or self._failure:
            await self._until(lambda: len(self._outbox) < self._window)
        if self._keeper is not None:
            await self._keep(self._keeper, topic, payload)
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

    async def _keep(self, keeper: Keeper, topic: str, payload: bytes) -> None:
        """Keep a reading that carries a number, when there is room."""
        place, numbers = parse_reading_topic(topic), readable_numbers(payload)
        if place is None or not numbers:
            return
        if keeper.full and self._when_full == "forget":
            if not keeper.forgotten:
                _log.warning("no receipts and no more room: the oldest readings are dropped", kept=len(keeper))
            keeper.forget_oldest()
        elif keeper.full:
            await self._until(lambda: not keeper.full)
        if place.site not in self._sites:
            self._sites[place.site] = None
            if self._connection:
                self._connection.subscribe_to([_receipts_of(place.site)])
        for boot, number in numbers:
            keeper.keep((place.site, place.thing, boot), number, topic, payload, time.monotonic())

    async def _ask(self, keeper: Keeper) -> None:
        """Now and then ask about what no receipt covers."""
        while True:
            await asyncio.sleep(self._look_s)
            # While the broker takes nothing, asking would only pile up.
            if self._outbox.open or not self.owed:
                self._repeat(keeper.overdue(time.monotonic()))

    def _read(self, message: aiomqtt.Message) -> None:
        """Take notice of a receipt."""
        place, payload = parse_receipt_topic(message.topic.value), message.payload
        receipt = decode_receipt(payload) if isinstance(payload, bytes) else None
        if self._keeper is not None and place and receipt:
            self._repeat(self._keeper.settle(*place, receipt, time.monotonic()))
            self._wake.set()

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

    async def _run(self) -> None:
        while True:
            connection = Connection(self._broker, self._client_id, self._acknowledged)
            try:
                async with connection:
                    self._begin(connection)
                    async for message in connection.messages:
                        self._read(message)
            except aiomqtt.MqttError as exc:
                self._note(exc)
            finally:
                self._connection = None
            await asyncio.sleep(self._next_pause())

    def _begin(self, connection: Connection) -> None:
        self._outbox.lose()
        self._outbox.limit = connection.receive_maximum
        self._connection = connection
        connection.subscribe_to(map(_receipts_of, self._sites))
        if self._trouble:
            _log.info("broker reached", broker=self._broker.label, owed=len(self._outbox))
        self._trouble = ""
        self._wake.set()
        self._send_due()

    def _note(self, exc: aiomqtt.MqttError) -> None:
        """Report a lost or failed connection once; one that the broker refuses for good ends the publisher."""
        code = exc.rc if isinstance(exc, aiomqtt.MqttCodeError) else None
        if isinstance(code, ReasonCode) and code.value in FINAL:
            raise PublishError(f"the broker at {self._broker.label} refuses the connection: {code}") from exc
        if not self._trouble:
            _log.warning("broker lost", broker=self._broker.label, error=str(exc), owed=len(self._outbox))
        self._trouble = str(exc)

    def _acknowledged(self, packet: int, code: ReasonCode) -> None:
        was_open = self._outbox.open
        if code.value < NOT_ACCEPTED:
            self._outbox.accept(packet)
            self._wake.set()
        elif (owed := self._outbox.refuse(packet)) and code.value in FINAL:
            self._fail(PublishError(f"the broker at {self._broker.label} refuses {owed.topic}: {code}"))
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
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError, PublishError):
                await task


def _receipts_of(site: str) -> str:
    return f"{RECEIPTS}/{site}/+"
