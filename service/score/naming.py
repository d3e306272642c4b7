"""What a system said is wrong, against what was: faults of sensors, and causes of congestion. Pure.

`docs/benchmark.md` gives the definitions in words; both must say the same.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sensors.fault import Fault
from service.score.alarms import WIDENED_S
from service.score.feed import Hint, Named, Verdict
from service.score.ground import Event, Injected
from service.score.watch import Watch
from service.score.windows import WINDOW_S

RIGHT_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "incident": frozenset({"accident"}),
    "lane_closure": frozenset({"lane_closed"}),
    "gate_outage": frozenset({"gate_outage"}),
    "surge": frozenset({"surge"}),
    "ship_late": frozenset({"yard_saturated"}),
    "wind": frozenset({"wind_stop"}),
    "reefer_trip": frozenset({"reefer_trip"}),
    "ban_ignored": frozenset({"ban_ignored"}),
    "standing_lorries": frozenset({"standing_lorries", "accident"}),
}
"""The words for a cause that the world knows, by its name there; any other is right under its own name."""

_OF_NO_CAUSE: Final = frozenset({"bottleneck", "recurrent"})
"""What may be said of congestion that nothing injected brought about."""

_BY_NATURE: Final[Mapping[str, frozenset[str]]] = {
    "crane": frozenset({"wind_stop"}),
    "yard": frozenset({"yard_saturated"}),
}
"""What may be said of kinds of which the world has no other congestion: its weather stops cranes, too."""


class Cause(enum.Enum):
    """What became of one event's cause. `NONE`: there was none, and none was named that would need one."""

    RIGHT = "right"
    WRONG = "wrong"
    UNNAMED = "unnamed"
    NONE = "none"


def lasting(faults: Iterable[Injected]) -> list[Injected]:
    """The faults that lasted their detection window."""
    return [fault for fault in faults if fault.span.length_s >= WINDOW_S[fault.fault]]


def named_right(fault: Injected, verdicts: Iterable[Verdict], watch: Watch) -> bool:
    """Whether the last thing that was said of it, while it lasted or within its window after, is its name.

    Silence is part of many faults: it is a name only where nothing else was said.
    """
    until_s = fault.span.end_s + WINDOW_S[fault.fault]
    mine = [one for one in verdicts if one.subject in watch.named_as(fault.where)]
    mine = [one for one in mine if fault.span.start_s <= one.span.start_s <= until_s]
    telling = [one for one in mine if one.fault != Fault.SILENT.value] or mine
    during = [one for one in telling if one.span.start_s <= fault.span.end_s]
    said = sorted(during or telling, key=lambda one: one.span.start_s)
    return bool(said) and said[-1].fault == fault.fault.value


def judged_causes(events: Iterable[Event], hints: Sequence[Hint]) -> list[Cause]:
    """What became of the cause of each event, in their order."""
    known = list(events)
    return [_judged(event, _told_of(event, hints), known) for event in known]


def _told_of(event: Event, hints: Iterable[Hint]) -> Hint | None:
    """The situation that an operator would look an event up in: that which shares most with it, things times time."""
    shared = [(sum(_shared_s(one, event) for one in hint.named), hint) for hint in hints]
    most_s, best = max(shared, key=lambda pair: pair[0], default=(0.0, None))
    return best if most_s > 0 else None


def _shared_s(named: Named, event: Event) -> float:
    """Thing-seconds in which something was said of what belonged to an event; an instant is a second."""
    both = named.span.common(event.span.widened(WIDENED_S))
    return len(named.about & (event.sensors | set(event.stretches))) * max(both.length_s, 1.0) if both else 0.0


def _judged(event: Event, hint: Hint | None, events: Iterable[Event]) -> Cause:
    """A name is wrong when it fits none of the events that its situation tells of while it stands.

    Nor another part of this event's queue: the truth cuts a queue where it would have been there anyway.
    """
    standing = [one for one in hint.named if one.cause and _shared_s(one, event) > 0] if hint else []
    parts = [other for other in events if _one_queue(event, other)]
    for one in standing:
        told = [other for other in events if _shared_s(one, other) > 0]
        if not any(one.cause in _right(other) for other in (*parts, *told)):
            return Cause.WRONG
    if event.cause is None:
        return Cause.NONE
    return Cause.RIGHT if any(one.cause in _right(event) for one in standing) else Cause.UNNAMED


def _one_queue(event: Event, other: Event) -> bool:
    """Whether one follows the other without a gap at a place of both."""
    around = {place: [span.widened(WIDENED_S) for span in spans] for place, spans in other.stretches.items()}
    return any(
        span.touches(theirs)
        for place, spans in event.stretches.items()
        for span in spans
        for theirs in around.get(place, ())
    )


def _right(event: Event) -> frozenset[str]:
    if event.cause is None:
        return _OF_NO_CAUSE | _BY_NATURE.get(event.kind, frozenset())
    return RIGHT_WORDS.get(event.cause, frozenset({event.cause}))
