"""Whom webhooks may be sent to: what everybody can reach, and private networks only where a setting names them.

The address is checked when the connection is made, and the connection is made to the address that was checked: a name
that is harmless when it is registered and points inside when it is used is refused like any other.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpcore

from sensors.errors import OperatorError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_URL = 2000
_PORTS = {"https": 443, "http": 80}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class TargetRefused(OperatorError):  # noqa: N818  an answer, not a failure
    """A target to which nothing is sent; the message says why."""


class NetworkError(OperatorError):
    """A network in the settings that is none."""


def networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Networks by CIDR; raises `NetworkError`."""
    found = []
    for name in names:
        try:
            found.append(ipaddress.ip_network(name))
        except ValueError as exc:
            raise NetworkError(f"setting webhook_private_networks: {name!r} is no network such as 10.1.0.0/16") from exc
    return tuple(found)


def check_url(url: str) -> None:
    """Refuse what cannot be a target whatever it resolves to; raises `TargetRefused`."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as exc:
        raise TargetRefused(f"{url[:100]!r} is not a URL: {exc}") from exc
    if parts.scheme not in _PORTS or not host or len(url) > MAX_URL or not url.isprintable() or not url.isascii():
        raise TargetRefused(f"{url[:100]!r} is not a URL such as https://receiver.example/vigie, in ASCII")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise TargetRefused("a target has no user, password or fragment: signatures say who we are")
    if port == 0:
        raise TargetRefused("port 0 is none")


class AddressGuard:
    """Decides about addresses. `private`: networks that are reached although they are private."""

    def __init__(self, private: Sequence[Network] = ()) -> None:
        self._private = tuple(private)

    def check(self, address: Address, *, encrypted: bool) -> None:
        """Raises `TargetRefused`; what is not encrypted may only go to networks that a setting names."""
        named = any(address in network for network in self._private if network.version == address.version)
        if named:
            return
        if not _is_public(address):
            raise TargetRefused(
                f"{address} is private, loopback or link-local; the setting webhook_private_networks can allow it"
            )
        if not encrypted:
            raise TargetRefused(f"{address} is public: use https, because alerts would cross the internet in the clear")


def _is_public(address: Address) -> bool:
    """Also behind what wraps an IPv4 address into an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inside is not None:
            return _is_public(inside)
    return address.is_global and not address.is_multicast


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections only to addresses that the guard lets pass, all that a name has being asked about."""

    def __init__(self, guard: AddressGuard, *, encrypted: bool) -> None:
        self._guard = guard
        self._encrypted = encrypted
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await self._checked(host, port)
        return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del timeout, socket_options
        raise TargetRefused(f"{path} is no address")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _checked(self, host: str, port: int) -> Address:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as exc:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {exc.strerror}") from exc
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        for address in addresses:
            self._guard.check(address, encrypted=self._encrypted)
        return addresses[0]
