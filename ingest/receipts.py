"""Receipts: telling senders what is committed, only after the COMMIT, only what is news, and not too often.

`ReceiptBook` decides, `ReceiptPublisher` keeps time. A receipt that gets lost is asked for by its sender, which repeats
a reading: so a repetition is a reason for a receipt even where it settles nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from math import inf
from types import TracebackType
from typing import Protocol, Self

from ingest.columns import ABSENT
from ingest.sequence import Progress, Settled
from sensors.receipt import Receipt, Standing, encode_receipt
from sensors.topics import receipt_topic

GAPS_NAMED = 100
"""Gaps in one receipt, the oldest ones: 2 kB; when they are repeated the next receipt names the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSettings:
    """How often receipts go out.

    `every_s` is the shortest time between two of one thing: shorter is traffic for nobody, longer makes senders keep
    more. `per_second` bounds a whole slot: 90,000 sensors get theirs every 90 s. `tick_s` is how often it is looked.
    """

    every_s: float = 10.0
    per_second: float = 1_000.0
    tick_s: float = 0.25


class Publish(Protocol):
    """The part of a transport that is used here."""

    def __call__(self, topic: str, payload: bytes, *, retain: bool = False) -> bool: ...


class ReceiptBook:
    """Who is to be told what; whoever was told longest ago is next. Times are seconds of the caller's clock."""

    def __init__(self, settings: ReceiptSettings) -> None:
        self._settings = settings
        self._news: dict[str, Settled] = {}
        self._next: list[tuple[float, str]] = []
        self._told_at: dict[str, float] = {}

    def note(self, settled: Iterable[Settled]) -> None:
        """Take over what a commit settled; later news of a thing replaces earlier."""
        for entry in settled:
            if entry.thing not in self._news:
                heappush(self._next, (self._told_at.get(entry.thing, -inf) + self._settings.every_s, entry.thing))
            self._news[entry.thing] = entry

    def take(self, now_s: float, limit: int | None = None) -> list[Settled]:
        """At most `limit` things that may be told something; they are no longer news."""
        found: list[Settled] = []
        while self._next and self._next[0][0] <= now_s and (limit is None or len(found) < limit):
            found.append(self._news.pop(heappop(self._next)[1]))
        return found

    def told(self, thing: str, now_s: float) -> None:
        """The receipt is out."""
        self._told_at[thing] = now_s


class ReceiptPublisher:
    """Publishes what is due while its block lasts, and the rest at its end.

    Receipts are retained: a sender that was away finds the last one.
    """

    def __init__(self, publish: Publish, wall_us: Callable[[], int], settings: ReceiptSettings) -> None:
        self._publish = publish
        self._wall_us = wall_us
        self._settings = settings
        self._book = ReceiptBook(settings)
        self._task: asyncio.Task[None] | None = None

    def note(self, settled: Iterable[Settled]) -> None:
        """Take over what has been committed."""
        self._book.note(settled)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="receipts")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._tell(self._book.take(inf))

    async def _run(self) -> None:
        limit = max(1, round(self._settings.per_second * self._settings.tick_s))
        while True:
            await asyncio.sleep(self._settings.tick_s)
            self._tell(self._book.take(self._wall_us() / 1e6, limit))

    def _tell(self, entries: Sequence[Settled]) -> None:
        """Publish until there is no connection; what is left stays news."""
        now_us = self._wall_us()
        for place, entry in enumerate(entries):
            payload = encode_receipt(receipt_of(entry.boots, now_us))
            if not self._publish(receipt_topic(entry.site, entry.thing), payload, retain=True):
                self._book.note(entries[place:])
                return
            self._book.told(entry.thing, now_us / 1e6)


def receipt_of(boots: Mapping[int, Progress], at_us: int) -> Receipt:
    """The receipt of a thing: the boot that began last, and those before it."""
    (current, progress), *earlier = sorted(boots.items(), key=lambda item: item[1].begun, reverse=True)
    told = _standing(current, progress)
    return Receipt(
        boot=told.boot,
        seq=told.seq,
        through=told.through,
        gaps=told.gaps,
        quarantined=told.quarantined,
        at=datetime.fromtimestamp(at_us / 1e6, UTC),
        earlier=tuple(_standing(boot, progress) for boot, progress in earlier),
    )


def _standing(boot: int, progress: Progress) -> Standing:
    gaps = progress.gaps[:GAPS_NAMED]
    through = progress.highest if len(gaps) == len(progress.gaps) else progress.gaps[GAPS_NAMED][0] - 1
    return Standing(
        boot=None if boot == ABSENT else boot,
        seq=progress.contiguous,
        through=through,
        gaps=gaps,
        quarantined=progress.quarantined,
    )
