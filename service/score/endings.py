"""Ends that a system foretold, against when congestion was over. Pure.

`docs/benchmark.md` gives the definitions in words; both must say the same.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from typing import Final, NamedTuple

from service.score.alarms import WIDENED_S
from service.score.feed import Foretold, Hint
from service.score.ground import Event

LATE_S: Final = 1800.0
"""How long after the onset an end may first be told: later is no forecast of the beginning. Less: events that are found
late do not count; more: what is told shortly before the end counts as if it had been told at the onset."""

_DIGITS = 4


class Ending(NamedTuple):
    """How far the end was off that was told first, how long it was to the end then, and whether the range held it.

    held: None where no range was told.
    """

    off_s: float
    left_s: float
    held: bool | None


def judged_ends(events: Iterable[Event], hints: Sequence[Hint], end_s: float) -> Iterator[Ending]:
    """What was told first of every event that ended before the run did, and of which something was."""
    for event in events:
        if event.span.end_s < end_s and (told := _told_first(event, hints)) is not None:
            until_s = event.span.end_s
            held = None if isnan(told.low_s + told.high_s) else told.low_s <= until_s <= told.high_s
            yield Ending(told.median_s - until_s, until_s - told.at_s, held)


def _told_first(event: Event, hints: Iterable[Hint]) -> Foretold | None:
    """Take the situation that shares most with an event: things first, then time."""
    things = event.sensors | set(event.stretches)
    around = event.span.widened(WIDENED_S)
    found = []
    for hint in hints:
        told = [one for one in hint.foretold if one.about & things and _at_onset(one, event)]
        both = hint.span.common(around)
        if told and both is not None:
            found.append((len(things & hint.about), both.length_s, -told[0].at_s, told[0]))
    return max(found)[-1] if found else None


def _at_onset(told: Foretold, event: Event) -> bool:
    onset_s = event.span.start_s
    return onset_s - WIDENED_S <= told.at_s <= min(onset_s + LATE_S, event.span.end_s)


def end_figures(ends: Sequence[Ending]) -> dict[str, float | None]:
    """Medians in minutes, of what was told and of the best constant; None without any."""
    left_s = [one.left_s for one in ends]
    constant_s = statistics.median(left_s) if left_s else 0.0
    held = [one.held for one in ends if one.held is not None]
    return {
        "end_error_median_min": _median_min([abs(one.off_s) for one in ends]),
        "end_error_constant_min": _median_min([abs(left - constant_s) for left in left_s]),
        "end_coverage_80": round(sum(held) / len(held), _DIGITS) if held else None,
    }


def _median_min(seconds: Sequence[float]) -> float | None:
    return round(statistics.median(seconds) / 60, _DIGITS) if seconds else None
