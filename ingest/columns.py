"""What ingest hands to the store: readings of one kind as columns, one batch per transaction, and the sink's Protocol.

No object per reading leaves ingest. Missing numbers are NaN here and NULL in the database; absent counters are -1 here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.sequence import Settled
from sensors.errors import OperatorError
from sensors.kind import Kind
from sensors.payload import Reason

ABSENT = -1
"""A `seq` or `boot` that the sender did not give."""


Numbers = tuple[tuple[int, int], ...]
"""Boot (-1 where absent) and seq of readings."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings of one kind, as columns, in order of arrival; n = len(time_us)."""

    kind: Kind
    time_us: NDArray[np.int64]
    """(n,) when it was measured, microseconds since 1970 UTC."""
    received_us: NDArray[np.int64]
    """(n,) when it reached us, microseconds since 1970 UTC."""
    thing: list[str]
    """Sensor or corridor ids."""
    site: list[str]
    boot: NDArray[np.int64]
    """(n,) the sender's boot, -1 where absent."""
    seq: NDArray[np.int64]
    """(n,) the sender's count within its boot, -1 where absent."""
    quality: NDArray[np.int16]
    """(n,) bits of `sensors.level.Quality`."""
    values: NDArray[np.float32]
    """(n, len(kind.fields)) in the units of the fields; NaN = missing."""
    texts: tuple[list[str | None], ...]
    """One list per `kind.texts`."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that could not be decoded, identified or timed; made by `ingest.quarantine`, which redacts it.

    `length` is that of the payload that came. `whole` says that `payload` is it, so that it can be decoded again,
    `redacted` that something about people may have been in it.
    """

    topic: str
    payload: bytes
    reason: Reason
    detail: str
    received_us: int
    site: str | None
    thing: str | None
    length: int
    whole: bool = True
    redacted: bool = False
    content_type: str | None = None
    numbers: Numbers = ()
    """Of its readings, as far as they can be read and the topic's sensor is known: these are settled."""


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """What a device said of itself along with a reading."""

    thing: str
    site: str
    time_us: int
    battery_v: float | None
    rssi_dbm: float | None
    firmware: str | None


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far the clock of a sensor is ahead of ours, negative when it is behind, and when that was measured."""

    thing: str
    offset_s: float
    measured_us: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one transaction stores. `remarks` counts readings by remark, `clocks_off` sensors at present."""

    slot: int
    columns: tuple[Columns, ...]
    quarantined: tuple[Quarantined, ...]
    health: tuple[DeviceHealth, ...]
    clocks: tuple[ClockOffset, ...] = ()
    remarks: Mapping[str, int] = field(default_factory=dict, compare=False)
    clocks_off: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: every message is counted in exactly one of the four.

    `settled` is what its senders may be told now.
    """

    committed: int
    duplicates: int
    conflicts: int
    quarantined: int
    settled: tuple[Settled, ...] = field(default=(), compare=False, repr=False)


class SinkUnavailable(Exception):  # noqa: N818  a state of the world, not a programming error
    """Nothing of the batch is stored and trying again later may help."""


class SinkRefused(Exception):  # noqa: N818  as above
    """Nothing of the batch is stored and trying the same again will not help: something in it is at fault."""


class SlotLost(OperatorError):  # noqa: N818  as above
    """Another process holds the slot now: step down, do not fight."""


class Sink(Protocol):
    """Where batches become durable; the store implements it."""

    async def write(self, batch: Batch) -> Outcome:
        """Store the batch in one transaction and return after its COMMIT.

        Raises `SinkUnavailable`, `SinkRefused` or `SlotLost`; then nothing of the batch is stored.
        """
        ...
