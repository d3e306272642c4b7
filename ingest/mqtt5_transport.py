"""The default transport: `mqtt5_session` on asyncio sockets. Decides nothing but when to connect again.

Receiving goes on in the protocol's callbacks while the consumer commits; the window (Receive Maximum) stops the broker,
and `_HELD_BYTES` stops reading where messages are large or come at QoS 0.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Self, cast

import structlog

from ingest.broker_url import BrokerAddress
from ingest.mqtt5_session import Session
from ingest.transport import BrokerRefused, BrokerUnavailable, Frame, Subscription, TakenOver
from ingest.trouble import Trouble

_HELD_BYTES = 16 << 20
"""What may wait in memory for the consumer; too low wastes time on pausing, too high is memory per slot."""
_FRAME_BYTES = 230
"""What a waiting frame takes beside its payload (measured with tracemalloc, a topic of 35 characters)."""
_CONNECT_S = 10.0
"""From the first packet to the SUBACK; a broker that needs longer is not well."""

_CLOSE_S = 1.0
"""For the broker to read the last acknowledgements; those it does not read it delivers again."""

Subscribed = Callable[[bool], None]


class _Wire(asyncio.Protocol):
    """One connection: moves bytes between its socket and its session until either fails."""

    def __init__(self, session: Session, clock_us: Callable[[], int], wake: asyncio.Event) -> None:
        self.session = session
        self.frames: list[Frame] = []
        self.failure: Exception | None = None
        self._clock_us = clock_us
        self._wake = wake
        self._held = 0
        self._lost = asyncio.Event()
        self._socket: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self._socket.write(self.session.connect())
        self._schedule_ping()

    def data_received(self, data: bytes) -> None:
        before = len(self.frames)
        try:
            reply = self.session.receive(data, self._clock_us(), self.frames)
        except (BrokerUnavailable, BrokerRefused, TakenOver) as exc:
            self.fail(exc)
            return
        self.send(reply)
        self._hold(self.frames[before:])
        self._wake.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        self.fail(BrokerUnavailable(f"the connection to the broker broke: {exc or 'closed by the broker'}"))

    def take(self, limit: int) -> list[Frame]:
        """Hand over up to `limit` frames and read on."""
        taken, self.frames = self.frames[:limit], self.frames[limit:]
        self._held -= sum(map(_size, taken))
        if self._paused and self._held < _HELD_BYTES and self._socket is not None and self.failure is None:
            self._paused = False
            self._socket.resume_reading()
        return taken

    def send(self, data: bytes) -> None:
        if data and self._socket is not None and self.failure is None:
            self._socket.write(data)

    def fail(self, error: Exception) -> None:
        """End this connection; the first error is the one that counts.

        Frames that wait are dropped, because the broker delivers them again, but for those at QoS 0.
        """
        if self.failure is not None:
            return
        self.failure = error
        self.frames = [frame for frame in self.frames if frame.token is None]
        self._held = sum(map(_size, self.frames))
        self.abort()
        self._wake.set()

    def abort(self) -> None:
        """Drop the connection at once; a dead peer would keep an orderly end waiting."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._socket.abort()

    async def finish(self) -> None:
        """Send what is to be sent and DISCONNECT, and wait until the broker closes.

        Closing first would be quicker, but a broker that has not read the last acknowledgements yet (mosquitto reads
        one packet a turn) forgets them when the next holder connects, and delivers those messages again.
        """
        self.send(self.session.disconnect())
        if self._socket is not None and self.failure is None:
            self._socket.resume_reading()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), _CLOSE_S)
        self.abort()

    def _hold(self, arrived: list[Frame]) -> None:
        self._held += sum(map(_size, arrived))
        if self._held >= _HELD_BYTES and not self._paused and self._socket is not None:
            self._paused = True
            self._socket.pause_reading()

    def _schedule_ping(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.session.keepalive_s / 2, self._ping)

    def _ping(self) -> None:
        try:
            # Paused, we would not see the answer: the broker is not to blame.
            self.send(self.session.ping(answer_expected=not self._paused))
        except BrokerUnavailable as exc:
            self.fail(exc)
        else:
            self._schedule_ping()


def _size(frame: Frame) -> int:
    return _FRAME_BYTES + len(frame.payload)


class Mqtt5Transport:
    """One persistent session over as many connections as it takes.

    `clock_us` gives the time of arrival. `subscribed(session_present)` is called after each SUBACK: a broker that saves
    on a signal should be told to save when the session is new.
    """

    def __init__(
        self,
        address: BrokerAddress,
        subscription: Subscription,
        *,
        clock_us: Callable[[], int],
        rng: Random,
        subscribed: Subscribed | None = None,
        first_retry_s: float = 0.1,
        longest_retry_s: float = 5.0,
    ) -> None:
        self._address = address
        self._subscription = subscription
        self._clock_us = clock_us
        self._subscribed = subscribed
        self._log = structlog.get_logger().bind(broker=address.label, client_id=subscription.client_id)
        self._trouble = Trouble("broker", self._log, rng, first_s=first_retry_s, longest_s=longest_retry_s)
        self._wake = asyncio.Event()
        self._wire: _Wire | None = None
        self._generation = 0
        self._accepted = False

    @property
    def connected(self) -> bool:
        """Whether the session is open and subscribed now."""
        wire = self._wire
        return wire is not None and wire.failure is None and wire.session.ready

    @property
    def failures(self) -> int:
        """Failures in a row; 0 while connected."""
        return 0 if self.connected else self._trouble.count

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._wire is not None:
            wire, self._wire = self._wire, None
            await wire.finish()

    async def frames(self, limit: int) -> list[Frame]:
        """Take the frames that have arrived; connects, and connects again, where there is no connection."""
        while True:
            self._wake.clear()
            if self._wire is not None and self._wire.frames:
                return self._wire.take(limit)
            if self._wire is None or self._wire.failure is not None:
                await self._reconnect()
            else:
                await self._wake.wait()

    def acknowledge(self, frames: Sequence[Frame]) -> None:
        if self._wire is not None and self._wire.failure is None:
            self._wire.send(self._wire.session.acknowledgements(frames))
            if self._wire.session.proven:
                self._trouble.over()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        wire = self._wire
        if wire is None or wire.failure is not None or not wire.session.ready:
            return False
        wire.send(wire.session.publish(topic, payload, retain=retain))
        return True

    async def _reconnect(self) -> None:
        """Try once, after the delay that the last failure asks for."""
        lost, self._wire = self._wire, None
        if lost is not None and lost.failure is not None:
            if lost.session.proven:
                self._trouble.over()
            await self._pause(lost.failure)
        try:
            self._wire = await self._connect()
        except (BrokerUnavailable, BrokerRefused, TakenOver) as exc:
            await self._pause(exc)

    async def _pause(self, failure: Exception) -> None:
        """Wait for the next attempt, or raise what another attempt cannot cure.

        A refusal counts as such only until the first success: later it may be a broker that is being reconfigured.
        """
        if isinstance(failure, TakenOver) or (isinstance(failure, BrokerRefused) and not self._accepted):
            raise failure
        await asyncio.sleep(self._trouble.happened(str(failure)))

    async def _connect(self) -> _Wire:
        self._generation += 1
        wire = _Wire(Session(self._address, self._subscription, self._generation), self._clock_us, self._wake)
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._open(wire)
        except TimeoutError as exc:
            raise BrokerUnavailable(f"broker {self._address.label} did not answer within {_CONNECT_S:g} s") from exc
        except OSError as exc:
            raise BrokerUnavailable(f"broker {self._address.label} cannot be reached: {exc}") from exc
        finally:
            if not wire.session.ready:
                wire.abort()
        self._on_subscribed(wire.session.session_present)
        return wire

    async def _open(self, wire: _Wire) -> None:
        loop, address = asyncio.get_running_loop(), self._address
        await loop.create_connection(lambda: wire, address.host, address.port, ssl=address.tls_context())
        while not wire.session.ready:
            if wire.failure is not None:
                raise wire.failure
            self._wake.clear()
            await self._wake.wait()

    def _on_subscribed(self, session_present: bool) -> None:  # noqa: FBT001  as the broker says it
        self._accepted = True
        self._log.info("broker: subscribed", session_present=session_present, failures=self._trouble.count)
        if self._subscribed is not None:
            self._subscribed(session_present)
