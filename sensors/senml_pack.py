"""One reading as a SenML pack (RFC 8428), the way back of `sensors.senml`: what is resolved again is the same reading.

Names are the fields' behind the sensor's id, units in the spelling of the SenML registries where there is one. `seq`
and `boot` are records. What a device says of itself (`health`) has no place in a pack and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sensors.kind import Kind
from sensors.payload import Reading
from sensors.senml import EPOCH, SPELLINGS

_AMBIGUOUS = "1"
"""A count and a share are both 1 to us, and two units to the registry: a record may leave its unit out."""


def encode_pack(reading: Reading, kind: Kind, thing: str) -> bytes:
    """Encode a decoded reading of one kind; values that are missing are left out."""
    first, *others = _records(reading, kind)
    # Microseconds since 1970 stay below 2^53: a double of seconds returns them exactly, rounded.
    base = {"bn": f"{thing}/", "bt": (reading.time - EPOCH).total_seconds()}
    return msgspec.json.encode([{**base, **first}, *others])


def _records(reading: Reading, kind: Kind) -> Iterator[dict[str, object]]:
    for field in kind.fields:
        if (value := getattr(reading, field.name)) is not None:
            yield {"n": field.name, **_unit(field.unit), "v": value}
    for text in kind.texts:
        if (said := getattr(reading, text.name)) is not None:
            yield {"n": text.name, "vs": said}
    for counter, number in (("seq", reading.seq), ("boot", reading.boot)):
        if number is not None:
            yield {"n": counter, "v": number}


def _unit(unit: str) -> dict[str, object]:
    return {} if unit == _AMBIGUOUS else {"u": SPELLINGS.get(unit, (unit,))[0]}
