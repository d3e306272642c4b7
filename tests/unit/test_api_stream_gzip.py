from __future__ import annotations

import zlib
from typing import Any

import pytest

from api.stream_gzip import StreamGzip

EVENTS = [b"data: one\n\n" * 200, b"data: two\n\n"]


async def _answer(media_type: bytes, accepted: bytes) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", media_type)]})
        for event in EVENTS:
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def keep(message: Any) -> None:
        sent.append(message)

    async def nothing() -> Any:
        return {"type": "http.disconnect"}

    await StreamGzip(app)({"type": "http", "headers": [(b"accept-encoding", accepted)]}, nothing, keep)
    return sent


async def test_each_event_of_a_packed_stream_can_be_read_as_it_comes() -> None:
    start, *bodies = await _answer(b"text/event-stream; charset=utf-8", b"gzip, br")
    unpacker = zlib.decompressobj(31)
    assert (b"content-encoding", b"gzip") in start["headers"]
    assert [unpacker.decompress(body["body"]) for body in bodies] == [*EVENTS, b""]
    assert unpacker.eof
    assert len(bodies[0]["body"]) < len(EVENTS[0]) / 10


@pytest.mark.parametrize(
    ("media_type", "accepted"), [(b"text/event-stream", b"identity"), (b"application/json", b"gzip")]
)
async def test_nothing_else_is_packed(media_type: bytes, accepted: bytes) -> None:
    start, *bodies = await _answer(media_type, accepted)
    assert start["headers"] == [(b"content-type", media_type)]
    assert [body["body"] for body in bodies] == [*EVENTS, b""]
