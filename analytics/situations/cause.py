"""Why: hints with what speaks for them, ranked, and the one that is confident enough to be named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isnan

Evidence = Mapping[str, float | str]
"""What led to a hint: numbers with their unit in the name, ids."""


class Cause(StrEnum):
    """The words of the feed."""

    GATE_OUTAGE = "gate_outage"
    SURGE = "surge"
    YARD_SATURATED = "yard_saturated"
    WIND_STOP = "wind_stop"
    ACCIDENT = "accident"
    LANE_CLOSED = "lane_closed"
    BAN_IGNORED = "ban_ignored"
    REEFER_TRIP = "reefer_trip"
    BOTTLENECK = "bottleneck"
    RECURRENT = "recurrent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Hint:
    """confidence: how often such a hint is right, 0 to 1."""

    what: Cause
    confidence: float
    evidence: Evidence = field(default_factory=dict)


def weighed(what: Cause, confidence: float, **evidence: float) -> Hint:
    """Make a hint of numbers; what is not known (NaN) is no evidence."""
    return Hint(what, round(confidence, 3), rounded(evidence))


def rounded(evidence: Mapping[str, float]) -> dict[str, float]:
    """Leave out what is not known."""
    return {name: round(value, 3) for name, value in evidence.items() if not isnan(value)}


NAMED = 0.65
"""Confidence from which a cause is named. Lower: the operator is sent to the wrong place; higher: unknown too often."""

SURE = 0.85
"""Confidence that is named at once; anything less must hold for `HELD_US`."""

HELD_US = 60 * 1_000_000
"""Microseconds for which a hint must hold before it is named: two readings of a gate or a loop."""

DROPPED_US = 10 * 60 * 1_000_000
"""Microseconds after which a name may give way to another that is sure, while nothing speaks for itself any more. Too
short: the last minutes of a queue, which outlasts what made it, are given to something else; too long: a wrong name
stays."""

OF_A_TERMINAL = frozenset({Cause.GATE_OUTAGE, Cause.YARD_SATURATED})
"""Causes at the gates and the yard of a terminal."""

_NOT_AFTER = {
    Cause.GATE_OUTAGE: {Cause.ACCIDENT, Cause.SURGE},
    Cause.YARD_SATURATED: {Cause.ACCIDENT, Cause.SURGE},
    Cause.ACCIDENT: {Cause.SURGE},
    Cause.LANE_CLOSED: {Cause.SURGE},
    Cause.RECURRENT: {Cause.SURGE},
}
"""What a queue is not taken for after a cause, nor ever an ordinary one. Lorries that were held up, be it in the rush,
arrive together, as in a surge; while they drain into a gate less leaves the road than usual, as in an accident."""

FAINT = 0.3
"""Confidence below which nothing speaks for a named cause any more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a cause: the name, ranked hints; since_us: when what would be named next, `waiting`, began."""

    named: Cause = Cause.UNKNOWN
    hints: tuple[Hint, ...] = ()
    since_us: int = 0
    waiting: Cause = Cause.UNKNOWN


UNJUDGED = Verdict()


def ranked(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """Keep the strongest hint of each cause that is more than faint, the strongest first."""
    best: dict[Cause, Hint] = {}
    for hint in hints:
        if hint.confidence >= FAINT and hint.confidence > best.get(hint.what, Hint(hint.what, 0)).confidence:
            best[hint.what] = hint
    return tuple(sorted(best.values(), key=lambda hint: (-hint.confidence, hint.what)))


def judge(before: Verdict, hints: tuple[Hint, ...], at_us: int) -> Verdict:
    """Name a cause when a hint is sure, or holds; keep a name until nothing speaks for it and another is sure."""
    next_, after_us = _next(before, hints)
    if next_ in (Cause.UNKNOWN, before.named):
        return replace(before, hints=hints, since_us=at_us, waiting=Cause.UNKNOWN)
    since_us = before.since_us if before.waiting is next_ else at_us
    if at_us < since_us + after_us:
        return replace(before, hints=hints, since_us=since_us, waiting=next_)
    return Verdict(next_, hints, at_us)


def _next(before: Verdict, hints: tuple[Hint, ...]) -> tuple[Cause, int]:
    """Return what should be named, and for how long that must hold."""
    best = hints[0] if hints and hints[0].confidence >= NAMED else Hint(Cause.UNKNOWN, 0)
    if before.named is Cause.UNKNOWN:
        return best.what, 0 if best.confidence >= SURE else HELD_US
    if any(hint.what is before.named for hint in hints):
        return before.named, 0
    gives_way = best.confidence >= SURE and best.what not in (Cause.RECURRENT, *_NOT_AFTER.get(before.named, ()))
    return best.what if gives_way else Cause.UNKNOWN, DROPPED_US


def kept_apart(named: str) -> str:
    """Return what keeps a situation apart from its neighbours: its cause, "" while that is not known."""
    return "" if named == Cause.UNKNOWN else named
