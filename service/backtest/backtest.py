"""`vigie backtest`: what other settings would have made of stored readings, beside what was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.alarms.conditions import Happening
from analytics.alarms.load import Announcement, load
from analytics.alarms.rules import Rules
from analytics.situations.situation import Situation
from sensors.errors import OperatorError
from sensors.kind import Kinds
from sensors.level import Level
from service.alerts import instant
from service.backtest.calls import calls
from service.backtest.compare import Comparison, Lived, Stay, compare, cut
from service.backtest.rerun import Rerun, rerun
from service.backtest.trial import NOTHING, Trial
from service.situating import situation_event
from store.catalogue import load_catalogue
from store.database import Connection, connected
from store.feed import feed_of
from store.leadership import Lock, try_lock
from store.situations import SituationChoice, SituationRow, read_situations

LONGEST = timedelta(days=31)
"""A month of the port's 90 sensors takes some minutes. Longer: an answer on the next day; shorter: rare things are
not in it."""

MOST = 100_000
"""Situations of a range that are read."""


class BacktestError(OperatorError):
    """A backtest that cannot be made."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came out. live, trial: how often each would have called."""

    start: datetime
    end: datetime
    readings: int
    comparison: Comparison
    live: Sequence[Announcement]
    trial: Sequence[Announcement]
    operators: int


@dataclass(frozen=True, slots=True)
class Question:
    """What is tried over [start, end), and how many operators share the calls."""

    start: datetime
    end: datetime
    trial: Trial = NOTHING
    operators: int = 1


async def backtest(url: str, kinds: Kinds, rules: Rules, question: Question) -> Backtest:
    """Compare; raises `BacktestError`, `TrialError` or `DatabaseUnavailable`. Writes nothing."""
    start, end = question.start, question.end
    if not timedelta() < end - start <= LONGEST:
        raise BacktestError(f"the range must end after it begins, at most {LONGEST.days} days later")
    async with connected(url, name="backtest") as conn:
        if not await try_lock(conn, Lock.BACKTEST):
            raise BacktestError("another backtest is running: wait for its end")
        found = await rerun(conn, kinds, question.trial, start, end)
        if not found.readings:
            raise BacktestError(f"there are no readings between {start.isoformat()} and {end.isoformat()}")
        return await _compared(conn, rules, found, question)


async def _compared(conn: Connection, rules: Rules, found: Rerun, question: Question) -> Backtest:
    start, end = question.start, question.end
    rows = await read_situations(conn, SituationChoice(None, None, start, end), before=None, limit=MOST)
    catalogue = await load_catalogue(conn)
    told = await feed_of(conn, [row.id for row in rows], "vigie.situation.%") if rows else []
    was = [Happening(row.time, row.type, row.subject, row.data) for row in told]
    live, trial = (calls(some, catalogue, rules, end) for some in (_until(was, end), _until(_happenings(found), end)))
    lived = (_lived(one) for one in found.situations.values())
    return Backtest(
        start=start,
        end=end,
        readings=found.readings,
        comparison=compare(_within(map(_stored, rows), start, end), _within(lived, start, end), end),
        live=[one for one in live if one.at >= start],
        trial=[one for one in trial if one.at >= start],
        operators=question.operators,
    )


def _within(lived: Iterable[Lived], start: datetime, end: datetime) -> list[Lived]:
    return [part for one in lived if (part := cut(one, start, end)) is not None]


def _happenings(found: Rerun) -> list[Happening]:
    events = map(situation_event, found.notices)
    return [Happening(event.time, event.type, event.subject, event.data) for event in events]


def _until(happenings: Iterable[Happening], end: datetime) -> list[Happening]:
    return [one for one in happenings if one.time < end]


def _lived(one: Situation) -> Lived:
    return Lived(
        id=one.id,
        kind=one.kind,
        level=one.level.label,
        cause=one.cause.value,
        sites=one.sites,
        onset=instant(one.onset_us),
        end=None if one.end_us is None else instant(one.end_us),
        stays=tuple(
            Stay(span.sensor, instant(span.from_us), None if span.to_us is None else instant(span.to_us))
            for span in one.spans
        ),
    )


def _stored(row: SituationRow) -> Lived:
    return Lived(
        id=row.id,
        kind=row.kind,
        level=Level(row.level).label,
        cause=str(row.data.get("cause", "unknown")),
        sites=tuple(row.sites),
        onset=row.onset,
        end=row.ended,
        stays=tuple(
            Stay(stay["sensor"], _moment(stay["from"]), _moment(stay["to"]) if stay["to"] else None)
            for stay in row.data.get("stays", ())
        ),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def as_json(found: Backtest, settings: Mapping[str, object]) -> dict[str, Any]:
    """The result for programs; `docs/api.md` describes it."""
    comparison = found.comparison
    return {
        "from": _text(found.start),
        "to": _text(found.end),
        "settings": settings,
        "readings": found.readings,
        "same": [one.id for one in comparison.same],
        "moved": [
            {"live": _told(pair.live), "trial": _told(pair.trial), "onset_min": pair.onset_min, "end_min": pair.end_min}
            for pair in comparison.moved
        ],
        "came": [_told(one) for one in comparison.came],
        "gone": [_told(one) for one in comparison.gone],
        "load": {"operators": found.operators, "live": _load(found, found.live), "trial": _load(found, found.trial)},
    }


def _told(one: Lived) -> dict[str, Any]:
    return {
        "situation": one.id,
        "kind": one.kind,
        "level": one.level,
        "cause": one.cause,
        "sites": list(one.sites),
        "sensors": sorted(one.sensors),
        "onset": _text(one.onset),
        "end": None if one.end is None else _text(one.end),
    }


def _load(found: Backtest, announced: Sequence[Announcement]) -> dict[str, float]:
    measured = load(announced, found.start, found.end, operators=found.operators)
    return {
        "alarms": measured.announced,
        "per_10min": round(measured.per_span, 4),
        "busiest_10min": measured.busiest,
        "floods": len(measured.floods),
    }


def as_lines(found: Backtest) -> Iterable[str]:
    """The result for people."""
    comparison = found.comparison
    yield f"{found.start.isoformat()} to {found.end.isoformat()}, {found.readings} readings"
    yield f"{len(comparison.same)} situations the same"
    for title, some in (("would have come", comparison.came), ("would be gone", comparison.gone)):
        yield f"{len(some)} {title}"
        yield from (f"  {_line(one)}" for one in some)
    yield f"{len(comparison.moved)} would have moved"
    for pair in comparison.moved:
        ends = "" if pair.end_min is None else f", end {pair.end_min:+.0f} min"
        named = "" if pair.live.id == pair.trial.id else f", as {pair.trial.id}"
        yield f"  {_line(pair.live)}: onset {pair.onset_min:+.0f} min{ends}{named}"
    for name, announced in (("as it was", found.live), ("tried", found.trial)):
        told = _load(found, announced)
        yield (
            f"load {name}: {told['alarms']} alarms, {told['per_10min']:g} per operator and 10 min, "
            f"{told['busiest_10min']} in the busiest 10 min, {told['floods']} floods"
        )


def _line(one: Lived) -> str:
    end = "open" if one.end is None else f"{one.end:%d %H:%M}"
    return f"{one.id} {one.kind} {one.level} {'+'.join(one.sites)} {one.onset:%Y-%m-%d %H:%M}-{end}"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
