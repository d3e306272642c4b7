"""One browser and one running Vigie for all tests of the page; each test has a context of its own: cookies, storage.

The tests of this folder run in one process (see `pytest_xdist_make_scheduler`) and in one event loop, the browser's:
`pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
PATIENCE_MS = 60_000
DESKTOP = (1440, 900)
# Started by root there is no sandbox; the rest keeps the browser from asking anybody else for anything.
FLAGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = """Porte <b>"Nord"</b> & l'Estaque"""


@dataclass
class Visit:
    """A page and what it did behind the scenes."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    transferred: float = 0.0


class Visitor:
    """Opens the page in fresh contexts of one browser, which end with the test."""

    def __init__(self, browser: Browser, live: Any) -> None:
        self.browser = browser
        self.live = live
        self.url = live.url

    async def context(self, size: tuple[int, int] = DESKTOP, *, theme: str = "light", **options: Any) -> BrowserContext:
        """A browser that is signed in but has opened nothing yet."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        await context.add_cookies([self.live.session])
        return context

    async def visit(self, *, locale: str = "fr-FR", ready: bool = True) -> Visit:
        context = await self.context(locale=locale)
        visit = Visit(await context.new_page())
        await _listen(context, visit)
        await visit.page.goto(self.url, wait_until="domcontentloaded")
        if ready:
            await visit.page.wait_for_selector("body[data-ready]")
        return visit


async def _listen(context: BrowserContext, visit: Visit) -> None:
    page = visit.page
    page.on("request", lambda request: visit.hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("console", lambda line: visit.complaints.append(line.text) if line.type in {"error", "warning"} else None)
    network = await context.new_cdp_session(page)
    await network.send("Network.enable")
    # Event streams never finish loading, so bytes are counted as they come; headers come with the answers.
    network.on("Network.dataReceived", lambda event: _count(visit, event["encodedDataLength"]))
    network.on("Network.responseReceived", lambda event: _count(visit, event["response"]["encodedDataLength"]))


def _count(visit: Visit, size: float) -> None:
    visit.transferred += max(0.0, size)


class Desk:
    """Stands in for the alarms of a server, and remembers what was done."""

    def __init__(self, *alarms: dict[str, Any]) -> None:
        self.alarms = {one["id"]: one for one in alarms}
        self.done: list[tuple[str, str, dict[str, Any]]] = []

    async def answer(self, route: Route) -> None:
        path = route.request.url.split("?")[0].split("/v1/alarms")[1].strip("/").split("/")
        if path == [""]:
            await route.fulfill(json={"items": list(self.alarms.values()), "next": None})
            return
        if len(path) > 1:
            self.done.append((path[0], path[1], json.loads(route.request.post_data or "{}")))
            state = {"acknowledge": "acknowledged", "shelve": "shelved"}.get(path[1], self.alarms[path[0]]["state"])
            old = self.alarms[path[0]]
            self.alarms[path[0]] = {**old, "state": state, "version": old["version"] + 1}
        await route.fulfill(json=self.alarms[path[0]])


def _alarm(number: int, **changes: Any) -> dict[str, Any]:
    """An alarm in the shape of the API; the contract itself is tested where it is served."""
    label = {"en": HOSTILE, "fr": HOSTILE}
    return {
        "id": str(number),
        "version": 1,
        "state": "unacknowledged",
        "active": True,
        "level": "jammed",
        "priority": "high",
        "rule": "gate_outage",
        "kind": "gate",
        "subject": "W07-G1",
        "title": label,
        "headline": None,
        "consequence": label,
        "cause": "gate_outage",
        "sites": ["W07"],
        "places": ["W07-G1"],
        "sensors": ["W07-G1"],
        "situation": None,
        "onset": "2026-03-02T07:12:00Z",
        "escalated": False,
        "shelved_until": None,
        "respond_by": None,
        "recording": None,
        "closed": None,
        "actions": ["acknowledge", "shelve", "comment", "respond", "confirm"],
        "response": {"do": label, "call": label, "within_min": 10},
        "arithmetic": None,
        "evidence": {},
        "history": [],
        **changes,
    }


class Line:
    """The way from a browser to Vigie, which can carry more than a server ever sends."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url).port
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self.streams: dict[bytes, Callable[[], AsyncIterator[bytes]]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].partition(b"?")[0]
            if path in self.streams:
                await self._stream(writer, self.streams[path]())
            else:
                await self._pass_on(head, reader, writer)
        self._open.discard(writer)
        writer.close()

    async def _pass_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection, so that nothing has to be understood of what follows."""
        answers, server = await asyncio.open_connection("127.0.0.1", self._target)
        server.write(re.sub(rb"(?i)\r\nconnection:[^\r]*", b"\r\nConnection: close", head))
        asked = asyncio.create_task(self._pipe(reader, server))
        try:
            await self._pipe(answers, writer)
        finally:
            asked.cancel()
            server.close()

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()

    async def _stream(self, writer: asyncio.StreamWriter, events: AsyncIterator[bytes]) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        async for event in events:
            writer.write(event)
            await writer.drain()


@pytest.fixture(scope="session")
def alarm() -> Callable[..., dict[str, Any]]:
    """Make an alarm by its number, with changes as keywords; its texts are `hostile`."""
    return _alarm


@pytest.fixture(scope="session")
def hostile() -> str:
    """A name that is markup where it is not shown as text."""
    return HOSTILE


@pytest.fixture(scope="session")
def desk() -> type[Desk]:
    """A desk of alarms, to be routed to."""
    return Desk


@pytest.fixture(scope="session")
def keep() -> Callable[[str], Path]:
    """Where a picture is kept as an artefact, by its name."""
    ARTEFACTS.mkdir(exist_ok=True)
    return lambda name: ARTEFACTS / f"page-{name}.png"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)  # a machine that runs other tests meanwhile may be slow
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, live: Any) -> AsyncIterator[Visitor]:
    yield Visitor(browser, live)
    for context in browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def line(visitor: Visitor) -> AsyncIterator[Line]:
    """A line to the running Vigie; the visitor takes it."""
    line = Line(visitor.url)
    await line.open()
    visitor.url = line.url
    yield line
    line.close()
