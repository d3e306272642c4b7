"""The address of a broker: `mqtt://user:password@host:port`, or `mqtts://...` with TLS.

With TLS it may name PEM files as a database's URL does: `mqtts://host?ca_file=/etc/vigie/ca.crt`.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from sensors.errors import OperatorError

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FILES = ("ca_file", "cert_file", "key_file")


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
    ca_file: Path | None = None
    """Authorities to trust instead of the system's, PEM."""
    cert_file: Path | None = None
    key_file: Path | None = None
    """Our own certificate and its key, PEM; the key may stand in the file of the certificate."""

    @property
    def label(self) -> str:
        """`host:port`, for logs."""
        return f"{self.host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext | None:
        """What to check the broker by, None without TLS; raises `BrokerUrlError` for a file that cannot be used."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as exc:
            raise BrokerUrlError(f"{self.ca_file}: no certificates of authorities in PEM: {_reason(exc)}") from exc
        if self.cert_file is not None:
            _load_own(context, self.cert_file, self.key_file)
        return context


def _load_own(context: ssl.SSLContext, cert_file: Path, key_file: Path | None) -> None:
    def refuse() -> str:
        # Without this OpenSSL would ask on the terminal.
        raise BrokerUrlError(f"{key_file or cert_file}: the key is protected by a passphrase: give one that is not")

    try:
        context.load_cert_chain(cert_file, key_file, refuse)
    except OSError as exc:
        names = f"{cert_file} and {key_file}" if key_file else str(cert_file)
        raise BrokerUrlError(f"{names}: no certificate in PEM with its key: {_reason(exc)}") from exc


def _reason(exc: OSError) -> str:
    return (exc.reason if isinstance(exc, ssl.SSLError) else exc.strerror) or str(exc)


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
        **_files(parts.query, tls=parts.scheme == "mqtts"),
    )


def _files(query: str, *, tls: bool) -> dict[str, Path]:
    files = {name: Path(value) for name, value in parse_qsl(query, keep_blank_values=True)}
    if unknown := sorted(files.keys() - set(_FILES)):
        raise BrokerUrlError(f"a broker URL may name {', '.join(_FILES)} after its '?', not {unknown[0]!r}")
    if files and not tls:
        raise BrokerUrlError(f"{min(files)} is for TLS: write the broker URL with mqtts://")
    if "key_file" in files and "cert_file" not in files:
        raise BrokerUrlError("key_file needs cert_file: name the certificate that the key belongs to")
    return files
