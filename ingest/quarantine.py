"""How a message enters the quarantine: its reason, and of its content only what may be kept."""

from __future__ import annotations

from ingest.columns import Numbers, Quarantined
from ingest.redact import TOPIC_CHARACTERS, mask, redact, redact_detail
from ingest.transport import Frame
from sensors.payload import Rejected

DETAIL_CHARACTERS = 300
"""Of an explanation, which may quote a field name of a sender's choosing."""


def quarantined(frame: Frame, site: str | None, thing: str | None, why: Rejected, numbers: Numbers = ()) -> Quarantined:
    """The entry of a frame; everything in it has been through `ingest.redact`."""
    kept = redact(frame.payload)
    return Quarantined(
        topic=mask(frame.topic[:TOPIC_CHARACTERS]),
        payload=kept.payload,
        reason=why.reason,
        detail=redact_detail(f"{frame.part}{why.detail}"[: 2 * DETAIL_CHARACTERS])[:DETAIL_CHARACTERS],
        received_us=frame.received_us,
        site=site and mask(site),
        thing=thing and mask(thing),
        length=len(frame.payload),
        whole=kept.whole and len(frame.topic) <= TOPIC_CHARACTERS,
        redacted=kept.redacted,
        content_type=frame.content_type and mask(frame.content_type[:_MEDIA_TYPE_CHARACTERS]),
        numbers=numbers,
    )


_MEDIA_TYPE_CHARACTERS = 100
