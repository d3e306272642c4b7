"""What a cause leaves behind: the traffic that a cleared road lets go, the lorries that an outage held up.

A wave is found by what comes, more than usual, and by what was there before it: a road that was blocked upstream, an
outage of the terminal that the lorries now leave. Alone, more than usual is an ordinary busy hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from analytics.situations.cause import Cause, Hint, rounded
from analytics.situations.graph import Graph
from analytics.situations.ground import Ground
from analytics.situations.record import Record

BLOCKED = frozenset({Cause.ACCIDENT, Cause.LANE_CLOSED})
"""Causes that hold traffic back on a road."""

LEAVES = BLOCKED | {Cause.GATE_OUTAGE}

WAVE_US = 45 * 60 * 1_000_000
"""Microseconds after which no wave of a cleared road comes any more: a queue of an hour drains in about that time
(capacity over demand of 1.5 to 2). Shorter: late waves have no cause; longer: the next busy hour is blamed on it."""

REACH = 6
"""Sections that a wave runs through; the basins are ten from end to end. Fewer: the bottleneck on the far side of the
basin has no cause; more: every wave reaches everything."""

STAYED_US = 120 * 60 * 1_000_000
"""Microseconds after which lorries that an outage held up at the entry have left again (turn times of an hour to
ninety minutes: domain section 4). Shorter: the wave at the exit is taken for a surge; longer: a surge for the wave."""


@dataclass(frozen=True, slots=True)
class Past:
    """A named situation: the place of its head, and when it was over; None while it is open."""

    id: str
    cause: Cause
    head: int
    over_us: int | None = None


PastMemory = tuple[str, str, list[str], int]
"""A `Past` that is over, its place by kind and id."""


class Aftermath:
    """What was over lately in a zone and may have left something behind."""

    def __init__(self) -> None:
        self._past: list[Past] = []

    def before(self, records: Iterable[Record]) -> list[Past]:
        """Return these, and those of the open situations that may let something go, the newest first."""
        some = (_past(record, None) for record in records)
        return sorted([*filter(None, some), *self._past], key=lambda past: past.id, reverse=True)

    def step(self, records: Iterable[Record], over: Collection[str], at_us: int) -> None:
        """Remember those that are over now, by id; forget what is too long ago."""
        if over:
            gone = (_past(record, record.end_us() or at_us) for record in records if record.identity.id in over)
            self._past += filter(None, gone)
        self._past = [past for past in self._past if at_us <= (past.over_us or 0) + STAYED_US]

    def memory(self, graph: Graph) -> list[PastMemory]:
        """Return what `restore` needs."""
        places = [graph.places[past.head] for past in self._past]
        return [
            (past.id, past.cause.value, [place.kind, place.id], past.over_us or 0)
            for past, place in zip(self._past, places, strict=True)
        ]

    def restore(self, memory: Iterable[PastMemory], graph: Graph) -> None:
        """Take it back; what is no longer in the catalogue is left out."""
        found = (
            (name, cause, graph.index.get((kind, place)), over_us) for name, cause, (kind, place), over_us in memory
        )
        self._past = [
            Past(name, Cause(cause), head, over_us) for name, cause, head, over_us in found if head is not None
        ]


def _past(record: Record, over_us: int | None) -> Past | None:
    """Return what a situation may leave behind; a part of another one is told there."""
    named = record.verdict.named
    if named not in LEAVES or record.extent.head < 0 or record.host is not None:
        return None
    return Past(record.identity.id, named, record.extent.head, over_us)


def upstream_of(head: int, onset_us: int, ground: Ground, before: Iterable[Past]) -> Past | None:
    """Return what blocked the road that leads here, and may have let go what comes now; the nearest."""
    blocked = {past.head: past for past in before if past.cause in BLOCKED and _lately(past, onset_us, WAVE_US)}
    for ring in ground.graph.up.rings(head, REACH):
        if found := sorted(ring & blocked.keys()):
            return blocked[found[0]]
    return None


def outage_of(place: int, onset_us: int, before: Iterable[Past]) -> Past | None:
    """Return an outage of the same gates that is over."""
    of_it = (past for past in before if past.head == place and past.cause is Cause.GATE_OUTAGE)
    return next((past for past in of_it if past.over_us is not None and _lately(past, onset_us, STAYED_US)), None)


def wave(past: Past, confidence: float, **evidence: float) -> Hint:
    """Say that it is what `past` left behind."""
    return Hint(past.cause, round(confidence, 3), {"after": past.id, **rounded(evidence)})


def _lately(past: Past, onset_us: int, within_us: int) -> bool:
    return past.over_us is None or onset_us <= past.over_us + within_us
