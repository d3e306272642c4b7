"""Alarms against congestion: which events were detected and when, and which alarms tell of nothing. Pure.

`docs/benchmark.md` gives the definitions in words; both must say the same.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sensors.fault import Fault
from service.score.feed import Episode, Verdict
from service.score.ground import Event, Ground, Slowed
from service.score.spans import Span, gaps
from service.score.watch import Watch
from service.score.windows import is_blind

WIDENED_S: Final = 300.0
"""How far an alarm may lie beside congestion and still tell of it, as for recordings at 30 s. Less: alarms that come
with the last confirmation are false; more: luck counts."""

STALE_S: Final = 1800.0
"""How long an alarm may stand where nothing is even slow before it is false whatever else it touched: otherwise alarms
that never end would detect everything and hardly be false. Less: slow off-delays count; more: stale alarms do not."""

SEEN_S: Final = 120.0
"""How much of an event somebody must have seen for it to count, or could have seen but for a verdict: congestion is
what lasts so long."""


class Fate(enum.Enum):
    """What an alarm was worth."""

    TRUE = "true"
    NUISANCE = "nuisance"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class Detected:
    """One event that somebody could see; `after_s` from onset to the first alarm, None where there was none."""

    event: Event
    after_s: float | None
    muted: bool


class Alarms:
    """The alarms of one run against its truth."""

    def __init__(self, ground: Ground, watch: Watch, episodes: Iterable[Episode]) -> None:
        self._ground, self._watch = ground, watch
        self._episodes = [one for one in episodes if one.subject not in watch.others]

    def visible(self) -> Iterator[Event]:
        """Events of which some sensor that was not blind saw enough: of others nobody can know."""
        for event in self._ground.events:
            seen = (gap for seer, span in self._looks(event) for gap in gaps(span, self._blind(seer)))
            if any(gap.length_s >= SEEN_S for gap in seen):
                yield event

    def detections(self, verdicts: Sequence[Verdict]) -> list[Detected]:
        """What became of each visible event."""
        found = []
        for event in self.visible():
            after_s = self._first_alarm_s(event)
            muted = after_s is None and self._hidden(event, verdicts)
            found.append(Detected(event, after_s, muted))
        return found

    def fates(self) -> list[tuple[Episode, Fate]]:
        """Every alarm with what it was worth."""
        return [(episode, self._fate(episode)) for episode in self._episodes]

    def under_fault(self, episode: Episode) -> bool:
        """Whether a fault was injected on what an alarm rests on, then or right before."""
        resting = self._watch.on(episode.subject)
        after = (
            Span(one.span.start_s, one.span.end_s + WIDENED_S) for one in self._ground.faults if one.where in resting
        )
        return any(span.touches(episode.span) for span in after)

    def _fate(self, episode: Episode) -> Fate:
        true = [span for event in self._ground.events for span in self._of(event, episode.subject)]
        slow = [one.span for one in self._ground.slowed if self._is_at(one, episode.subject)]
        inside = Span(max(episode.span.start_s, self._ground.span.start_s), episode.span.end_s)
        if any(gap.length_s > STALE_S for gap in gaps(inside, true + slow)):
            return Fate.FALSE
        if any(span.touches(episode.span) for span in true):
            return Fate.TRUE
        return Fate.NUISANCE if any(span.touches(episode.span) for span in slow) else Fate.FALSE

    def _first_alarm_s(self, event: Event) -> float | None:
        """Seconds from onset; of an alarm that stood before anybody could mean this event, none early and none late."""
        onset_s = event.span.start_s
        began = [self._meant_s(one.span.start_s, onset_s) for one in self._episodes if self._detects(one, event)]
        return min(began) - onset_s if began else None

    @staticmethod
    def _meant_s(began_s: float, onset_s: float) -> float:
        return began_s if began_s >= onset_s - WIDENED_S else onset_s

    def _detects(self, episode: Episode, event: Event) -> bool:
        """Whether an alarm tells of an event, and need not stand for another one over a longer stretch."""
        spans = [span for span in self._of(event, episode.subject) if span.touches(episode.span)]
        alone = len(self._watch.places.get(episode.subject, ())) <= 1
        return any(alone or span.start_s <= episode.span.start_s for span in spans)

    def _of(self, event: Event, subject: str) -> list[Span]:
        """The widened spans in which an alarm of this subject tells of this event."""
        mine = self._watch.places.get(subject, frozenset())
        spans = [span for place in sorted(mine & set(event.stretches)) for span in event.stretches[place]]
        if not spans and subject in event.sensors | set(event.stretches):
            # It stands at the congestion and watches another place: it tells of it as long as it lasts.
            spans = [event.span]
        return [span.widened(WIDENED_S) for span in spans]

    def _is_at(self, slowed: Slowed, subject: str) -> bool:
        return subject in slowed.sensors or slowed.place in self._watch.places.get(subject, {subject})

    def _looks(self, event: Event) -> Iterator[tuple[str, Span]]:
        """Who could see an event, and when; who only stands at it, while its own place was congested or slow."""
        for seer in set(event.sensors) | self._watch.of(event.stretches):
            own = self._watch.places.get(seer, frozenset())
            if own.isdisjoint(event.stretches):
                yield from ((seer, both) for span in self._bad(own) if (both := span.common(event.span)))
            else:
                yield seer, event.span

    def _bad(self, places: frozenset[str]) -> Iterator[Span]:
        """When one of these places was congested or slow."""
        for event in self._ground.events:
            for place in places & set(event.stretches):
                yield from event.stretches[place]
        yield from (one.span for one in self._ground.slowed if one.place in places)

    def _hidden(self, event: Event, verdicts: Sequence[Verdict]) -> bool:
        """Whether a verdict stood for long enough over something that still told of the road."""
        for seer, span in self._looks(event):
            mine = [one for one in verdicts if one.subject in self._watch.on(seer)]
            blind = [*self._blind(seer), *self._unheard(seer, mine)]
            both = [both for one in mine if (both := one.span.common(span))]
            if any(gap.length_s >= SEEN_S for part in both for gap in gaps(part, blind)):
                return True
        return False

    def _unheard(self, subject: str, verdicts: Iterable[Verdict]) -> Iterator[Span]:
        """When a system heard nothing of a subject whose messages are lost: what did not come is not hidden."""
        lossy = [one.span for one in self._ground.faults if one.fault is Fault.INSUFFICIENT and one.where == subject]
        silent = [one.span for one in verdicts if (one.subject, one.fault) == (subject, Fault.SILENT.value)]
        yield from (both for one in silent for span in lossy if (both := one.common(span)))

    def _blind(self, subject: str) -> list[Span]:
        """When nothing that came from a subject told of the road."""
        resting = self._watch.on(subject)
        kinds = self._watch.kinds
        faults = (one for one in self._ground.faults if one.where in resting)
        return [one.span for one in faults if is_blind(one.fault, kinds.get(one.where))]
