from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.alert_stream import Parser, Sent, StreamRefusedError, connection, follow

TEXT = b': resumed\n\nretry: 2000\nevent: alert\ndata: {"a":1}\nid: 7\n\nevent: heartbeat\r\ndata: {}\r\n\r\n'
EVENTS = [Sent("alert", b'{"a":1}', "7"), Sent("heartbeat", b"{}", None)]


@given(st.lists(st.integers(1, 12)))
def test_events_are_read_however_the_bytes_are_cut(sizes: list[int]) -> None:
    parser, found, rest = Parser(), [], TEXT
    for size in [*sizes, len(TEXT)]:
        found += parser.feed(rest[:size])
        rest = rest[size:]
    assert found == EVENTS


async def test_a_client_that_reconnects_a_hundred_times_misses_none(served: Any, source: Any, bearer: Any) -> None:
    key, url = bearer["authorization"].removeprefix("Bearer "), served.url + "v1/alerts/stream"
    writing = asyncio.create_task(_write(source, 500))
    seen: list[int] = []
    for number in range(100):
        wanted = len(seen) + 1 + number % 7
        async with asyncio.timeout(30), aclosing(connection(url, key, str(seen[-1] if seen else 0))) as events:
            async for sent in events:
                seen += [int(sent.id)] if sent.event == "alert" and sent.id else []
                if len(seen) >= wanted:
                    break
    writing.cancel()
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) == sum(1 + number % 7 for number in range(100))


async def _write(source: Any, count: int) -> None:
    for number in range(count):
        await source.add_event(site="W07", number=number)
        await asyncio.sleep(0)


async def test_what_is_refused_says_why(served: Any) -> None:
    with pytest.raises(StreamRefusedError, match="401: Send an access key"):
        async for _ in follow(served.url + "v1/alerts/stream", None, None):
            pass
