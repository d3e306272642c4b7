"""Step by step: when each open situation will be over, and what those that ended taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest

from analytics.situations.ends import Ends
from analytics.situations.record import MOST_WEIGHED, Record
from analytics.situations.settle import Settling
from analytics.situations.situation import Expectation
from analytics.situations.tracker import Tracked
from analytics.situations.usually import Usually


class Ending:
    """The ends of one zone. usually: what is usual there, None until it is known."""

    def __init__(self) -> None:
        self.ends = Ends()
        self.usually: Usually | None = None

    def step(self, records: Iterable[Record], tracked: Tracked, settled: Settling, at_us: int) -> None:
        """Look at those that were looked at longest ago: all of a port, some of 90,000 sensors'."""
        some = list(records)
        if tracked.ended:
            self._learn({record.identity.id: record for record in some}, [one.id for one in tracked.ended])
        due = nsmallest(MOST_WEIGHED, some, key=lambda record: (record.life.looked_us, record.identity.age))
        for record in due:
            self._look(record, settled, at_us)
        parts = [record for record in due if record.host is not None]
        if parts:
            hosts = {record.identity.id: record for record in some}
            for part in parts:
                host = hosts.get(part.host or "")
                part.life.expected = host.life.expected if host else part.life.expected

    def _learn(self, records: Mapping[str, Record], ended: Iterable[str]) -> None:
        """Learn from what is over; a part of another one is over when that is."""
        over = [records[name] for name in ended if name in records]
        for record in sorted(over, key=lambda record: (record.host is None, record.identity.age)):
            host = records.get(record.host or "")
            if host is not None:
                host.life.inherited.append(record.life)
            else:
                self.ends.learn(record.life, record.end_us() or record.identity.onset_us)

    def _look(self, record: Record, settled: Settling, at_us: int) -> None:
        record.life.looked_us = at_us
        if record.things:
            self._expect(record, int(settled.slow_us[list(record.things)].max()), at_us)
        elif record.host is None and (end_us := record.end_us()) is not None:
            record.life.expected = Expectation(end_us, end_us, max(end_us, at_us))

    def _expect(self, record: Record, slow_us: int, at_us: int) -> None:
        life = record.life
        if self.usually is not None:
            hour, usual_end_us = self.usually.look(record.things, at_us)
            life.hour = hour if life.first is None else life.hour
            life.usual_end_us = usual_end_us or life.usual_end_us
        life.expected = self.ends.expect(life, max(slow_us, life.onset_us))
        if life.first is None:
            life.first, life.first_usual_us = life.expected, life.usual_end_us
