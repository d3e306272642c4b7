"""JSON payloads of one reading, both ways: `{"time": ..., "seq": ..., "boot": ..., <fields>, "health": {...}}`.

Bad data is a value: `decode` returns a `Rejected` with one of the `Reason`s. Nothing about people can enter: a field
that the kind does not declare is refused.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple, Protocol, cast

import msgspec
import numpy as np

from sensors.kind import Kind, Text

_FLOAT32_MAX = float(np.finfo(np.float32).max)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this no smart sensor existed: an earlier time is a clock that was never set (1970, 1980)."""


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not JSON, or not of the type: a key that is not UTF-8 is none of msgspec's
own errors."""


class Reason(enum.StrEnum):
    """Why a message is in quarantine; the same word in the log, in the metrics and in the API."""

    TOPIC = "topic"
    UNKNOWN_SENSOR = "unknown_sensor"
    IDENTITY = "identity"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    OVERSIZED = "oversized"
    NOT_IN_SCHEMA = "not_in_schema"
    WRONG_TYPE = "wrong_type"
    UNIT = "unit"
    EMPTY = "empty"
    TIME = "time"
    FUTURE = "future"
    REFUSED = "refused"
    """The database refuses it for good; the detail starts with its SQLSTATE."""


class Rejected(NamedTuple):
    """What could not be used, as a value."""

    reason: Reason
    detail: str


_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Number = Annotated[float, msgspec.Meta(ge=-_FLOAT32_MAX, le=_FLOAT32_MAX)]


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a device says of itself now and then."""

    battery_v: _Number | None = None
    rssi_dbm: _Number | None = None
    firmware: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._+-]{0,40}\Z")] | None = None


class Reading(Protocol):
    """What every decoded message has; the fields of its kind are attributes too, None where missing.

    `seq` counts up within a `boot`; `sensor` is there only where a sender repeats its id in the payload.
    """

    time: datetime
    seq: int | None
    boot: int | None
    sensor: str | None
    health: Health | None


class PayloadCodec:
    """Decode and encode the payloads of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.message_type = _struct(kind)
        self._decoder = msgspec.json.Decoder(self.message_type)
        measured = kind.field_names + kind.text_names
        self._values = attrgetter(*measured) if len(measured) > 1 else partial(_one, measured[0])
        self._nothing = (None,) * len(measured)

    def decode(self, payload: bytes) -> Reading | Rejected:
        """Decode one payload; a time before 2000 or without offset, or no value at all, is rejected."""
        try:
            reading = cast(Reading, self._decoder.decode(payload))
        except msgspec.ValidationError as exc:
            return Rejected(Reason.TIME if "`$.time`" in str(exc) else _misfit(exc), str(exc))
        except UNREADABLE as exc:
            return unreadable(exc, payload)
        if reading.time < EARLIEST or self._values(reading) == self._nothing:
            return _useless(reading)
        return reading

    def convert(self, envelope: Mapping[str, object]) -> Reading | Rejected:
        """The reading of values that were decoded from another format, under the same checks."""
        try:
            reading = cast(Reading, msgspec.convert(envelope, self.message_type))
        except msgspec.ValidationError as exc:
            return Rejected(_misfit(exc), str(exc))
        if reading.time < EARLIEST or self._values(reading) == self._nothing:
            return _useless(reading)
        return reading

    def encode(
        self,
        time: datetime,
        values: Mapping[str, float | str | None],
        *,
        seq: int | None = None,
        boot: int | None = None,
        health: Health | None = None,
    ) -> bytes:
        """Encode one reading; None and absent values are left out, floats keep their shortest exact form."""
        envelope = {"time": time.astimezone(UTC), "boot": boot, "seq": seq, **values, "health": health}
        return msgspec.json.encode({name: value for name, value in envelope.items() if value is not None})


def unreadable(exc: Exception, payload: bytes) -> Rejected:
    """Why bytes are no JSON: `exc` is one of `UNREADABLE`. A message that ends too early was cut on its way.

    One that was cut within a number ("6.") is told as an invalid number at its very end.
    """
    cut = "truncated" in str(exc) or f"invalid number (byte {len(payload)})" in str(exc)
    return Rejected(Reason.TRUNCATED if cut else Reason.MALFORMED, str(exc))


def _misfit(exc: msgspec.ValidationError) -> Reason:
    """A value of the wrong type ("Expected `float`, got `str`") or something that the schema does not have."""
    return Reason.WRONG_TYPE if ", got `" in str(exc) else Reason.NOT_IN_SCHEMA


def _useless(reading: Reading) -> Rejected:
    if reading.time < EARLIEST:
        return Rejected(Reason.TIME, f"{reading.time.isoformat()} is before 2000: the clock was never set")
    return Rejected(Reason.EMPTY, "no field of the kind has a value")


def _one(name: str, reading: Reading) -> tuple[object]:
    return (getattr(reading, name),)


def _struct(kind: Kind) -> type[msgspec.Struct]:
    """Build the message type of a kind: key fields are required, everything else may be missing or null."""
    measured: list[tuple[str, Any]] = [(field.name, _Number) for field in kind.fields]
    measured += [(text.name, _text_type(text)) for text in kind.texts]
    required = [(name, type_) for name, type_ in measured if name in kind.key]
    optional = [(name, type_ | None, None) for name, type_ in measured if name not in kind.key]
    envelope: list[Any] = [
        ("time", Annotated[datetime, msgspec.Meta(tz=True)]),
        *required,
        ("seq", _Count | None, None),
        ("boot", _Count | None, None),
        ("sensor", str | None, None),
        ("health", Health | None, None),
        *optional,
    ]
    return msgspec.defstruct(f"{kind.name}_reading", envelope, forbid_unknown_fields=True, kw_only=True, gc=False)


def _text_type(text: Text) -> Any:  # noqa: ANN401  a type form has no type of its own in Python 3.11
    if text.choices:
        return Literal[text.choices]
    return Annotated[str, msgspec.Meta(max_length=64, pattern=rf"^(?:{text.pattern})\Z")]
