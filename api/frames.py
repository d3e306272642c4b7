"""What goes over the wire of an event stream: a frame of text/event-stream for each event, made once for all streams.

Not FastAPI's own response, which moves every event through two queues and a timer of each stream: with these frames an
event costs a stream a third of the CPU, which is what a thousand streams on two cores are bound by.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from api.heartbeat import Heartbeat
from api.shapes import alert_json
from store.api_rows import EventRow

COMMENT = b": still there\n\n"
"""Keeps a line open on which nothing happens; clients leave it out."""
_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""Nothing on the way may keep or hold back an event."""


class EventStream(StreamingResponse):
    """An answer that goes on until its frames end or the client leaves."""

    media_type = "text/event-stream"

    @classmethod
    def of(cls, frames: AsyncIterator[bytes]) -> EventStream:
        return cls(frames, headers=_HEADERS)


def frame(event: str, data: str, *, id_: str | None = None, retry_ms: int | None = None) -> bytes:
    """One event; `data` is JSON, which has no line ends of its own. id_: the cursor to resume from."""
    lines = [f"event: {event}", f"data: {data}"]
    lines += [] if id_ is None else [f"id: {id_}"]
    lines += [] if retry_ms is None else [f"retry: {retry_ms}"]
    return ("\n".join(lines) + "\n\n").encode()


def resumed(retry_ms: int) -> bytes:
    """The first words of a stream that goes on: nothing happened, and how soon to come back."""
    return f": resumed\nretry: {retry_ms}\n\n".encode()


def alert_frame(row: EventRow) -> bytes:
    return frame("alert", alert_json(row), id_=str(row.id))


def heartbeat_frame(beat: Heartbeat) -> bytes:
    return frame("heartbeat", beat.json)
