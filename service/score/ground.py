"""The truth of one run in the form in which alerts are compared with it: in spans of Unix seconds. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sensors.fault import Fault
from service.score.spans import Span
from simulators.truth import Truth
from simulators.truth.lines import EventTruth


@dataclass(frozen=True, slots=True)
class Event:
    """One congestion: where it was when. `cause` is the word of the intervention behind it, None where there is none.

    `stretches` are the spans of each place that belonged to it, `sensors` those that stand at or watch its places.
    kind: that of its sensors, `section` on a road.
    """

    id: str
    span: Span
    cause: str | None
    sensors: frozenset[str]
    stretches: Mapping[str, tuple[Span, ...]]
    kind: str = "section"


@dataclass(frozen=True, slots=True)
class Slowed:
    """A stretch of a place that was slow, and no congestion: alarms are neither right nor wrong."""

    place: str
    sensors: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that a sensor, a site or a basin had."""

    fault: Fault
    where: str
    span: Span


@dataclass(frozen=True, slots=True)
class Ground:
    """What was so within `span`."""

    scenario: str
    seed: int
    span: Span
    events: tuple[Event, ...] = ()
    slowed: tuple[Slowed, ...] = ()
    faults: tuple[Injected, ...] = ()

    def cut(self, within: Span) -> Ground:
        """What lies in a part of it; what reaches beyond is cut there, so what began before begins with the part."""
        span = self.span.common(within)
        if span is None:
            return replace(self, span=Span(within.start_s, within.start_s), events=(), slowed=(), faults=())
        return replace(
            self,
            span=span,
            events=tuple(event for one in self.events if (event := _cut_event(one, span))),
            slowed=tuple(replace(one, span=part) for one in self.slowed if (part := one.span.common(span))),
            faults=tuple(replace(one, span=part) for one in self.faults if (part := one.span.common(span))),
        )


def ground_of(truth: Truth) -> Ground:
    """A truth in spans; what still lasted at its end lasts until then."""
    span = Span(truth.run.start.timestamp(), truth.run.end.timestamp())
    return Ground(
        truth.run.scenario,
        truth.run.seed,
        span,
        tuple(_event(event, span.end_s) for event in truth.events),
        tuple(Slowed(one.place, frozenset(one.sensors), _span(one.start, one.end)) for one in truth.slowed),
        tuple(Injected(one.what, one.where, _span(one.start, one.end)) for one in truth.faults),
    )


def _event(event: EventTruth, run_end_s: float) -> Event:
    end_s = event.end.timestamp() if event.end else run_end_s
    extent = [(one.time.timestamp(), one.places) for one in event.extent]
    return Event(
        id=event.id,
        span=Span(event.onset.timestamp(), end_s),
        cause=event.cause.what if event.cause else None,
        sensors=frozenset(event.sensors),
        stretches=_stretches(extent, end_s),
        kind=event.kind,
    )


def _span(start: datetime, end: datetime) -> Span:
    return Span(start.timestamp(), end.timestamp())


def _cut_event(event: Event, within: Span) -> Event | None:
    span = event.span.common(within)
    if span is None:
        return None
    parts = {place: [one.common(span) for one in spans] for place, spans in event.stretches.items()}
    stretches = {place: tuple(filter(None, spans)) for place, spans in parts.items()}
    return replace(event, span=span, stretches={place: spans for place, spans in stretches.items() if spans})


def _stretches(extent: Iterable[tuple[float, Iterable[str]]], end_s: float) -> dict[str, tuple[Span, ...]]:
    """The spans of each place, from what belonged to an event from each instant on."""
    found: dict[str, list[Span]] = defaultdict(list)
    since: dict[str, float] = {}
    for at_s, places in [*extent, (end_s, ())]:
        now = set(places)
        for place in [place for place in since if place not in now]:
            found[place].append(Span(since.pop(place), at_s))
        for place in now:
            since.setdefault(place, at_s)
    return {place: tuple(spans) for place, spans in found.items()}
