"""Step by step: when each open situation will be over, and what those that ended taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest

from analytics.situations.cause import Cause
from analytics.situations.draining import drained_us
from analytics.situations.ends import OF_STOPS, Ends, Outset
from analytics.situations.ground import Ground
from analytics.situations.places import ROAD
from analytics.situations.record import MOST_WEIGHED, Record
from analytics.situations.sight import Sight
from analytics.situations.situation import Expectation
from analytics.situations.stops import outset_of, standing
from analytics.situations.tracker import Tracked
from analytics.situations.usually import Look, Usually

OF_THEIR_OWN = frozenset({Cause.ACCIDENT, Cause.LANE_CLOSED})
"""Causes whose lives are learnt apart from those of other jams."""


class Ending:
    """The ends of one zone. usually: what is usual there, None until it is known."""

    def __init__(self) -> None:
        self.ends = Ends()
        self.usually: Usually | None = None

    def step(self, records: Iterable[Record], tracked: Tracked, ground: Ground, sight: Sight) -> None:
        """Look at those that were looked at longest ago: all of a port, some of 90,000 sensors'."""
        some = list(records)
        if tracked.ended:
            self._learn({record.identity.id: record for record in some}, [one.id for one in tracked.ended])
        due = nsmallest(MOST_WEIGHED, some, key=lambda record: (record.life.looked_us, record.identity.age))
        elders = {record.identity.id: record for record in some} if any(r.host or r.parent for r in due) else {}
        for record in due:
            record.life.looked_us = sight.at_us
            if record.host is None:
                self._look(record, elders.get(record.parent or ""), ground, sight)
        for part in [record for record in due if record.host in elders]:
            part.life.expected = elders[part.host or ""].life.expected
            if part.kind in OF_STOPS:
                part.life.first = None

    def _learn(self, records: Mapping[str, Record], ended: Iterable[str]) -> None:
        """Learn from what is over; a part of another one is over when that is."""
        over = [records[name] for name in ended if name in records]
        for record in sorted(over, key=lambda record: (record.host is None, record.identity.age)):
            host = records.get(record.host or "")
            if host is not None:
                host.life.inherited.append(record.life)
            else:
                self.ends.learn(record.life, record.end_us() or record.identity.onset_us)

    def _look(self, record: Record, parent: Record | None, ground: Ground, sight: Sight) -> None:
        if record.kind in OF_STOPS:
            self._look_at_stop(record, ground, sight)
        elif record.things:
            slow_us = int(sight.settled.slow_us[list(record.things)].max())
            self._expect(record, self._outset(record, parent, ground, sight), slow_us)
        elif (end_us := record.end_us()) is not None:
            record.life.expected = Expectation(end_us, end_us, max(end_us, sight.at_us))

    def _look_at_stop(self, record: Record, ground: Ground, sight: Sight) -> None:
        """Expect the end of the stop that stands; one that is over teaches, and the next one is news."""
        stands, slow_us = standing(record.things, sight), sight.settled.slow_us
        if len(stands):
            self._expect(record, outset_of(record, stands, ground, sight), int(slow_us[stands].max()))
        elif record.life.first is not None:
            ended_us = int(slow_us[list(record.things)].max()) if record.things else record.end_us()
            self.ends.learn(record.life, ended_us or record.identity.onset_us)
            record.life.first = record.life.expected = record.told_end = None
            record.life.inherited.clear()

    def _outset(self, record: Record, parent: Record | None, ground: Ground, sight: Sight) -> Outset:
        """Count from what is foreseen: the queue drains, what brought it about is over, or usual congestion is."""
        usual = self.usually.look(record.things, sight.at_us, sight.habits) if self.usually else Look()
        drained_us, then_us = _drained_us(record, ground, sight), _end_of(parent)
        ends = ((usual.over_us, usual.by_hour), (drained_us, False), (then_us, False))
        if foreseen := [(end_us, by_hour) for end_us, by_hour in ends if end_us is not None]:
            record.life.foreseen = max(foreseen)
        kind, onset_us = _kind(record), record.identity.onset_us
        if record.life.foreseen is None:
            return Outset(kind, onset_us, hour=usual.least)
        from_us, by_hour = record.life.foreseen
        return Outset(kind, from_us, foreseen=True, hour=usual.least, by_hour=by_hour)

    def _expect(self, record: Record, outset: Outset, slow_us: int) -> None:
        life = record.life
        life.expected = self.ends.expect(outset, max(slow_us, record.identity.onset_us))
        if life.first is None:
            life.first = (outset, life.expected)


def _kind(record: Record) -> str:
    cause = record.verdict.named
    return f"{record.kind} {cause}" if record.kind == ROAD and cause in OF_THEIR_OWN else record.kind


def _drained_us(record: Record, ground: Ground, sight: Sight) -> int | None:
    """Return when the queue of a site's gates will have drained."""
    if record.kind != "gate" or record.extent.head < 0:
        return None
    site = ground.gates[ground.graph.places[record.extent.head].id]
    # Lorries go where the fewest wait, so the gates of one direction drain together.
    sides = [side for side in (site.entries, site.exits) if set(side) & set(record.things)]
    ends = (drained_us(site, side, record.identity.onset_us, sight) for side in sides)
    return max((end for end in ends if end is not None), default=None)


def _end_of(parent: Record | None) -> int | None:
    return None if parent is None or parent.life.expected is None else parent.life.expected.median_us
