"""Sending until told to end, then waiting for what is not vouched for: a clean end, and what it could not wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from sensors.errors import OperatorError
from service.fieldwork import Sending
from simulators.publish import Publisher

_NAMED = 8


class UnvouchedError(OperatorError):
    """Readings that may be lost, named."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a run's messages; those sent again are counted in `accepted` each time."""

    published: int
    accepted: int
    receipted: int
    repeated: int
    dropped: int


async def send_until_told(
    publisher: Publisher,
    messages: AsyncIterator[tuple[str, bytes]],
    sending: Sending,
    note: Callable[[str], None],
) -> None:
    """Send until `for_s` or `count` is reached or the task is cancelled, then wait for acceptances and receipts.

    The first cancellation ends the sending, a second one the waiting. Raises `UnvouchedError` when something is missing
    in the end, unless nobody wanted to wait.
    """
    try:
        async with asyncio.timeout(sending.for_s):
            await _send(publisher, messages, sending.count)
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        _go_on()
    if sending.patience_s:
        await _drain(publisher, sending.patience_s, note)
        if missing := "; ".join(_missing(publisher)):
            raise UnvouchedError(missing)


def counted(publisher: Publisher) -> Sent:
    return Sent(publisher.published, publisher.accepted, publisher.receipted, publisher.repeated, publisher.forgotten)


async def _send(publisher: Publisher, messages: AsyncIterator[tuple[str, bytes]], count: int | None) -> None:
    async for topic, payload in messages:
        await publisher.publish(topic, payload)
        if publisher.published == count:
            return


async def _drain(publisher: Publisher, patience_s: float, note: Callable[[str], None]) -> None:
    if publisher.owed or publisher.kept:
        waiting = f"{publisher.kept} receipts" if publisher.kept else f"{publisher.owed} acceptances"
        note(f"ending: waiting at most {patience_s:g} s for {waiting}; Ctrl-C again does not wait")
    with suppress(TimeoutError):
        try:
            async with asyncio.timeout(patience_s):
                await publisher.drain()
        except asyncio.CancelledError:
            _go_on()


def _go_on() -> None:
    """Whoever cancelled wanted an end in order, and gets it."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()


def _missing(publisher: Publisher) -> Iterator[str]:
    if publisher.owed:
        where = f": {publisher.trouble}" if publisher.trouble else ""
        yield f"{publisher.owed} messages were not accepted by the broker{where}"
    if waiting := publisher.unreceipted():
        named = ", ".join(f"{count} of {thing}" for thing, count in waiting.most_common(_NAMED))
        more = f" and of {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
        yield f"{waiting.total()} readings were not receipted: {named}{more}{_hint(publisher)}"
    if publisher.forgotten:
        yield f"{publisher.forgotten} readings were dropped without a receipt, for want of room"


def _hint(publisher: Publisher) -> str:
    if publisher.receipts:
        return "; a sensor that is not installed there, or no right to its topic, is never receipted"
    return "; no receipt came at all: does 'vigie ingest' run behind this broker, and may we read vigie/1/receipts/#?"
