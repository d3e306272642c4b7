"""Messages one after the other, from a plain or an async source, as they come or in their own time."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

from simulators.message import Message

T = TypeVar("T")


async def each(source: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    """Everything of a source, whichever kind it is."""
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item


async def paced(
    messages: Iterable[Message] | AsyncIterable[Message],
    speed: float,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> AsyncIterator[Message]:
    """Hand on each message when its time has come, `speed` times as fast as it was recorded; `now` is monotonic."""
    started, first = now(), None
    async for message in each(messages):
        first = message.time_s if first is None else first
        due = started + (message.time_s - first) / speed
        if (wait := due - now()) > 0:
            await sleep(wait)
        yield message
