"""Clients of the event stream on real sockets: those that read get everything, one that does not is told to resume."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from api.app import create_app
from api.settings import ApiSettings
from sensors.kind import Kinds

EVENTS, BACKLOG, EVENT_BYTES = 80, 20, 20_000
"""What does not fit into the buffers of a line, some 500 kB, and then not into the backlog either."""


class Client:
    async def open(self, url: str, bearer: dict[str, str], *, after: str = "0") -> None:
        host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port), limit=1 << 12)
        self.ids: list[int] = []
        asked = f"GET /v1/alerts/stream?after={after} HTTP/1.1\r\nHost: {host}\r\n"
        self.writer.write(f"{asked}Authorization: {bearer['authorization']}\r\n\r\n".encode())

    async def read(self, last: int | None = None) -> tuple[list[int], str | None]:
        """The ids that came until `last`, or until it is told where to resume."""
        ids, resume, rest = self.ids, None, b""
        while ids[-1:] != [last] and resume is None and (chunk := await self.reader.read(1 << 16)):
            *lines, rest = (rest + chunk).split(b"\n")
            ids += [int(line[4:]) for line in lines if line.startswith(b"id: ")]
            told = [line for line in lines if line.startswith(b'data: {"after"')]
            resume = json.loads(told[0][6:])["after"] if told else resume
        self.writer.close()
        return ids, resume


async def test_who_does_not_read_is_told_to_resume_and_nobody_else_notices(
    source: Any, kinds: Kinds, served_with: Any, bearer: dict[str, str]
) -> None:
    app = create_app(source, kinds, settings=ApiSettings(stream_backlog=BACKLOG))
    every = list(range(1, EVENTS + 1))
    async with served_with(app) as served, asyncio.timeout(30):
        readers, asleep, again = [Client() for _ in range(10)], Client(), Client()
        await asleep.open(served.url, bearer)
        for one in readers:
            await one.open(served.url, bearer)
        reading = [asyncio.create_task(one.read(EVENTS)) for one in readers]
        while app.state.context.feed.streams < len(readers) + 1:
            await asyncio.sleep(0.01)
        for number in every:
            await source.add_event(pad="x" * EVENT_BYTES)
            while any(one.ids[-1:] != [number] for one in readers):
                await asyncio.sleep(0.001)
        assert [await one for one in reading] == [(every, None)] * len(readers)
        assert app.state.context.feed.dropped == 1
        before, resume = await asleep.read()
        assert resume is not None
        await again.open(served.url, bearer, after=resume)
        assert before + (await again.read(EVENTS))[0] == every
