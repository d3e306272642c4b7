"""The dead man's switch calls as long as everything works, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.delivery.deadman import STALE_S, call_while_alive

WAIT_S = 10.0


class Called:
    """Counts calls."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[bytes] = asyncio.Queue()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def next(self) -> bytes:
        return await asyncio.wait_for(self.calls.get(), WAIT_S)


@pytest.fixture
async def called(source: Any) -> AsyncIterator[Called]:
    one = Called()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    async with server:
        one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ping"
        task = asyncio.create_task(call_while_alive(one.url, source, every_s=0.02, behind_s=30), name="deadman")
        yield one
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        server.close()


async def test_it_calls_while_everything_works(called: Called) -> None:
    assert (await called.next()).startswith(b"POST /ping ")
    await called.next()


@pytest.mark.parametrize("trouble", ["database", "ingest", "readings"])
async def test_it_falls_silent_when_something_does_not_work_and_calls_again_afterwards(
    called: Called, source: Any, trouble: str
) -> None:
    await called.next()
    well = source.behind
    if trouble == "database":
        source.away = True
    elif trouble == "ingest":
        source.behind = replace(well, held=())
    else:
        source.behind = replace(well, now=well.committed_at + timedelta(seconds=STALE_S + 1))
    await asyncio.sleep(0.05)  # one that is under way may still arrive
    while not called.calls.empty():
        called.calls.get_nowait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(called.calls.get(), 0.3)
    source.away, source.behind = False, well
    await called.next()
