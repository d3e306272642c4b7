"""What a system said is wrong, against what was: faults of sensors, and causes of congestion. Pure.

`docs/benchmark.md` gives the definitions in words; both must say the same.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sensors.fault import Fault
from service.score.alarms import WIDENED_S
from service.score.feed import Hint, Verdict
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


def judged_causes(events: Sequence[Event], hints: Iterable[Hint]) -> list[Cause]:
    """What became of the cause of each event, in their order."""
    named: dict[str, set[str]] = defaultdict(set)
    for hint in hints:
        if (event := _about(hint, events)) is not None:
            around = event.span.widened(WIDENED_S)
            named[event.id] |= {one.cause for one in hint.named if around.start_s <= one.at_s <= around.end_s}
    return [_judged(event.cause, named[event.id]) for event in events]


def _about(hint: Hint, events: Sequence[Event]) -> Event | None:
    """The event that shares most with a hint: sensors and places first, then time; the earlier one of equals."""

    def shared(event: Event) -> tuple[int, float]:
        both = hint.span.common(event.span.widened(WIDENED_S))
        things = event.sensors | set(event.stretches)
        return (len(things & hint.about), both.length_s) if both else (0, 0.0)

    best = max(events, key=shared, default=None)
    return best if best is not None and shared(best)[0] else None


def _judged(cause: str | None, named: set[str]) -> Cause:
    right = _OF_NO_CAUSE if cause is None else RIGHT_WORDS.get(cause, frozenset({cause}))
    if named - right:
        return Cause.WRONG
    if cause is None:
        return Cause.NONE
    return Cause.RIGHT if named else Cause.UNNAMED
