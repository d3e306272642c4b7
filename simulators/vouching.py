"""Readings kept until the service's receipts cover them: what to subscribe to, and what to send again.

Which readings those are is decided by `Keeper`; this is its place in a publisher.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Literal

import structlog

from sensors.receipt import decode_receipt, readable_numbers
from sensors.senml import numbers_in
from sensors.topics import RECEIPTS, parse_reading_topic, parse_receipt_topic
from simulators.keeper import Keeper, Kept

_log = structlog.get_logger(__name__)

WhenFull = Literal["wait", "forget"]


class Vouching:
    """Receipts of all sites that something was sent for; `send` takes what has to be sent again."""

    def __init__(
        self, repeat_after_s: float, keep: int, when_full: WhenFull, send: Callable[[Iterable[Kept]], None]
    ) -> None:
        self.keeper = Keeper(repeat_after_s, keep)
        self.receipts = 0
        """Receipts that came."""
        self._when_full = when_full
        self._look_s = min(1.0, repeat_after_s / 4)
        self._send = send
        self._sites: dict[str, None] = {}

    @property
    def topics(self) -> list[str]:
        """Where the receipts come."""
        return [f"{RECEIPTS}/{site}/+" for site in self._sites]

    def has_room(self) -> bool:
        """Make room where the oldest may be forgotten; else say whether there is any."""
        keeper = self.keeper
        if keeper.full and self._when_full == "forget":
            if not keeper.forgotten:
                _log.warning("no receipts and no more room: the oldest readings are dropped", kept=len(keeper))
            keeper.forget_oldest()
        return not keeper.full

    def keep(self, topic: str, payload: bytes) -> str | None:
        """Keep what carries a number; the topic of its receipts where it is the first of its site."""
        place, numbers = parse_reading_topic(topic), _numbers(payload)
        if place is None or not numbers:
            return None
        for boot, number in numbers:
            self.keeper.keep((place.site, place.thing, boot), number, topic, payload, time.monotonic())
        if place.site in self._sites:
            return None
        self._sites[place.site] = None
        return self.topics[-1]

    def read(self, topic: str, payload: object) -> None:
        """Take notice of a receipt."""
        place = parse_receipt_topic(topic)
        receipt = decode_receipt(payload) if isinstance(payload, bytes) else None
        if place and receipt:
            self.receipts += 1
            self._send(self.keeper.settle(*place, receipt, time.monotonic()))

    async def ask(self, worthwhile: Callable[[], bool]) -> None:
        """Until cancelled, ask now and then about what no receipt covers, while that is `worthwhile`."""
        while True:
            await asyncio.sleep(self._look_s)
            if worthwhile():
                self._send(self.keeper.overdue(time.monotonic()))


def _numbers(payload: bytes) -> tuple[tuple[int | None, int], ...]:
    """Boot and number of the readings in a payload, of whichever format."""
    if found := readable_numbers(payload):
        return found
    packed = numbers_in(payload)
    return () if packed is None else (packed,)
