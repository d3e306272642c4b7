"""Faults of the payload itself: what is sent is not what was measured, or is no reading at all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final

import msgspec

from simulators.faults.effect import FaultEffect

TOO_MANY: Final = 1_200
"""Readings in an oversized message: more than the 1,000 that one message may carry (docs/payloads.md)."""

_ENVELOPE: Final = frozenset({"time", "seq", "boot", "health"})

_LAST_NUMBER: Final = re.compile(rb"(.*):-?[0-9.]+(?=[,}])")

_GARBLED: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda payload: _LAST_NUMBER.sub(rb"\1:NaN", payload, count=1),
    lambda payload: payload.replace(b":", b"", 1),
    lambda payload: payload.decode().encode("utf-16-le"),
    lambda _: b"ERROR 17 SENSOR NOT READY\r\n",
)
"""What devices send instead of JSON: a number JSON does not know, a sign lost, another encoding, words."""


class Truncated(FaultEffect):
    """The beginning of each payload: a buffer that was too small."""

    def payload(self, payload: bytes) -> bytes:
        return payload[: min(max(1, int(len(payload) * self.case.size)), len(payload) - 1)]


class Invalid(FaultEffect):
    """What is not JSON, one way or another."""

    def payload(self, payload: bytes) -> bytes:
        return _GARBLED[int(self.case.rng.integers(len(_GARBLED)))](payload)


class WrongType(FaultEffect):
    """JSON whose numbers are texts."""

    def payload(self, payload: bytes) -> bytes:
        reading: dict[str, object] = msgspec.json.decode(payload)
        return msgspec.json.encode({k: v if k in _ENVELOPE else str(v) for k, v in reading.items()})


class Oversized(FaultEffect):
    """The same reading again and again, as one list: a device that sends its whole buffer at once."""

    def payload(self, payload: bytes) -> bytes:
        times = max(TOO_MANY, math.ceil(self.case.size / (len(payload) + 1)))
        return b"[" + b",".join([payload] * times) + b"]"
