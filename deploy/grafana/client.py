"""Grafana's HTTP API, as far as a push needs it: a few calls with JSON both ways, and one clear line when one fails.

Over httpcore, which Vigie has anyway, and not grafana-client: that brings urllib3-future, which takes the place of
urllib3 in the environment (tried 2026-11-28: with grafana-client 5.1.4, `import urllib3` is urllib3-future 2.25 for
requests and all that rests on it), for about ten calls whose answers have to be told apart here in any case.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpcore

from sensors.errors import OperatorError

ANSWER_S = 20.0
"""For one answer. A data source's health check waits for the database, 10 s; longer keeps a person waiting."""
OLDEST = (9, 4)
_NOT_FOUND, _UNAUTHORISED, _FORBIDDEN = 404, 401, 403


class GrafanaError(OperatorError):
    """What Grafana refused, or that it cannot be reached; one line for a person."""


class Refused(GrafanaError):  # noqa: N818  an answer, told by its status
    """Grafana answered, and not with success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Grafana:
    """One server and the token of a service account; use it as a context."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise GrafanaError(f"{url!r} is no address of a Grafana: write it as http://grafana.example:3000")
        self._token = token
        self._pool = httpcore.AsyncConnectionPool(ssl_context=ssl.create_default_context())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.aclose()

    async def require_known_version(self) -> str:
        """Give its version; raises `GrafanaError` for one that is too old, and for what is no Grafana."""
        status, answer = await self._send("GET", "/api/health", None)
        version = str(answer.get("version", "")) if isinstance(answer, dict) else ""
        numbers = version.split("-")[0].split(".")
        if not version or not all(number.isdigit() for number in numbers[:2]):
            raise GrafanaError(f"{self.url} is no Grafana: /api/health answered {status} without a version")
        if tuple(map(int, numbers[:2])) < OLDEST:
            raise GrafanaError(f"{self.url} is Grafana {version}: the dashboards need {OLDEST[0]}.{OLDEST[1]} or newer")
        return version

    async def find(self, path: str) -> Any:  # noqa: ANN401  JSON
        """Read something; None where there is nothing. Raises `GrafanaError`."""
        try:
            return await self.call("GET", path)
        except Refused as exc:
            if exc.status == _NOT_FOUND:
                return None
            raise

    async def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        """Read, write or delete; raises `GrafanaError`."""
        status, answer = await self._send(method, path, body)
        if status in range(200, 300):
            return answer
        said = str(answer.get("message", "")) if isinstance(answer, dict) else ""
        raise Refused(status, self._line(status, method, path, said))

    def _line(self, status: int, method: str, path: str, said: str) -> str:
        if status == _UNAUTHORISED:
            return f"{self.url} does not know the token: make one for a service account with the role Admin"
        if status == _FORBIDDEN:
            return (
                f"{self.url} does not let the token {method} {path} ({said}): the service account needs the role Admin"
            )
        return f"{self.url} answered {status} to {method} {path}: {said or 'without a reason'}"

    async def _send(self, method: str, path: str, body: object) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        try:
            async with asyncio.timeout(ANSWER_S):
                response = await self._pool.request(method, self.url + path, headers=self._headers(), content=content)
        except TimeoutError as exc:
            raise GrafanaError(f"{self.url} gave no answer to {method} {path} within {ANSWER_S:g} s") from exc
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as exc:
            raise GrafanaError(f"cannot reach Grafana at {self.url}: {str(exc) or type(exc).__name__}") from exc
        try:
            return response.status, json.loads(response.content) if response.content else None
        except ValueError:
            return response.status, None

    def _headers(self) -> dict[bytes | str, bytes | str]:
        return {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            # Alert rules stay editable in Grafana, as dashboards do; the next push takes them back.
            "X-Disable-Provenance": "true",
        }
