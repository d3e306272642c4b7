"""The load that alarms put on an operator, in the measures of ISA-18.2, IEC 62682 and EEMUA 191.

The unit is the announcement: an alarm that calls, first or again (`lifecycle.announces`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.alarms.lifecycle import Priority

SPAN = timedelta(minutes=10)
GOOD_PER_SPAN, MOST_PER_SPAN = 1.0, 2.0
"""Announcements that one operator can take in 10 min: comfortably, and at the most (EEMUA 191)."""
FLOOD_FROM, FLOOD_BELOW = 10, 5
"""A flood is declared from so many in 10 min, until there are fewer than so many (ISA-18.2): the gap keeps it from
being declared and ended with every other alarm."""
CHATTER_COUNT, CHATTER_SPAN = 3, timedelta(minutes=1)
"""A source chatters when it calls so often within that time (ISA-18.2)."""
STALE_AFTER, STALE_MOST = timedelta(hours=24), 5
"""An alarm that stands so long is stale, and fewer than so many may be (ISA-18.2)."""
SPLIT: Mapping[Priority, float] = {Priority.LOW: 0.80, Priority.MEDIUM: 0.15, Priority.HIGH: 0.05}
"""The shares of the priorities that keep the urgent ones rare (ISA-18.2)."""
WORST, WORST_MOST = 10, 0.05
"""The ten worst sources may make so much of the load (ISA-18.2: 1 to 5 %)."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One call: when, of which source, how urgent."""

    at: datetime
    source: str
    priority: Priority


@dataclass(frozen=True, slots=True)
class Flood:
    """More than anybody can read; `ended_at` None while it lasts."""

    began_at: datetime
    ended_at: datetime | None
    most: int


def flood(last: Flood | None, announced: Sequence[datetime], now: datetime) -> Flood | None:
    """The flood after looking at the announcements of the last 10 min; None where there was never one."""
    count = sum(now - SPAN < at <= now for at in announced)
    if last is not None and last.ended_at is None:
        return Flood(last.began_at, now if count < FLOOD_BELOW else None, max(last.most, count))
    return Flood(now, None, count) if count >= FLOOD_FROM else last


@dataclass(frozen=True, slots=True)
class Load:
    """Announcements over a time; shares and means are None where there were none to share.

    busiest: the most in any 10 min. flooded_share: share of the time in flood.
    """

    announced: int
    per_span: float
    busiest: int
    floods: list[Flood]
    flooded_share: float
    chattering: dict[str, int]
    split: dict[Priority, int]
    worst: list[tuple[str, int]]
    worst_share: float | None


def load(announcements: Iterable[Announcement], start: datetime, end: datetime, *, operators: int = 1) -> Load:
    """Measure [start, end), for each of `operators`."""
    ordered = sorted((one for one in announcements if start <= one.at < end), key=lambda one: one.at)
    times = [one.at for one in ordered]
    floods = _floods(times, end)
    flooded = sum(((one.ended_at or end) - one.began_at for one in floods), timedelta())
    sources = Counter(one.source for one in ordered)
    worst = sources.most_common(WORST)
    return Load(
        announced=len(ordered),
        per_span=len(ordered) / ((end - start) / SPAN) / operators,
        busiest=_busiest(times),
        floods=floods,
        flooded_share=flooded / (end - start),
        chattering=_chattering(ordered),
        split={priority: sum(one.priority is priority for one in ordered) for priority in Priority},
        worst=worst,
        worst_share=sum(count for _, count in worst) / len(ordered) if ordered else None,
    )


def _busiest(times: Sequence[datetime]) -> int:
    window: deque[datetime] = deque()
    most = 0
    for at in times:
        window.append(at)
        while window[0] <= at - SPAN:
            window.popleft()
        most = max(most, len(window))
    return most


def _floods(times: Sequence[datetime], end: datetime) -> list[Flood]:
    """Look whenever the count changes: at every announcement, and when one leaves the span."""
    found: list[Flood] = []
    last: Flood | None = None
    looks = sorted({*times, *(at + SPAN for at in times if at + SPAN < end)})
    first = 0
    for now in looks:
        while times[first] <= now - SPAN and first < len(times) - 1:
            first += 1
        last = flood(last, [at for at in times[first:] if at <= now], now)
        if last is not None and last.ended_at is not None:
            found.append(last)
            last = None
    return found if last is None else [*found, last]


def _chattering(ordered: Sequence[Announcement]) -> dict[str, int]:
    """How often each source that chattered did so: bursts that do not overlap."""
    times: dict[str, list[datetime]] = {}
    for one in ordered:
        times.setdefault(one.source, []).append(one.at)
    bursts = {source: _bursts(found) for source, found in times.items()}
    return {source: count for source, count in bursts.items() if count}


def _bursts(times: Sequence[datetime]) -> int:
    count, free_from = 0, None
    for at, last in zip(times, times[CHATTER_COUNT - 1 :], strict=False):
        if last - at <= CHATTER_SPAN and (free_from is None or at > free_from):
            count, free_from = count + 1, last
    return count
