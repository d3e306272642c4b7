"""Messages that are not one plain JSON reading: lists of readings, SenML packs, gzip. Everything here is bounded.

The content type says what a message is; without one (MQTT 3.1.1 has none) its shape does, but for gzip. A message stays
the unit of acknowledgement; each reading in it is stored or quarantined by itself, with its place in the message, and
is kept in quarantine in a form that can be ingested alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ingest.routing import Route
from ingest.transport import MAX_PACKET_BYTES, Frame
from sensors.payload import UNREADABLE, Reading, Reason, Rejected, unreadable
from sensors.senml import Speaker, is_senml, resolve

JSON = "application/json"
SENML = "application/senml+json"
GZIP = "application/gzip"
GZIP_SUFFIX = "+gzip"
"""`application/json+gzip`, `application/senml+json+gzip`; the suffix is that of RFC 8460."""

MAX_READINGS = 1_000
"""Of one message: two batches of a busy second from a gateway. Too low and gateways need more messages after an outage;
too high and one message holds up the readings behind it."""
MAX_UNPACKED_BYTES = MAX_PACKET_BYTES
"""What gzip may unpack to: as much as could have been sent plainly. A bomb is stopped there."""

_GZIP_WBITS = 16 + zlib.MAX_WBITS


class Part(NamedTuple):
    """One reading of a message, or why it is none; `frame` is the message as if it had carried this alone."""

    frame: Frame
    reading: Reading | Rejected


def is_plain(frame: Frame) -> bool:
    """Whether a message that is no single reading was not meant to be anything else either."""
    return not frame.payload[:64].lstrip().startswith(b"[")


def unpack(frame: Frame, route: Route) -> list[Part]:
    """The readings of a message, at least one part."""
    media = _media_type(frame.content_type)
    if media == GZIP or media.endswith(GZIP_SUFFIX):
        payload = _gunzip(frame.payload)
        if isinstance(payload, Rejected):
            return [Part(frame, payload)]
        frame, media = _with(frame, payload), media.removesuffix(GZIP_SUFFIX)
    if media == SENML:
        return list(_senml(frame, route))
    if is_plain(frame):
        return [Part(frame, route.decode(frame.payload))]
    return list(_array(frame, route))


def _array(frame: Frame, route: Route) -> Iterator[Part]:
    """A list of readings, each element by itself, or a SenML pack."""
    elements = _elements(frame.payload)
    if isinstance(elements, Rejected):
        yield Part(frame, elements)
    elif _begins_senml(elements[0]):
        yield from _senml(frame, route)
    elif (long := _too_many(len(elements))) is not None:
        yield Part(frame, long)
    else:
        for number, element in enumerate(elements, 1):
            payload = bytes(element)
            yield Part(_with(frame, payload, f"reading {number} of {len(elements)}: "), route.decode(payload))


def _elements(payload: bytes) -> list[msgspec.Raw] | Rejected:
    try:
        elements = msgspec.json.decode(payload, type=list[msgspec.Raw])
    except UNREADABLE as exc:
        return unreadable(exc, payload)
    return elements or Rejected(Reason.EMPTY, "a list without readings")


def _too_many(readings: int) -> Rejected | None:
    if readings <= MAX_READINGS:
        return None
    return Rejected(Reason.OVERSIZED, f"{readings} readings; at most {MAX_READINGS} in one message")


def _senml(frame: Frame, route: Route) -> Iterator[Part]:
    known = route.known
    resolved = resolve(frame.payload, Speaker(known.site, known.thing, known.kind), frame.received_us)
    if not isinstance(resolved, Rejected):
        resolved = _too_many(len(resolved)) or resolved
    if isinstance(resolved, Rejected):
        yield Part(frame, resolved)
        return
    for number, (said, pack) in enumerate(resolved, 1):
        part = _with(frame, pack, f"reading {number} of {len(resolved)}: ")
        yield Part(part, said if isinstance(said, Rejected) else route.convert(said))


def _begins_senml(element: msgspec.Raw) -> bool:
    try:
        return is_senml(msgspec.json.decode(element, type=dict[str, msgspec.Raw]))
    except UNREADABLE:
        return False


def _gunzip(payload: bytes) -> bytes | Rejected:
    """Unpack one member, never more than the bound."""
    member = zlib.decompressobj(_GZIP_WBITS)
    try:
        plain = member.decompress(payload, MAX_UNPACKED_BYTES + 1)
    except zlib.error as exc:
        return Rejected(Reason.MALFORMED, f"not gzip: {exc}")
    if len(plain) > MAX_UNPACKED_BYTES:
        return Rejected(Reason.OVERSIZED, f"gzip unpacks to more than {MAX_UNPACKED_BYTES} bytes")
    if not member.eof or member.unused_data:
        return Rejected(Reason.MALFORMED, "gzip ends too early, or something follows its end")
    return plain


def _media_type(content_type: str | None) -> str:
    return "" if content_type is None else content_type.partition(";")[0].strip().lower()


def _with(frame: Frame, payload: bytes, part: str = "") -> Frame:
    return Frame(frame.topic, payload, frame.received_us, frame.token, frame.qos, frame.retain, None, part)
