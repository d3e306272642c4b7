"""Requests at set instants over kept connections, with next to nothing done in the process that measures.

A client that does everything HTTP allows takes 1.8 ms of CPU for an answer of 45 kB, this one 0.3 ms: on two cores that
is more than the service takes, and it would be measured with it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Self
from urllib.parse import urlsplit

from service.bench.running import UnexpectedAnswerError

_OK: Final = b"http/1.1 200 "
_LENGTH: Final = b"\ncontent-length: "

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Asker:
    """GET with a key, one request at a time on each connection; as many as there are requests under way.

    Its connections end with the `with` block.
    """

    def __init__(self, url: str, key: str) -> None:
        place = urlsplit(url)
        self._host, self._port = str(place.hostname), int(place.port or 80)
        self._head = f"host: {place.netloc}\r\nauthorization: Bearer {key}\r\naccept-encoding: identity\r\n\r\n"
        self._free: deque[Line] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _reader, writer in self._free:
            writer.close()

    async def get(self, path: str) -> bytes:
        # The one that waited longest: none is left alone until the service gives it up.
        reader, writer = line = self._free.popleft() if self._free else await self._connected()
        writer.write(f"GET {path} HTTP/1.1\r\n{self._head}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(_OK):
            raise UnexpectedAnswerError(f"GET {path}: {head.decode(errors='replace').splitlines()[0]}")
        body = await reader.readexactly(int(head.partition(_LENGTH)[2].partition(b"\r")[0]))
        self._free.append(line)
        return body

    async def _connected(self) -> Line:
        return await asyncio.open_connection(self._host, self._port)


async def spread(ask: Callable[[], Awaitable[bytes]], per_s: float, seconds: float, warm_up: int) -> list[float]:
    """Ask at even instants; milliseconds from each instant to its whole answer, without those of the warm-up."""
    began = time.monotonic()

    async def one(number: int) -> float:
        due = began + number / per_s
        await asyncio.sleep(due - time.monotonic())
        await ask()
        return 1000 * (time.monotonic() - due)

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(one(number)) for number in range(warm_up + round(per_s * seconds))]
    return [task.result() for task in asked[warm_up:]]


async def in_turn(ask: Callable[[], Awaitable[bytes]], times: int, warm_up: int) -> list[float]:
    """Ask again when the answer is there; milliseconds of each, without those of the warm-up."""
    took = []
    for _ in range(warm_up + times):
        began = time.monotonic()
        await ask()
        took.append(1000 * (time.monotonic() - began))
    return took[warm_up:]
