"""Which numbers of a sender are settled, that is committed or kept in quarantine, and which are missing. Pure.

A `Progress` is a value: a new one is only taken over when its transaction has committed, so nobody is ever told of a
reading that is not durable. Within a boot numbers count from 0; they may come in any order and any number of times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sensors.receipt import Gap

GAPS_OPEN = 1_000
"""Gaps of one boot that are waited for; beyond, the oldest is given up. A sender that repeats what is missing never has
so many; too few would give up on one that still could, too many are memory for those that never repeat."""

QUARANTINED_NAMED = 100
"""Of the numbers kept in quarantine the latest are named to the sender."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one boot of one thing is settled.

    Settled is everything up to `highest` but the `gaps` (disjoint, ascending, bounds included). Gaps up to `given_up`
    are no longer among them. `begun` orders the boots of a thing by their first reading.
    """

    begun: int
    highest: int = -1
    given_up: int = -1
    gaps: tuple[Gap, ...] = ()
    quarantined: tuple[int, ...] = ()

    @property
    def contiguous(self) -> int:
        """The last number up to which nothing is waited for."""
        return self.gaps[0][0] - 1 if self.gaps else self.highest

    def settle(self, first: int, last: int) -> Progress:
        """Note that `first` to `last` are settled; itself where that was known."""
        if first > self.highest:
            gaps = self.gaps if first == self.highest + 1 else (*self.gaps, (self.highest + 1, first - 1))
            return replace(self, highest=last, gaps=gaps)
        gaps = tuple(_without(self.gaps, first, last)) if self._touches(first, last) else self.gaps
        if gaps == self.gaps and last <= self.highest:
            return self
        return replace(self, highest=max(self.highest, last), gaps=gaps)

    def quarantine(self, number: int) -> Progress:
        """Note that a reading was kept in quarantine, which settles it."""
        if number in self.quarantined:
            return self
        named = (*self.quarantined, number)[-QUARANTINED_NAMED:]
        return replace(self.settle(number, number), quarantined=named)

    def _touches(self, first: int, last: int) -> bool:
        return bool(self.gaps) and first <= self.gaps[-1][1] and last >= self.gaps[0][0]

    def bounded(self) -> Progress:
        """Give up the oldest gaps beyond `GAPS_OPEN`; whoever keeps the books has written them down before."""
        if len(self.gaps) <= GAPS_OPEN:
            return self
        given_up, kept = self.gaps[:-GAPS_OPEN], self.gaps[-GAPS_OPEN:]
        return replace(self, gaps=kept, given_up=given_up[-1][1])


@dataclass(frozen=True, slots=True)
class Settled:
    """What a sender may be told after a commit: the latest boots of its sensor or corridor.

    `changed` is false where a reading came again that was settled before: the sender may have missed its receipt.
    """

    site: str
    thing: str
    boots: Mapping[int, Progress]
    changed: bool


def _without(gaps: Iterable[Gap], first: int, last: int) -> Iterator[Gap]:
    """What is left of gaps when `first` to `last` are settled."""
    for low, high in gaps:
        if high < first or low > last:
            yield low, high
            continue
        if low < first:
            yield low, first - 1
        if high > last:
            yield last + 1, high
