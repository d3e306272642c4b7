"""Messages of the simulators as SenML instead of JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sensors.kind import Kinds
from sensors.payload import PayloadCodec, Rejected
from sensors.senml_pack import encode_pack
from sensors.topics import parse_reading_topic


class SenmlFormat:
    """Rewrites payloads; one that cannot be decoded was spoilt on purpose, and is sent as it is."""

    def __init__(self, kinds: Kinds) -> None:
        self._codecs = {name: PayloadCodec(kind) for name, kind in kinds.items()}

    def of(self, topic: str, payload: bytes) -> bytes:
        place = parse_reading_topic(topic)
        codec = self._codecs.get(place.kind) if place else None
        reading = codec.decode(payload) if codec else None
        if place is None or codec is None or reading is None or isinstance(reading, Rejected):
            return payload
        return encode_pack(reading, codec.kind, place.thing)

    async def all_of(self, messages: AsyncIterator[tuple[str, bytes]]) -> AsyncIterator[tuple[str, bytes]]:
        async for topic, payload in messages:
            yield topic, self.of(topic, payload)
