"""What protects before anybody is known: loopback only, known Host headers only, and headers that bind browsers.

There are no CORS headers on purpose: another origin's page has no business reading this service.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem
from sensors.errors import OperatorError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]/@\s]+))(?::\d{1,5})?")

MAX_BODY_BYTES = 1_048_576
"""Of one request: a plan of a week's appointments is a tenth. Lower refuses it, higher is memory for strangers."""
_TOO_LONG = f"A request has at most {MAX_BODY_BYTES} bytes; send it in parts."
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

_HEADERS = {
    # Everything of the page comes from this server; frames, plugins, forms and inline code have no use in it.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


_DOCUMENTS_ONLY = frozenset({"content-security-policy", "cross-origin-opener-policy", "permissions-policy"})
_PARTS = ("text/javascript", "text/css", "font/")
"""Types that no browser opens as a document, where the headers of documents mean nothing; a page has fifty of them."""


class NotLoopbackError(OperatorError):
    """An address that other machines could reach: there is no TLS here, and keys would be read on the way."""


def require_loopback(host: str) -> None:
    """Refuse a bind address that other machines can reach; raises `NotLoopbackError` with one line for the user."""
    if not _is_loopback(host):
        raise NotLoopbackError(
            f"{host!r} can be reached from other machines, and access keys would travel there unencrypted: "
            "use --http 127.0.0.1:PORT on loopback, and a proxy with TLS for others (setting allowed_hosts)"
        )


def _is_loopback(host: str) -> bool:
    """Decide without asking a resolver: a name other than localhost may point anywhere tomorrow."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_of(header: str) -> str | None:
    """The host of a Host header in lower case, without port and brackets; None when it is not one."""
    match = _HOST.fullmatch(header)
    return (match["v6"] or match["name"]).lower() if match else None


class Guard:
    """ASGI middleware: answers only known Host headers (421 otherwise) and adds the protective headers."""

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._allowed = LOOPBACK_NAMES | {host.lower().strip("[]") for host in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                part = headers.get("content-type", "").startswith(_PARTS)
                for name, value in _HEADERS.items():
                    if not (part and name in _DOCUMENTS_ONLY):
                        headers.setdefault(name, value)
            await send(message)

        problem = self._objection(Headers(scope=scope), scope["method"])
        if problem is not None:
            await problem.response(scope["path"])(scope, receive, send_protected)
            return
        await self._app(scope, _bounded(receive), send_protected)

    def _objection(self, headers: Headers, method: str) -> Problem | None:
        """Why a request is not let in: not our name, another site's page that acts, more than anybody has to say."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host_of(host) not in self._allowed:
            detail = f"The host {host[:100]!r} is not one of this service's; add its name to the allowed hosts."
            return Problem(421, "unknown-host", detail)
        if method not in _READING and origin is not None and not self._own(origin):
            detail = f"A page of {origin[:100]!r} may not act here; only this service's own page may."
            return Problem(403, "foreign-origin", detail)
        length = headers.get("content-length", "0")
        return None if length.isdigit() and int(length) <= MAX_BODY_BYTES else Problem(413, "body-too-long", _TOO_LONG)

    def _own(self, origin: str) -> bool:
        """Whether an Origin header names this service; `null` is a page that hides where it comes from."""
        return host_of(origin.partition("://")[2]) in self._allowed


def _bounded(receive: Receive) -> Receive:
    """A body without a length must not fill the memory either."""
    taken = 0

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LONG)
        return message

    return receive_bounded
