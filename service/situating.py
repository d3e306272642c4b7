"""Situations on their way to the store and the feed. The shape of `data` is a promise: `docs/api.md` describes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from analytics.roster import Roster
from analytics.situations.cause import Hint
from analytics.situations.habits import Table
from analytics.situations.headline import Headline, Headlines
from analytics.situations.situation import Expectation, Notice, Situation, Spillback, Step
from analytics.situations.situations import Situations
from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from service.alerts import instant, rfc3339
from store.catalogue import load_neighbours
from store.database import Connection
from store.events import NewEvent
from store.habits import load_habits
from store.situations import SituationRow, load_situation_memory

TYPES = {
    Step.BEGAN: "vigie.situation.began.v1",
    Step.CHANGED: "vigie.situation.changed.v1",
    Step.ENDED: "vigie.situation.ended.v1",
}

HABITS = {
    "gate": ("lanes_open", "service_s", "arrivals"),
    "traffic": ("flow_veh_h", "speed_kmh", "hgv_share"),
}
"""Fields of which causes and ends ask what is usual, by kind."""


def situation_event(notice: Notice, headlines: Headlines | None = None) -> NewEvent:
    """Word one announcement; its time is that of the step behind it. `headlines`: None where nobody reads it."""
    situation = notice.situation
    said = {} if headlines is None else _said(headlines.of(situation))
    return NewEvent(instant(situation.at_us), TYPES[notice.step], situation.id, data_of(situation) | said)


def situation_rows(
    notices: Iterable[Notice], still_open: Iterable[Situation], headlines: Headlines
) -> list[SituationRow]:
    """What is to be stored of those that ended or are open, each once."""
    found = {notice.situation.id: notice.situation for notice in notices if notice.step is Step.ENDED}
    return [_row(one, headlines) for one in (found | {one.id: one for one in still_open}).values()]


def data_of(situation: Situation) -> dict[str, Any]:
    """What is said of a situation but its headline, times as RFC 3339."""
    return {
        "situation": situation.id,
        "kind": situation.kind,
        "state": situation.state.value,
        "level": situation.level.label,
        "sites": list(situation.sites),
        "places": list(situation.places),
        "sensors": list(situation.sensors),
        "head": situation.head,
        "tail": situation.tail,
        "length_m": situation.length_m,
        "trend": situation.trend.value,
        "cause": situation.cause.value,
        "causes": [_cause(hint) for hint in situation.causes],
        "onset": _text(situation.onset_us),
        "end": _text(situation.end_us),
        "parent": situation.parent,
        **_expected(situation.expected_end),
        "delay_s": _rounded(situation.delay_s),
        "lorry_hours": _rounded(situation.lorry_hours),
        "spillback": _spillback(situation.spillback),
    }


async def habits_of(conn: Connection, kinds: Kinds) -> dict[tuple[str, str], Table]:
    """What causes are told by, at every hour of the week."""
    return await load_habits(conn, kinds, HABITS)


async def restored_situations(conn: Connection, kinds: Kinds, roster: Roster, catalogue: Catalogue) -> Situations:
    """Situations that go on where the last process stopped; their engine must be restored already."""
    situations = Situations(roster, catalogue, await load_neighbours(conn))
    situations.use(await habits_of(conn, kinds))
    situations.restore(await load_situation_memory(conn))
    return situations


def _said(headline: Headline) -> dict[str, Any]:
    return {
        "headline": {"fr": headline.fr, "en": headline.en},
        "sign": {"fr": list(headline.sign_fr), "en": list(headline.sign_en)},
    }


def _cause(hint: Hint) -> dict[str, Any]:
    return {"what": hint.what.value, "confidence": hint.confidence, "evidence": dict(hint.evidence)}


def _row(situation: Situation, headlines: Headlines) -> SituationRow:
    return SituationRow(
        id=situation.id,
        kind=situation.kind,
        state=situation.state.value,
        level=int(situation.level),
        onset=instant(situation.onset_us),
        ended=None if situation.end_us is None else instant(situation.end_us),
        time=instant(situation.at_us),
        sites=list(situation.sites),
        data=data_of(situation) | _said(headlines.of(situation)) | {"stays": list(_stays(situation))},
    )


def _stays(situation: Situation) -> Iterator[dict[str, str | None]]:
    for span in situation.spans:
        yield {"sensor": span.sensor, "from": _text(span.from_us), "to": _text(span.to_us)}


def _expected(end: Expectation | None) -> dict[str, str | None]:
    """Whole seconds, by name: the median is `expected_end` itself."""
    low, median, high = (None, None, None) if end is None else (end.low_us, end.median_us, end.high_us)
    by_name = {"expected_end": median, "expected_end_low": low, "expected_end_high": high}
    return {name: _whole_seconds(at) for name, at in by_name.items()}


def _spillback(found: Spillback | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "towards": found.towards,
        "site": found.site,
        "storage_m": found.storage_m,
        "filled": found.filled,
        "reaches_at": _whole_seconds(found.reaches_us),
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


def _text(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(time_us)


def _whole_seconds(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(time_us // 1_000_000 * 1_000_000)
