"""The figures of one scenario, or of all: counted run by run, pooled, and worded as the score's object. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

from service.score.alarms import Alarms, Fate
from service.score.endings import Ending, end_figures, judged_ends
from service.score.feed import Alert, said
from service.score.ground import Ground
from service.score.naming import Cause, judged_causes, lasting, named_right
from service.score.watch import Watch

_DAY_S = 86_400.0
_DIGITS = 4

Figures = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one run or several. `unseen` events are left out of `events`: nobody sent anything of them."""

    seeds: frozenset[int] = frozenset()
    events: int = 0
    unseen: int = 0
    detected_after_s: tuple[float, ...] = ()
    muted: int = 0
    sensor_days: float = 0.0
    false_alarms: int = 0
    nuisances: int = 0
    alarms_from_faults: int = 0
    hints_causes: bool = False
    causes: Counter[Cause] = field(default_factory=Counter)
    faults: int = 0
    faults_right: int = 0
    ends: tuple[Ending, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        mine = {one.name: getattr(self, one.name) for one in fields(self)}
        theirs = {one.name: getattr(other, one.name) for one in fields(other)}
        joined = {"seeds", "hints_causes"}
        return Tally(
            **{name: value | theirs[name] if name in joined else value + theirs[name] for name, value in mine.items()}
        )

    def figures(self, scenario: str) -> Figures:
        """The score's object: a rate over nothing is null, a count is 0."""
        right, wrong = self.causes[Cause.RIGHT], self.causes[Cause.WRONG]
        caused = right + wrong + self.causes[Cause.UNNAMED] if self.hints_causes else 0
        after_min = [after_s / 60 for after_s in self.detected_after_s]
        return {
            "scenario": scenario,
            "seeds": len(self.seeds),
            "events": self.events,
            "sensor_days": round(self.sensor_days, _DIGITS),
            "detection_rate": _rate(len(self.detected_after_s), self.events),
            "false_alarms": self.false_alarms,
            "false_per_sensor_day": _rate(self.false_alarms, self.sensor_days),
            "detect_median_min": round(statistics.median(after_min), _DIGITS) if after_min else None,
            "cause_right": _rate(right, caused),
            "cause_wrong": _rate(wrong, caused),
            "faults": self.faults,
            "faults_right": _rate(self.faults_right, self.faults),
            "alarms_from_faults": self.alarms_from_faults,
            "true_events_muted": self.muted,
            **end_figures(self.ends),
        }


def tallied(ground: Ground, alerts: Iterable[Alert], watch: Watch) -> Tally:
    """Compare what was so with what a system said; raises `FeedError`."""
    heard = said(alerts, ground.span)
    alarms = Alarms(ground, watch, heard.episodes)
    detections = alarms.detections(heard.verdicts)
    fates = alarms.fates()
    false = [episode for episode, fate in fates if fate is Fate.FALSE]
    faults = lasting(ground.faults)
    return Tally(
        seeds=frozenset({ground.seed}),
        events=len(detections),
        unseen=len(ground.events) - len(detections),
        detected_after_s=tuple(one.after_s for one in detections if one.after_s is not None),
        muted=sum(one.muted for one in detections),
        sensor_days=watch.sensors * ground.span.length_s / _DAY_S,
        false_alarms=len(false),
        nuisances=sum(fate is Fate.NUISANCE for _, fate in fates),
        alarms_from_faults=sum(map(alarms.under_fault, false)),
        hints_causes=heard.hints_causes,
        causes=Counter(judged_causes([one.event for one in detections], heard.hints)),
        faults=len(faults),
        faults_right=sum(named_right(fault, heard.verdicts, watch) for fault in faults),
        ends=tuple(judged_ends([one.event for one in detections], heard.hints, ground.span.end_s)),
    )


def table(tallies: Sequence[tuple[str, Tally]]) -> list[Figures]:
    """One object a scenario in the order given, and a last one of all pooled."""
    return [
        *(tally.figures(name) for name, tally in tallies),
        sum((tally for _, tally in tallies), Tally()).figures("all"),
    ]


def _rate(part: float, whole: float) -> float | None:
    return round(part / whole, _DIGITS) if whole else None
