"""The Protocol between ingest and an MQTT broker: frames in, acknowledgements and receipts out.

A transport keeps one persistent session. It reconnects by itself; the consumer only ever sees frames, and two
exceptions that it cannot cure: the session was taken over by another holder, or the broker refuses this client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import msgspec

from sensors.errors import OperatorError

MAX_PACKET_BYTES = 1 << 20
"""The largest packet that we take (1 MiB). The broker must be configured with the same: with a higher limit it accepts,
acknowledges and never delivers a larger one; with a lower one senders are refused what we could store."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One message as it arrived.

    `token` is what `acknowledge` needs, None where nothing is to be acknowledged (QoS 0). `retain` is true only for a
    message that the broker had kept from before we subscribed. `part` is set on what was cut out of a message with
    several readings, and says which one it is.
    """

    topic: str
    payload: bytes
    received_us: int
    token: int | None = None
    qos: int = 0
    retain: bool = False
    content_type: str | None = None
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one session asks of its broker.

    `window` is the Receive Maximum: how many messages may be unacknowledged. Under 200 a commit's duration limits the
    rate; high values only need memory (measured: 2,000 to 4,000 is as fast as any). `session_expiry_s` is how long the
    broker keeps messages for us while we are away; too low loses a weekend's readings. `dropped` are filters that an
    earlier session may have had and that nobody wants now: a broker keeps them for ever unless it is told.
    """

    client_id: str
    filters: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    window: int = 4_000
    session_expiry_s: int = 7 * 86_400
    keepalive_s: float = 20.0


class BrokerUnavailable(Exception):  # noqa: N818  a state of the world, not a programming error
    """The broker cannot be reached or the connection broke; a transport retries this by itself."""


class BrokerRefused(OperatorError):  # noqa: N818  as above
    """The broker does not accept this client, user or subscription: the settings must change."""


class TakenOver(OperatorError):  # noqa: N818  as above
    """Another holder connected with our client id: step down, do not fight."""


class Transport(Protocol):
    """Frames in, acknowledgements out, over one persistent session."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection; the session and what it holds stay with the broker."""

    async def frames(self, limit: int) -> list[Frame]:
        """Take all frames that have arrived, in order, at least one and at most `limit`; wait while there is none.

        Raises `TakenOver` or `BrokerRefused`.
        """
        ...

    def acknowledge(self, frames: Sequence[Frame]) -> None:
        """Tell the broker that it may forget these; those of an earlier connection are left out.

        What is not acknowledged when a connection ends is delivered again by the next.
        """
        ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand one message to the broker at QoS 0, without waiting; False where there is no connection now."""
        ...
