"""Where one MQTT packet ends, the same in every version of the protocol."""

from __future__ import annotations

LONGEST_HEADER = 5
_CONTINUES = 0x80


def declared_size(head: bytes) -> int | None:
    """Total size of the packet that starts with `head`, None while its length is not complete.

    A header of `LONGEST_HEADER` bytes without a complete length is not MQTT.
    """
    remaining = 0
    for index, byte in enumerate(head[1:LONGEST_HEADER]):
        remaining |= (byte & 0x7F) << (7 * index)
        if byte < _CONTINUES:
            return 2 + index + remaining
    return None
