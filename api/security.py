"""What protects a service without access keys: loopback only, known Host headers only, and headers that bind browsers.

There are no CORS headers on purpose: another origin's page has no business reading this service.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem
from sensors.errors import OperatorError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]/@\s]+))(?::\d{1,5})?")

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


class NotLoopbackError(OperatorError):
    """An address that other machines could reach, asked for before there are access keys."""


def require_loopback(host: str) -> None:
    """Refuse a bind address that other machines can reach; raises `NotLoopbackError` with one line for the user."""
    if not _is_loopback(host):
        raise NotLoopbackError(
            f"{host!r} can be reached from other machines and there are no access keys yet: "
            "use --http 127.0.0.1:PORT, and a proxy with its own sign-in for others"
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
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        header = Headers(scope=scope).get("host", "")
        if host_of(header) in self._allowed:
            await self._app(scope, receive, send_protected)
            return
        detail = f"The host {header[:100]!r} is not one of this service's; add its name to the allowed hosts."
        await Problem(421, "unknown-host", detail).response(scope["path"])(scope, receive, send_protected)
