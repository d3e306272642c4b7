"""The address of a broker: `mqtt://user:password@host:port` or `mqtts://...` with TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from sensors.errors import OperatorError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


class BrokerUrlError(OperatorError):
    """A broker URL that cannot be used."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are to it; the password never shows in repr."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """`host:port`, for logs."""
        return f"{self.host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context() if self.tls else None


def parse_broker_url(url: str) -> BrokerAddress:
    """Parse a URL; raises `BrokerUrlError` with a message that never contains the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as exc:
        raise BrokerUrlError(
            "a broker URL is mqtt://user:password@host:port; host or port of this one cannot be read"
        ) from exc
    if parts.scheme not in _PORTS:
        raise BrokerUrlError(f"a broker URL starts with mqtt:// or mqtts://, not {parts.scheme or 'nothing'!r}")
    if not host or port == 0:
        raise BrokerUrlError("a broker URL names a host, and a port from 1 to 65535: mqtt://user:password@host:port")
    return BrokerAddress(
        host=host,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )
