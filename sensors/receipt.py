"""What the service tells a sender: how far the readings of a sensor or corridor are committed. Both ways, no IO.

Within a boot numbers count from 0. A number is settled once its reading is committed, or kept in quarantine because it
could not be used. `docs/receipts.md` tells a sender what to do with it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from sensors.payload import UNREADABLE

Gap = tuple[int, int]
"""First and last missing number."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far one boot is settled; `boot` is None where the sender gives none.

    Everything up to `seq` is settled (-1: nothing is). From there to `through` only what `gaps` names is missing;
    beyond it nothing is said yet. `quarantined` names the latest numbers that were kept apart instead of stored.
    """

    boot: int | None
    seq: int
    through: int
    gaps: tuple[Gap, ...] = ()
    quarantined: tuple[int, ...] = ()

    def covers(self, number: int) -> bool:
        """Whether the sender may forget this reading."""
        if number <= self.seq:
            return True
        return number <= self.through and not any(first <= number <= last for first, last in self.gaps)


class Receipt(Standing, frozen=True, kw_only=True):
    """The standing of the boot that began last, and of a few before it."""

    at: datetime
    earlier: tuple[Standing, ...] = ()

    def of(self, boot: int | None) -> Standing | None:
        """The standing of one boot; None where the receipt says nothing of it."""
        return next((standing for standing in (self, *self.earlier) if standing.boot == boot), None)


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Receipt)


def encode_receipt(receipt: Receipt) -> bytes:
    return _ENCODER.encode(receipt)


def decode_receipt(payload: bytes) -> Receipt | None:
    """Read a receipt; None for what is none."""
    try:
        return _DECODER.decode(payload)
    except UNREADABLE:
        return None


class _Numbers(msgspec.Struct):
    seq: int | None = None
    boot: int | None = None


_READABLE = msgspec.json.Decoder(_Numbers | list[_Numbers])
_BIGGEST = 2**63 - 1


def readable_numbers(payload: bytes) -> tuple[tuple[int | None, int], ...]:
    """Boot and number of the readings in a payload, whatever else it holds; none where it cannot be read."""
    try:
        found = _READABLE.decode(payload)
    except UNREADABLE:
        return ()
    entries = found if isinstance(found, list) else [found]
    numbers = [(entry.boot, entry.seq) for entry in entries if entry.seq is not None]
    return tuple((boot, seq) for boot, seq in numbers if 0 <= (boot or 0) <= _BIGGEST and 0 <= seq <= _BIGGEST)
