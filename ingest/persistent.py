"""A persistent session over as many connections as it takes: when to connect again, and what cannot be cured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from types import TracebackType
from typing import Self

import structlog

from ingest.transport import BrokerRefused, BrokerUnavailable, Frame, Subscription, TakenOver
from ingest.trouble import Trouble
from ingest.wire import Dial, Wire
from sensors.broker_url import BrokerAddress

_CONNECT_S = 10.0
"""From the first packet to the SUBACK; a broker that needs longer is not well."""

Subscribed = Callable[[bool], None]


class PersistentTransport:
    """What the transports share; they differ in the wire that `dial` makes.

    `subscribed(session_present)` is called after each SUBACK: a broker that saves on a signal should be told to save
    when the session is new.
    """

    def __init__(
        self,
        address: BrokerAddress,
        subscription: Subscription,
        dial: Dial,
        *,
        rng: Random,
        subscribed: Subscribed | None = None,
        first_retry_s: float = 0.1,
        longest_retry_s: float = 5.0,
    ) -> None:
        self._address = address
        self._dial = dial
        self._subscribed = subscribed
        self._log = structlog.get_logger().bind(broker=address.label, client_id=subscription.client_id)
        self._trouble = Trouble("broker", self._log, rng, first_s=first_retry_s, longest_s=longest_retry_s)
        self._wake = asyncio.Event()
        self._wire: Wire | None = None
        self._generation = 0
        self._accepted = False

    @property
    def connected(self) -> bool:
        """Whether the session is open and subscribed now."""
        wire = self._wire
        return wire is not None and wire.failure is None and wire.ready

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
            if self._wire is not None and self._wire.inbox.frames:
                return self._wire.take(limit)
            if self._wire is None or self._wire.failure is not None:
                await self._reconnect()
            else:
                await self._wake.wait()

    def acknowledge(self, frames: Sequence[Frame]) -> None:
        if self._wire is not None and self._wire.failure is None:
            self._wire.send(self._wire.acknowledgements(frames))
            if self._wire.proven:
                self._trouble.over()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        wire = self._wire
        if wire is None or wire.failure is not None or not wire.ready:
            return False
        wire.send(wire.message(topic, payload, retain=retain))
        return True

    async def _reconnect(self) -> None:
        """Try once, after the delay that the last failure asks for."""
        lost, self._wire = self._wire, None
        if lost is not None and lost.failure is not None:
            if lost.proven:
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
        if not isinstance(failure, BrokerUnavailable | BrokerRefused):
            raise failure
        if isinstance(failure, BrokerRefused) and not self._accepted:
            raise failure
        await asyncio.sleep(self._trouble.happened(str(failure)))

    async def _connect(self) -> Wire:
        self._generation += 1
        wire = self._dial(self._generation, self._wake)
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._open(wire)
        except TimeoutError as exc:
            raise BrokerUnavailable(f"broker {self._address.label} did not answer within {_CONNECT_S:g} s") from exc
        except OSError as exc:
            raise BrokerUnavailable(f"broker {self._address.label} cannot be reached: {exc}") from exc
        finally:
            if not wire.ready:
                wire.abort()
        self._on_subscribed(wire.session_present)
        return wire

    async def _open(self, wire: Wire) -> None:
        loop, address = asyncio.get_running_loop(), self._address
        await loop.create_connection(lambda: wire, address.host, address.port, ssl=address.tls_context())
        while not wire.ready:
            if wire.failure is not None:
                raise wire.failure
            self._wake.clear()
            await self._wake.wait()

    def _on_subscribed(self, session_present: bool) -> None:  # noqa: FBT001  as the broker says it
        self._accepted = True
        self._log.info("broker: subscribed", session_present=session_present, failures=self._trouble.count)
        if self._subscribed is not None:
            self._subscribed(session_present)
