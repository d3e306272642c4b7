"""The default transport: the sans-IO parser `mqtt5`, MQTT 5 only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from ingest.mqtt5_session import Session
from ingest.persistent import PersistentTransport, Subscribed
from ingest.transport import Frame, Subscription
from ingest.wire import Wire
from sensors.broker_url import BrokerAddress


class _Mqtt5Wire(Wire):
    """A wire whose parser is a `Session`."""

    def __init__(self, session: Session, clock_us: Callable[[], int], wake: asyncio.Event) -> None:
        super().__init__(wake, session.keepalive_s)
        self._session = session
        self._clock_us = clock_us

    @property
    def ready(self) -> bool:
        return self._session.ready

    @property
    def session_present(self) -> bool:
        return self._session.session_present

    @property
    def proven(self) -> bool:
        return self._session.proven

    def greet(self) -> bytes:
        return self._session.connect()

    def parse(self, data: bytes) -> bytes:
        reply = self._session.receive(data, self._clock_us(), self.inbox.frames)
        self.keepalive_s = self._session.keepalive_s
        return reply

    def acknowledgements(self, frames: Sequence[Frame]) -> bytes:
        return self._session.acknowledgements(frames)

    def message(self, topic: str, payload: bytes, *, retain: bool) -> bytes:
        return self._session.publish(topic, payload, retain=retain)

    def ping(self, *, answer_expected: bool) -> bytes:
        return self._session.ping(answer_expected=answer_expected)

    def goodbye(self) -> bytes:
        return self._session.disconnect()


class Mqtt5Transport(PersistentTransport):
    """One persistent MQTT 5 session; `clock_us` gives the time of arrival."""

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
        super().__init__(
            address,
            subscription,
            lambda generation, wake: _Mqtt5Wire(Session(address, subscription, generation), clock_us, wake),
            rng=rng,
            subscribed=subscribed,
            first_retry_s=first_retry_s,
            longest_retry_s=longest_retry_s,
        )
