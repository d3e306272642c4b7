from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from service.score.client import PAGE, NoAnswerError, read_alerts


class Feed(ThreadingHTTPServer):
    """A system that gives `items` page by page, or `answer` whatever it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.items: list[dict[str, Any]] = []
        self.answer: tuple[int, bytes] | None = None
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Feed

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        after, limit = int(query["after"][0]), int(query["limit"][0])
        items = self.server.items[after : after + limit]
        reached = after + len(items)
        body = {"items": items, "next": str(reached), "more": reached < len(self.server.items)}
        status, content = self.server.answer or (200, json.dumps(body).encode())
        self.server.keys.append(self.headers["authorization"])
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, *_: Any) -> None:
        pass


@pytest.fixture
def feed() -> Iterator[Feed]:
    with Feed() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 3 * PAGE])
async def test_all_pages_are_read_in_order(feed: Feed, count: int) -> None:
    feed.items = [{"id": str(number)} for number in range(count)]
    assert await read_alerts(feed.url + "/") == feed.items
    assert len(feed.keys) == max(1, -(-count // PAGE))


async def test_an_access_key_is_shown_only_where_there_is_one(feed: Feed) -> None:
    await read_alerts(feed.url)
    await read_alerts(feed.url, key="secret")
    assert feed.keys == [None, "Bearer secret"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((503, b""), "answers 503"),
        ((404, b"nothing"), "answers 404"),
        ((200, b"<html>"), "gives no page of alerts"),
        ((200, b'{"items": []}'), "gives no page of alerts"),
        ((200, b'{"items": [], "next": "0", "more": true}'), "its cursor stands"),
    ],
)
async def test_what_is_no_feed_is_told_with_its_address(feed: Feed, answer: tuple[int, bytes], message: str) -> None:
    feed.answer = answer
    with pytest.raises(NoAnswerError, match=message) as caught:
        await read_alerts(feed.url)
    assert feed.url in str(caught.value)


async def test_nobody_there_is_told_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(NoAnswerError, match=f"no answer from {url}/v1/alerts.*is the system running there"):
        await read_alerts(url)


@pytest.mark.parametrize("url", ["localhost:8090", "file:///etc/passwd", "mqtt://broker"])
async def test_only_web_addresses_are_asked(url: str) -> None:
    with pytest.raises(NoAnswerError, match="write http://HOST:PORT"):
        await read_alerts(url)
