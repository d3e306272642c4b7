"""What a system said, read from its CloudEvents: alarms, verdicts over sensors, and causes it named. Pure.

A span that is still open at the end lasts until then; one that is closed without having been opened began before. Of a
subject that was lost, what had been under way may tell later that its alarm went on and ended: by then it is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from sensors.errors import OperatorError
from sensors.fault import Fault
from service.score.spans import Span

Alert = Mapping[str, Any]
"""A CloudEvent as `GET /v1/alerts` lists it."""

_OPENS: Final = frozenset(
    {
        "vigie.congestion.began.v1",
        "vigie.congestion.changed.v1",
        "vigie.situation.began.v1",
        "vigie.situation.changed.v1",
    }
)
_CLOSES: Final = frozenset({"vigie.congestion.ended.v1", "vigie.congestion.lost.v1", "vigie.situation.ended.v1"})
_SILENT: Final = "vigie.sensor.silent.v1"
_FAULTY: Final = "vigie.sensor.faulty.v1"
_HEALTHY: Final = frozenset({"vigie.sensor.returned.v1", "vigie.sensor.recovered.v1"})
_NOTHING: Final = frozenset({None, "", "unknown"})


class FeedError(OperatorError):
    """An alert that is none; the message names it."""


class Episode(NamedTuple):
    """An alarm of a sensor or corridor, from began to ended or lost."""

    subject: str
    span: Span


class Verdict(NamedTuple):
    """While the system says that something is wrong with a sensor, a site or a basin, and what."""

    subject: str
    fault: str
    span: Span


class Named(NamedTuple):
    """What was said of these sensors and places from one alert to the next: a cause, or "" while none is named."""

    span: Span
    about: frozenset[str]
    cause: str


class Foretold(NamedTuple):
    """What was said at an instant of the end of what was then at these sensors and places."""

    at_s: float
    about: frozenset[str]
    median_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Hint:
    """What a situation with its sensors and places, or the alarm of one subject, told of causes and ends, in order."""

    about: frozenset[str]
    span: Span
    named: tuple[Named, ...]
    foretold: tuple[Foretold, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """All that a system said within a span; `hints_causes` tells whether it names causes at all, be they unknown."""

    episodes: tuple[Episode, ...]
    verdicts: tuple[Verdict, ...]
    hints: tuple[Hint, ...]
    hints_causes: bool


class _CloudEvent(msgspec.Struct):
    """The attributes that are needed; a system may send more."""

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    type: str
    subject: str = ""
    data: dict[str, Any] = {}


class _Told(NamedTuple):
    """One alert, as far as it is used."""

    at_s: float
    type: str
    subject: str
    data: Mapping[str, Any]


def said(alerts: Iterable[Alert], within: Span) -> Said:
    """Read a feed in its order; raises `FeedError` for what is not a CloudEvent with a subject and a time."""
    told = sorted(map(_told, alerts), key=lambda one: one.at_s)
    told = [one for one in told if one.at_s <= within.end_s]
    congestion = list(_runs([one for one in told if one.type.startswith("vigie.congestion.")], within.end_s))
    situations = list(_runs([one for one in told if one.type.startswith("vigie.situation.")], within.end_s))
    # An alarm that has nothing to say of causes stands beside the situation that has.
    telling = [run for run in congestion if any("cause" in one.data for one in run.told)]
    hints = [_hint(run) for run in (*telling, *situations) if run.span.touches(within)]
    episodes = [Episode(run.told[0].subject, run.span) for run in congestion if run.span.touches(within)]
    verdicts = [verdict for verdict in _verdicts(told, within.end_s) if verdict.span.touches(within)]
    hints_causes = any("cause" in one.data for one in told)
    return Said(tuple(episodes), tuple(verdicts), tuple(hints), hints_causes)


def _told(alert: Alert) -> _Told:
    try:
        event = msgspec.convert(alert, _CloudEvent)
    except msgspec.ValidationError as exc:
        name = alert.get("id") if isinstance(alert, Mapping) else None
        raise FeedError(f"alert {name!r} is no CloudEvent to be scored: {exc}; see docs/benchmark.md") from exc
    return _Told(event.time.timestamp(), event.type, event.subject, event.data)


class _Run(NamedTuple):
    """What was told of one subject while one alarm or situation stood."""

    span: Span
    told: Sequence[_Told]


def _runs(told: Sequence[_Told], end_s: float) -> Iterator[_Run]:
    """Alarms and situations of every subject, in the order in which they ended."""
    standing: dict[str, list[_Told]] = {}
    closed: set[str] = set()
    for one in told:
        if one.type in _OPENS:
            standing.setdefault(one.subject, []).append(one)
        elif one.type in _CLOSES and (one.subject in standing or one.subject not in closed):
            closed.add(one.subject)
            run = [*standing.pop(one.subject, ()), one]
            start_s = run[0].at_s if len(run) > 1 else float("-inf")
            yield _Run(Span(start_s, one.at_s), run)
    for run in standing.values():
        yield _Run(Span(run[0].at_s, end_s), run)


def _hint(run: _Run) -> Hint:
    about = {run.told[0].subject}.union(*map(_things, run.told))
    until_s = [*(one.at_s for one in run.told[1:]), run.span.end_s]
    told = zip(run.told, until_s, strict=True)
    named = [Named(Span(one.at_s, end_s), _about(one), _cause(one)) for one, end_s in told]
    foretold = [found for one in run.told if (found := _foretold(one)) is not None]
    return Hint(frozenset(about), run.span, tuple(named), tuple(foretold))


def _cause(one: _Told) -> str:
    cause = one.data.get("cause")
    return "" if cause in _NOTHING else str(cause)


def _about(one: _Told) -> frozenset[str]:
    return frozenset(_things(one)) | {one.subject}


def _things(one: _Told) -> set[str]:
    return {*map(str, one.data.get("sensors") or ()), *map(str, one.data.get("places") or ())}


def _foretold(one: _Told) -> Foretold | None:
    """Read the end that was told; without bounds there is no range."""
    found = [one.data.get(key) for key in ("expected_end", "expected_end_low", "expected_end_high")]
    if found[0] is None:
        return None
    median_s, low_s, high_s = (nan if text is None else _seconds(text, one.subject) for text in found)
    return Foretold(one.at_s, _about(one), median_s, low_s, high_s)


def _seconds(text: object, subject: str) -> float:
    try:
        return msgspec.convert({"time": text, "type": ""}, _CloudEvent).time.timestamp()
    except msgspec.ValidationError as exc:
        raise FeedError(f"the expected end {text!r} of {subject} is no time: {exc}; see docs/benchmark.md") from exc


def _verdicts(told: Sequence[_Told], end_s: float) -> Iterator[Verdict]:
    """A second verdict over a subject stands beside the first; an all-clear that names no fault ends them all."""
    standing: dict[tuple[str, str], float] = {}
    for one in told:
        if one.type in {_SILENT, _FAULTY}:
            fault = Fault.SILENT.value if one.type == _SILENT else str(one.data.get("fault"))
            standing.setdefault((one.subject, fault), one.at_s)
        elif one.type in _HEALTHY:
            for subject, fault in _cleared(one, standing):
                yield Verdict(subject, fault, Span(standing.pop((subject, fault)), one.at_s))
    for (subject, fault), start_s in standing.items():
        yield Verdict(subject, fault, Span(start_s, end_s))


def _cleared(one: _Told, standing: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    fault = Fault.SILENT.value if one.type.startswith("vigie.sensor.returned") else one.data.get("fault")
    return [key for key in standing if key[0] == one.subject and fault in (key[1], None)]
