"""Many clients of the event stream at once: all get everything in order, whoever else does not read."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from service.access import give
from service.bench.memory import held
from store.database import connected
from store.events import NewEvent, append_events

PATIENCE_S = 240.0
EVENT_BYTES = 2000
RECEIVE_BYTES = 4096
"""What a client that does not read takes at most before its line is full; the kernel's own choice is megabytes."""


@dataclass
class Client:
    """One client of the stream; `ids` are what it got, in order."""

    ids: list[int] = field(default_factory=list)
    resume: str | None = None
    arrived: float = 0.0
    rest: bytes = b""

    async def open(self, url: str, key: str, after: int, *, small: bool = False) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        line = socket.socket()
        if small:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        line.setblocking(False)  # noqa: FBT003  its only argument
        await asyncio.get_running_loop().sock_connect(line, (host, int(port)))
        limit = 1 << (13 if small else 16)
        self.reader, self.writer = await asyncio.open_connection(sock=line, limit=limit)
        head = f"GET /v1/alerts/stream?after={after} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n"
        self.writer.write(head.encode())
        assert b" 200 " in await self.reader.readline()

    async def read(self, last: int | None = None) -> None:
        """Until it has that id, or is told to resume."""
        while self.ids[-1:] != [last] and self.resume is None and (chunk := await self.reader.read(1 << 16)):
            *lines, self.rest = (self.rest + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"id: "):
                    self.ids.append(int(line[4:]))
                    self.arrived = time.monotonic()
                elif found := re.match(rb'data: \{"after":"(\d+)"\}', line):
                    self.resume = found[1].decode()


async def write(url: str, events: int, per_s: float) -> list[int]:
    """Commit events evenly; their ids."""
    ids: list[int] = []
    async with connected(url, name="writer") as conn:
        began = time.monotonic()
        for number in range(events):
            await asyncio.sleep(began + number / per_s - time.monotonic())
            event = NewEvent(datetime.now(UTC), "vigie.flood.began.v1", f"n{number}", {"began": "x" * EVENT_BYTES})
            async with conn.transaction():
                ids += await append_events(conn, [event])
    return ids


async def states_ms(url: str, key: str, done: asyncio.Event) -> list[float]:
    """How long somebody else waits for all states meanwhile."""
    took = []
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE_S) as client:
        while not done.is_set():
            began = time.monotonic()
            assert (await client.get(f"{url}/v1/states")).status_code == 200
            took.append(1000 * (time.monotonic() - began))
            await asyncio.sleep(0.1)
    return sorted(took)


def service_mb(pid: int) -> float:
    return next(held(pid)).pss_mb


CLIENTS, STALLED, EVENTS, PER_S = 950, 50, 1500, 8.0


@pytest.mark.prove
@pytest.mark.timeout(1800)
async def test_a_thousand_clients_get_everything_and_who_does_not_read_goes_on_where_it_was(
    new_home: Any, start_vigie: Any
) -> None:
    vigie = start_vigie(new_home(), "--no-simulators")
    try:
        async with connected(vigie.database_url, name="test") as conn:
            key, _ = await give(conn, "key", "streams", scopes=["read"], per_minute=1_000_000)
        (first,) = await write(vigie.database_url, 1, 1)
        before_mb = service_mb(vigie.process.pid)
        reading, asleep = [Client() for _ in range(CLIENTS)], [Client() for _ in range(STALLED)]
        for one in (*reading, *asleep):
            await one.open(vigie.url, key, first - 1, small=one in asleep)
        open_mb, done = service_mb(vigie.process.pid), asyncio.Event()
        others = asyncio.create_task(states_ms(vigie.url, key, done), name="others")
        following = [asyncio.create_task(one.read(first + EVENTS)) for one in reading]
        ids = [first, *await write(vigie.database_url, EVENTS, PER_S)]
        written = time.monotonic()
        async with asyncio.timeout(PATIENCE_S):
            while not all(one.ids[-1:] == ids[-1:] for one in reading):
                await asyncio.sleep(0.1)
        done.set()
        full_mb, took = service_mb(vigie.process.pid), await others
        late_s = max(one.arrived for one in reading) - written
        print(  # noqa: T201  the figures are what this is for
            f"{CLIENTS} + {STALLED} clients, {EVENTS} events: {before_mb:.0f} MB before, {open_mb:.0f} open, "
            f"{full_mb:.0f} at the end; the last one came {late_s:.2f} s after the last commit; "
            f"states p50 {took[len(took) // 2]:.0f} ms, p99 {took[len(took) * 99 // 100]:.0f} ms"
        )
        assert all(one.ids == ids for one in reading)
        assert full_mb < before_mb + 25 + 0.1 * (CLIENTS + STALLED)
        for one in asleep:
            await resumes(one, vigie.url, key, ids)
        await asyncio.gather(*following)
        for one in (*reading, *asleep):
            one.writer.close()
            with suppress(ConnectionResetError):
                await one.writer.wait_closed()
    finally:
        vigie.stop()


async def resumes(one: Client, url: str, key: str, ids: list[int]) -> None:
    """Who wakes up goes on where it was: told so, or by itself where its line was cut off; it misses nothing."""
    again = Client()
    async with asyncio.timeout(PATIENCE_S):
        with suppress(ConnectionResetError):
            await one.read()
        await again.open(url, key, int(one.resume or one.ids[-1]))
        await again.read(ids[-1])
    again.writer.close()
    assert [*one.ids, *again.ids] == ids
