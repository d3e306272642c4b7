"""Serves an app with uvicorn inside a running event loop. Signals are the service's: cancelling is the way to stop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from api.app import broadcasting, end_streams
from api.security import require_loopback
from sensors.errors import OperatorError

_GRACE_S = 3
"""How long requests under way may take after a stop; longer would break the promise that Ctrl-C ends within 5 s."""


_STALLED_MS = 60_000
"""How long a client may take nothing while something waits for it; then the kernel ends its connection. Nobody else
does: an answer that cannot be sent has no end. Shorter cuts off a laptop between two networks, longer keeps memory."""
_SEND_BYTES = 1 << 17
"""What the kernel may hold for a client that does not read, half of what it then takes; left alone it takes up to 4 MB.
Less slows down who is far away: at 100 ms of round trip this is 2.5 MB/s."""


class CannotListenError(OperatorError):
    """An address that cannot be served; one line for the user."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, saying when it accepts connections."""

    def __init__(self, config: uvicorn.Config, on_accepting: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_accepting = on_accepting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_accepting()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: FastAPI, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` gets the page's URL once it answers (port 0 chooses a free one).

    Raises `NotLoopbackError` or `CannotListenError` before anything is served.
    """
    require_loopback(host)
    with bind(host, port) as listener:
        server = _Server(_config(app), lambda: ready(address(listener)))
        async with broadcasting(app):
            await _serve(app, server, listener)


async def _serve(app: FastAPI, server: _Server, listener: socket.socket) -> None:
    """Serve until cancelled; then end the streams first, because uvicorn waits for every open answer."""
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        end_streams(app)
        server.should_exit = True
        await serving
        raise


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        ws="none",
    )


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, what it accepts bounded in memory and in time; raises `CannotListenError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol left at 0 asyncio does not switch Nagle's algorithm off, and every answer that takes two packets
    # waits 40 ms for the client's delayed acknowledgement (measured: a month of one sensor in 52 ms instead of 10).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED_MS)
        listener.bind((host.strip("[]"), port))
    except OSError as exc:
        listener.close()
        raise CannotListenError(_reason(host, port, exc)) from exc
    return listener


def _reason(host: str, port: int, exc: OSError) -> str:
    if exc.errno == errno.EADDRINUSE:
        return f"{host}:{port} is in use by another program: choose another port with --http {host}:PORT"
    return f"cannot listen on {host}:{port} ({exc.strerror}): choose another address with --http 127.0.0.1:PORT"


def address(listener: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
