"""Two sets of situations beside each other: which came, which are gone, which moved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

SAME = timedelta(seconds=1)
"""How far apart onsets and ends may be and be the same: they are stored to the microsecond."""


class Stay(NamedTuple):
    """A sensor inside; end None where it still was."""

    sensor: str
    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Lived:
    """A situation as far as it lies in the range; end None where it was not over at the range's end."""

    id: str
    kind: str
    level: str
    cause: str
    sites: tuple[str, ...]
    onset: datetime
    end: datetime | None
    stays: tuple[Stay, ...]

    @property
    def sensors(self) -> frozenset[str]:
        return frozenset(stay.sensor for stay in self.stays)


class Moved(NamedTuple):
    """One situation as it was, and as it would have been. Minutes are positive for later; None where one has no end."""

    live: Lived
    trial: Lived

    @property
    def onset_min(self) -> float:
        return (self.trial.onset - self.live.onset).total_seconds() / 60

    @property
    def end_min(self) -> float | None:
        if self.live.end is None or self.trial.end is None:
            return None
        return (self.trial.end - self.live.end).total_seconds() / 60


@dataclass(slots=True)
class Comparison:
    """same: under one id, with the same onset, end and sensors."""

    same: list[Lived] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    came: list[Lived] = field(default_factory=list)
    gone: list[Lived] = field(default_factory=list)


def cut(lived: Lived, start: datetime, end: datetime) -> Lived | None:
    """Take what lies in [start, end); None where nothing does. What went on is not over."""
    if lived.onset >= end or (lived.end is not None and lived.end < start):
        return None
    stays = tuple(
        Stay(stay.sensor, stay.begin, stay.end if stay.end is not None and stay.end < end else None)
        for stay in lived.stays
        if stay.begin < end
    )
    over = lived.end is not None and lived.end < end
    return Lived(
        id=lived.id,
        kind=lived.kind,
        level=lived.level,
        cause=lived.cause,
        sites=lived.sites,
        onset=lived.onset,
        end=lived.end if over else None,
        stays=stays,
    )


def compare(live: Iterable[Lived], trial: Iterable[Lived], until: datetime) -> Comparison:
    """Match by id, the rest by how long they held the same sensors at the same time; each once."""
    found = Comparison()
    before, after = ({one.id: one for one in some} for some in (live, trial))
    pairs = [(before.pop(name), after.pop(name)) for name in sorted(before.keys() & after.keys())]
    pairs += _by_overlap(before, after, until)
    for was, would in pairs:
        if was.id == would.id and _alike(was, would):
            found.same.append(would)
        else:
            found.moved.append(Moved(was, would))
    found.came, found.gone = (sorted(some.values(), key=lambda one: (one.onset, one.id)) for some in (after, before))
    found.moved.sort(key=lambda pair: (pair.live.onset, pair.live.id))
    return found


def _alike(was: Lived, would: Lived) -> bool:
    if abs(was.onset - would.onset) > SAME or (was.end is None) != (would.end is None):
        return False
    ended = was.end is None or would.end is None or abs(was.end - would.end) <= SAME
    return ended and was.sensors == would.sensors


def _by_overlap(before: dict[str, Lived], after: dict[str, Lived], until: datetime) -> Sequence[tuple[Lived, Lived]]:
    """Take the pairs that share most first, out of what is left of both."""
    shared = [
        (seconds, was.id, would.id)
        for was in before.values()
        for would in after.values()
        if was.kind == would.kind and (seconds := _shared_s(was, would, until)) > 0
    ]
    pairs = []
    for _, was_id, would_id in sorted(shared, key=lambda row: (-row[0], row[1], row[2])):
        if was_id in before and would_id in after:
            pairs.append((before.pop(was_id), after.pop(would_id)))
    return pairs


def _shared_s(was: Lived, would: Lived, until: datetime) -> float:
    """Seconds that sensors were in both, added up."""
    if was.sensors.isdisjoint(would.sensors):
        return 0.0
    mine, others = (_by_sensor(one, until) for one in (was, would))
    return sum(
        max((min(end, other_end) - max(begin, other_begin)).total_seconds(), 0.0)
        for sensor in mine.keys() & others.keys()
        for begin, end in mine[sensor]
        for other_begin, other_end in others[sensor]
    )


def _by_sensor(lived: Lived, until: datetime) -> Mapping[str, list[tuple[datetime, datetime]]]:
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for stay in lived.stays:
        found.setdefault(stay.sensor, []).append((stay.begin, stay.end or until))
    return found
