"""One connection to a broker on an asyncio socket: what both MQTT parsers need around them.

Receiving goes on in the protocol's callbacks while the consumer commits; the window (Receive Maximum) stops the broker,
and a full inbox stops reading where messages are large, come at QoS 0, or where the broker knows no window.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

from ingest.inbox import Inbox
from ingest.transport import BrokerUnavailable, Frame

_CLOSE_S = 1.0
"""For the broker to read the last acknowledgements; those it does not read it delivers again."""


class Wire(asyncio.Protocol, ABC):
    """Moves bytes between a socket and a parser until either fails; the parsers are the subclasses."""

    def __init__(self, wake: asyncio.Event, keepalive_s: float) -> None:
        self.inbox = Inbox()
        self.failure: Exception | None = None
        self.keepalive_s = keepalive_s
        self._wake = wake
        self._lost = asyncio.Event()
        self._socket: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether the subscription is granted."""

    @property
    @abstractmethod
    def session_present(self) -> bool:
        """Whether the broker had kept our session."""

    @property
    @abstractmethod
    def proven(self) -> bool:
        """Whether the connection was of use: then the next failure is a new one, not the same again."""

    @abstractmethod
    def greet(self) -> bytes:
        """The first bytes to send."""

    @abstractmethod
    def parse(self, data: bytes) -> bytes:
        """Append the frames in `data` to the inbox, return the bytes to answer; raises what ends the connection."""

    @abstractmethod
    def acknowledgements(self, frames: Sequence[Frame]) -> bytes:
        """The acknowledgements of those frames that came over this connection."""

    @abstractmethod
    def message(self, topic: str, payload: bytes, *, retain: bool) -> bytes:
        """One message of ours at QoS 0."""

    @abstractmethod
    def ping(self, *, answer_expected: bool) -> bytes:
        """A ping; raises `BrokerUnavailable` when an answer to the last was expected and did not come."""

    @abstractmethod
    def goodbye(self) -> bytes:
        """The last bytes to send; the session stays."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self._socket.write(self.greet())
        self._schedule_ping()

    def data_received(self, data: bytes) -> None:
        before = len(self.inbox.frames)
        try:
            reply = self.parse(data)
        except Exception as exc:  # noqa: BLE001  whatever ends a connection is told to the consumer
            self.fail(exc)
            return
        self.send(reply)
        self.inbox.arrived(self.inbox.frames[before:])
        if self.inbox.full and not self._paused and self._socket is not None:
            self._paused = True
            self._socket.pause_reading()
        self._wake.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        self.fail(BrokerUnavailable(f"the connection to the broker broke: {exc or 'closed by the broker'}"))

    def take(self, limit: int) -> list[Frame]:
        """Hand over up to `limit` frames and read on."""
        taken = self.inbox.take(limit)
        if self._paused and not self.inbox.full and self._socket is not None and self.failure is None:
            self._paused = False
            self._socket.resume_reading()
        return taken

    def send(self, data: bytes) -> None:
        if data and self._socket is not None and self.failure is None:
            self._socket.write(data)

    def fail(self, error: Exception) -> None:
        """End this connection; the first error is the one that counts."""
        if self.failure is not None:
            return
        self.failure = error
        self.inbox.forget()
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
        if self.failure is None:
            self.send(self.goodbye())
        if self._socket is not None and self.failure is None:
            self._socket.resume_reading()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._lost.wait()
        self.abort()

    def _schedule_ping(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.keepalive_s / 2, self._ping)

    def _ping(self) -> None:
        try:
            # Paused, we would not see the answer: the broker is not to blame.
            self.send(self.ping(answer_expected=not self._paused))
        except BrokerUnavailable as exc:
            self.fail(exc)
        else:
            self._schedule_ping()


Dial = Callable[[int, asyncio.Event], Wire]
"""Makes the wire of connection number n; the event wakes the consumer."""
