"""A connection to the broker that is made anew whenever it is lost, until the broker refuses for good."""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import Final, Protocol

import aiomqtt
import structlog
from paho.mqtt.reasoncodes import ReasonCode

from sensors.broker_url import BrokerAddress
from simulators.connection import FINAL, Connection, Dialect, PublishError

_log = structlog.get_logger(__name__)

_BACKOFF_S: Final = (0.05, 5.0)
"""First and longest pause; a longer last one delays readings after an outage, a shorter one hammers the broker."""


class Backoff:
    """Pauses that double, each drawn around its mean so that many senders do not come back at once."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.reset()

    def reset(self) -> None:
        self._pause_s = _BACKOFF_S[0]

    def next_s(self) -> float:
        pause = self._pause_s
        self._pause_s = min(2 * pause, _BACKOFF_S[1])
        return pause * self._rng.uniform(0.5, 1.5)


class Owner(Protocol):
    """Who uses the link."""

    @property
    def owed(self) -> int:
        """How many messages wait for their acceptance."""

    def begun(self, connection: Connection) -> None:
        """A connection stands; what was under way on the last one is not."""

    def acknowledged(self, packet: int, code: ReasonCode) -> None: ...

    def received(self, message: aiomqtt.Message) -> None: ...


class Link:
    """Runs until cancelled; raises `PublishError` for a refusal that the next attempt would meet again."""

    def __init__(self, broker: BrokerAddress, client_id: str, dialect: Dialect, owner: Owner, backoff: Backoff) -> None:
        self.connection: Connection | None = None
        self.trouble = ""
        """Why there is no connection, or was none before this one; empty when all is well."""
        self._broker, self._client_id, self._dialect = broker, client_id, dialect
        self._owner, self._backoff = owner, backoff

    async def run(self) -> None:
        while True:
            connection = Connection(self._broker, self._client_id, self._dialect, self._owner.acknowledged)
            try:
                async with connection:
                    self._begin(connection)
                    async for message in connection.messages:
                        self._owner.received(message)
            except aiomqtt.MqttError as exc:
                self._note(exc)
            finally:
                self.connection = None
            await asyncio.sleep(self._backoff.next_s())

    def _begin(self, connection: Connection) -> None:
        self.connection = connection
        if self.trouble:
            _log.info("broker reached", broker=self._broker.label, owed=self._owner.owed)
        self.trouble = ""
        self._owner.begun(connection)

    def _note(self, exc: aiomqtt.MqttError) -> None:
        """Report a lost or failed connection once; one that the broker refuses for good ends the link."""
        if refusal := self._refusal(exc):
            raise PublishError(refusal) from exc
        if not self.trouble:
            _log.warning("broker lost", broker=self._broker.label, error=str(exc), owed=self._owner.owed)
        self.trouble = str(exc)

    def _refusal(self, exc: aiomqtt.MqttError) -> str | None:
        code = exc.rc if isinstance(exc, aiomqtt.MqttCodeError) else None
        if isinstance(code, ReasonCode) and code.value in FINAL:
            return f"the broker at {self._broker.label} refuses the connection: {code}"
        # aiomqtt hides what went wrong below it, Python does not.
        match exc.__context__:
            case ssl.SSLCertVerificationError(verify_message=why):
                return f"the certificate of the broker at {self._broker.label} is not trusted: {why}"
        return None
