"""`vigie up` as it ships, on the servers of a benchmark, and a key that may ask as often as it likes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpcore
import msgspec

from sensors.errors import OperatorError
from service.access import give
from service.score.process import SystemProcess
from store.database import connected

_OFTEN: Final = 1_000_000
_BELOW_ERRORS: Final = 400


class UnexpectedAnswerError(OperatorError):
    """An answer without which there is nothing to measure."""


@asynccontextmanager
async def running_vigie(
    folder: Path, environ: Mapping[str, str], options: Sequence[str] = ()
) -> AsyncIterator[SystemProcess]:
    """Start `vigie up` with its home in `folder`; it has ended when the block does."""
    home = folder / "system"
    argv = [sys.executable, "-P", "-m", "service", "up", "--home", str(home), "--http", "127.0.0.1:0", *options]
    async with SystemProcess.running("vigie", argv, environ, folder / "vigie.log") as process:
        yield process


async def key_for_bench(database_url: str, scope: str) -> str:
    async with connected(database_url, name="bench") as conn:
        return (await give(conn, "key", "bench", scopes=[scope], per_minute=_OFTEN))[0]


class Client:
    """Requests with a key, on connections that are kept."""

    def __init__(self, pool: httpcore.AsyncConnectionPool, url: str, key: str) -> None:
        self._pool = pool
        self._url = url
        self._headers = [("authorization", f"Bearer {key}"), ("accept-encoding", "identity")]

    async def get(self, path: str) -> bytes:
        return await self._ask("GET", path)

    async def post(self, path: str, body: object) -> bytes:
        return await self._ask("POST", path, msgspec.json.encode(body))

    async def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        headers = [*self._headers, ("content-type", "application/json")] if content else self._headers
        answer = await self._pool.request(method, self._url + path, headers=headers, content=content)
        if answer.status >= _BELOW_ERRORS:
            raise UnexpectedAnswerError(
                f"{method} {path}: {answer.status} {answer.content[:200].decode(errors='replace')}"
            )
        return answer.content
