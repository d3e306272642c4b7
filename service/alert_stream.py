"""The stream of alerts as an integrator follows it: an event at a time, from the last id on after every break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Final

import httpcore
import msgspec

from sensors.errors import OperatorError

SILENT_S: Final = 45.0
"""A comment comes every 15 s: three missed are a dead line. Shorter drops a busy one, longer waits for nobody."""
RETRY_S: Final = 2.0
_TIMEOUTS: Final = {"connect": 10.0, "read": SILENT_S, "write": 10.0, "pool": 10.0}
_OK: Final = 200
_AWAY: Final = 503


class StreamRefusedError(OperatorError):
    """A service that does not give its stream, for a reason that does not pass by itself."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One event of a stream; `id` is the cursor to resume from, where it has one."""

    event: str
    data: bytes
    id: str | None


class Parser:
    """Server-sent events out of bytes, however they are cut."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[bytes, bytes] = {}

    def feed(self, chunk: bytes) -> Iterator[Sent]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b": ")
            if name and value:
                self._fields[name] = value
            elif not name:
                yield from self._end()

    def _end(self) -> Iterator[Sent]:
        fields, self._fields = self._fields, {}
        if b"data" in fields:
            id_ = fields.get(b"id")
            yield Sent(fields.get(b"event", b"message").decode(), fields[b"data"], id_.decode() if id_ else None)


async def connection(url: str, key: str | None, after: str | None) -> AsyncGenerator[Sent]:
    """The events of one connection until it ends. Raises `StreamRefusedError`, and what httpcore raises."""
    headers = [("accept", "text/event-stream")]
    headers += [("authorization", f"Bearer {key}")] if key else []
    headers += [("last-event-id", after)] if after else []
    parser, extensions = Parser(), {"timeout": _TIMEOUTS}
    async with (
        httpcore.AsyncConnectionPool() as pool,
        pool.stream("GET", url, headers=headers, extensions=extensions) as answer,
    ):
        if answer.status == _AWAY:
            return
        if answer.status != _OK:
            raise StreamRefusedError(f"{url} answers {answer.status}: {_detail(await answer.aread())}")
        async for chunk in answer.aiter_stream():
            for sent in parser.feed(chunk):
                yield sent


async def follow(url: str, key: str | None, after: str | None) -> AsyncGenerator[Sent]:
    """Events from `after` on for ever: a line that breaks is opened again where it was."""
    cursor = after
    while True:
        try:
            async for sent in connection(url, key, cursor):
                cursor = sent.id or cursor
                yield sent
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
            pass  # the service restarts, or the line is dead: what was missed is there when it is open again
        await asyncio.sleep(RETRY_S)


def _detail(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["detail"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return "it is not the stream of docs/api.md"
