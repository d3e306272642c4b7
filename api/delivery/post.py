"""One POST to a receiver, bounded in time and in what is read of the answer. Redirects are not followed."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpcore

from api.delivery.guard import AddressGuard, GuardedBackend, TargetRefused, check_url

ANSWER_S = 15.0
"""From the connection to the end of the answer: the specification advises 15 to 30 s. Longer lets a receiver that hangs
hold up its own alerts; shorter gives up on one that is busy."""
ANSWER_BYTES = 65_536
_EXCERPT = 500
_SUCCESS = range(200, 300)
_GONE = 410


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. status: None where there was no answer. gone: the receiver wants nothing more."""

    delivered: bool
    status: int | None
    error: str | None
    duration_ms: float
    answer: bytes = b""
    retry_after_s: float | None = None
    gone: bool = False

    @property
    def excerpt(self) -> str:
        """The beginning of the answer, for the log that people read."""
        return self.answer[:_EXCERPT].decode(errors="replace").replace("\0", "")


class Poster:
    """Sends to receivers over connections that are kept for a while; use it as a context."""

    def __init__(self, guard: AddressGuard, answer_s: float = ANSWER_S) -> None:
        trusted = ssl.create_default_context()
        self._answer_s = answer_s
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=trusted,
                max_connections=100,
                max_keepalive_connections=20,
                keepalive_expiry=30.0,
                network_backend=GuardedBackend(guard, encrypted=scheme == "https"),
            )
            for scheme in ("https", "http")
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send once; whatever goes wrong out there is an outcome and not an exception."""
        began = time.monotonic()
        try:
            check_url(url)
            async with asyncio.timeout(self._answer_s):
                status, answer, retry_after_s = await self._send(url, headers, body)
        except TimeoutError:
            return _failed(f"no complete answer within {self._answer_s:g} s", began)
        except TargetRefused as exc:
            return _failed(str(exc), began)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as exc:
            return _failed(f"{type(exc).__name__}: {exc}".rstrip(": "), began)
        error = None if status in _SUCCESS else f"answered {status}"
        return Outcome(status in _SUCCESS, status, error, _ms(began), answer, retry_after_s, status == _GONE)

    async def _send(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes, float | None]:
        pool = self._pools[urlsplit(url).scheme]
        head = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with pool.stream("POST", url, headers=head, content=body) as response:
            kept = bytearray()
            async for piece in response.aiter_stream():
                kept += piece
                if len(kept) > ANSWER_BYTES:
                    raise httpcore.ProtocolError(f"the answer is longer than {ANSWER_BYTES} bytes")
            return response.status, bytes(kept), _retry_after_s(response)


def _retry_after_s(response: httpcore.Response) -> float | None:
    """In seconds only: the date that the header may hold instead is rare and its clock is not ours."""
    value = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"")
    return float(value) if value.isdigit() and len(value) < len("100000") else None


def _failed(error: str, began: float) -> Outcome:
    return Outcome(delivered=False, status=None, error=error, duration_ms=_ms(began))


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
