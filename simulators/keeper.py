"""Readings that the service has not vouched for yet, and which of them to send again. Pure; times are seconds.

A broker's acceptance is not the end: killed, it forgets what it had not saved. A reading is kept until a receipt covers
it. What a receipt names as missing is sent again. Where receipts stay away, only the newest reading of that boot is
sent again, now and then: behind everything else that is still on its way it makes the service name what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sensors.receipt import Receipt, Standing

REPEAT_AFTER_S = 20.0
"""When a repetition may be repeated, and when a sender without news asks. Shorter than a few receipts (10 s) doubles
what is only late; longer makes a loss last."""

_LONGEST = 16
"""Repetitions grow rarer up to this many times `REPEAT_AFTER_S`: a service that is down has to take them all later."""

KEPT = 200_000
"""Readings kept at most: some 100 MB, two hours of 30 readings a second."""

Boot = tuple[str, str, int | None]
"""Site, sensor or corridor, boot."""


@dataclass(slots=True)
class Kept:
    """A reading, when it was sent last, and how often it was sent again."""

    topic: str
    payload: bytes
    sent_s: float
    repeats: int = 0


@dataclass(slots=True)
class _Sent:
    """What is kept of one boot, by number; when anything happened to it, and how often it asked since."""

    moved_s: float
    asked: int = 0
    kept: dict[int, Kept] = field(default_factory=dict)


class Keeper:
    """Keeps readings by boot and number."""

    def __init__(self, repeat_after_s: float = REPEAT_AFTER_S, limit: int = KEPT) -> None:
        self.forgotten = 0
        """Readings dropped without a receipt, because there was no more room."""
        self.settled = 0
        """Readings that a receipt has covered."""
        self._repeat_after_s = repeat_after_s
        self._limit = limit
        self._boots: dict[Boot, _Sent] = {}
        self._order: dict[tuple[Boot, int], None] = {}

    def __len__(self) -> int:
        return len(self._order)

    @property
    def full(self) -> bool:
        return len(self._order) >= self._limit

    def waiting(self) -> Counter[str]:
        """How many readings of each sensor or corridor no receipt covers."""
        return Counter(thing for (_, thing, _), _ in self._order)

    def keep(self, boot: Boot, number: int, topic: str, payload: bytes, now_s: float) -> None:
        """Keep a reading that is being sent."""
        sent = self._boots.setdefault(boot, _Sent(now_s))
        sent.kept[number] = Kept(topic, payload, now_s)
        sent.moved_s, sent.asked = now_s, 0
        self._order[boot, number] = None

    def forget_oldest(self) -> None:
        """Drop the reading that was kept first, without a receipt for it."""
        boot, number = next(iter(self._order))
        self._drop(boot, number)
        self.forgotten += 1

    def settle(self, site: str, thing: str, receipt: Receipt, now_s: float) -> list[Kept]:
        """Drop what a receipt covers; what it names as missing is returned, to be sent again."""
        again: list[Kept] = []
        for standing in (receipt, *receipt.earlier):
            boot = site, thing, standing.boot
            if boot in self._boots:
                again += self._settle(boot, standing, now_s)
        return again

    def overdue(self, now_s: float) -> list[Kept]:
        """For each boot without news the newest reading, to be sent again."""
        return list(self._overdue(now_s))

    def _settle(self, boot: Boot, standing: Standing, now_s: float) -> Iterator[Kept]:
        sent = self._boots[boot]
        covered = [number for number in sent.kept if standing.covers(number)]
        for number in covered:
            self._drop(boot, number)
        self.settled += len(covered)
        if covered:
            sent.moved_s, sent.asked = now_s, 0
        for number, kept in sent.kept.items():
            if number <= standing.through and self._may_repeat(kept, now_s):
                kept.sent_s, kept.repeats = now_s, kept.repeats + 1
                sent.moved_s = now_s
                yield kept

    def _may_repeat(self, kept: Kept, now_s: float) -> bool:
        """At once the first time: readings keep their order, so once a later one has arrived this one will not."""
        return not kept.repeats or now_s - kept.sent_s >= self._pause_s(kept.repeats - 1)

    def _overdue(self, now_s: float) -> Iterator[Kept]:
        for sent in self._boots.values():
            if now_s - sent.moved_s >= self._pause_s(sent.asked):
                sent.moved_s, sent.asked = now_s, sent.asked + 1
                yield sent.kept[max(sent.kept)]

    def _pause_s(self, times: int) -> float:
        return self._repeat_after_s * min(1 << times, _LONGEST)

    def _drop(self, boot: Boot, number: int) -> None:
        sent = self._boots[boot]
        del sent.kept[number], self._order[boot, number]
        if not sent.kept:
            del self._boots[boot]
