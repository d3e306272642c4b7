"""Load, shift, maintenance and hand-over from the store as the JSON shapes of `api/models/duty.py`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.alarms.lifecycle import HIDDEN, State
from analytics.alarms.load import GOOD_PER_SPAN, MOST_PER_SPAN, SPLIT, Flood, Load
from analytics.alarms.muting import Range
from api.alarm_shapes import alarm_out
from api.models.duty import (
    FloodOut,
    HandoverOut,
    Kpi,
    PrecisionOut,
    ShiftOut,
    SourceOut,
    StandingOut,
    WorkOut,
)
from store.alarms.duty import Shift, Work
from store.alarms.queries import Confirmations
from store.alarms.rows import AlarmRow, TrailRow


@dataclass(frozen=True, slots=True)
class Measured:
    """What the load of a time is made of."""

    start: datetime
    end: datetime
    operators: int
    load: Load
    flood: Flood | None
    escalated: int
    stale: Sequence[AlarmRow]
    confirmed: Sequence[Confirmations]


def kpi(found: Measured) -> Kpi:
    load = found.load
    return Kpi.model_construct(
        start=found.start,
        end=found.end,
        operators=found.operators,
        alarms=load.announced,
        per_10min=round(load.per_span, 4),
        per_10min_good=GOOD_PER_SPAN,
        per_10min_most=MOST_PER_SPAN,
        busiest_10min=load.busiest,
        flood=flood_out(found.flood),
        floods=[_flood(one) for one in load.floods],
        flooded_share=round(load.flooded_share, 4),
        escalated=found.escalated,
        chattering=_sources(load.chattering.items()),
        stale=[alarm_out(row) for row in found.stale],
        priorities=load.split,
        priorities_good=dict(SPLIT),
        worst_sources=_sources(load.worst),
        worst_share=None if load.worst_share is None else round(load.worst_share, 4),
        precision=[_precision(one) for one in found.confirmed],
    )


def flood_out(flood: Flood | None) -> FloodOut | None:
    return None if flood is None else _flood(flood)


def shift_out(shift: Shift) -> ShiftOut:
    return ShiftOut(operator=shift.operator, began=shift.began_at, ended=shift.ended_at, note=shift.note)


def work_out(work: Work) -> WorkOut:
    return WorkOut.model_construct(
        id=str(work.id),
        range=Range(work.range),
        target=work.target,
        reason=work.why,
        who=work.who,
        begins=work.begins_at,
        ends=work.ends_at,
        ended_by=work.ended_by,
    )


@dataclass(frozen=True, slots=True)
class Handed:
    """What is handed over: alarms that are not over with what was last said of each, and the shift behind us."""

    at: datetime
    since: datetime
    shift: Shift | None
    standing: Sequence[AlarmRow]
    notes: Mapping[int, TrailRow]
    works: Sequence[Work]
    flood: Flood | None
    load: Load
    escalated: int
    wrong: Sequence[AlarmRow]


def handover(found: Handed) -> HandoverOut:
    def those(*states: State) -> list[StandingOut]:
        rows = [row for row in found.standing if row.life.state in states]
        return [_standing(row, found.notes.get(row.id)) for row in sorted(rows, key=_urgency)]

    return HandoverOut.model_construct(
        at=found.at,
        since=found.since,
        operator=found.shift.operator if found.shift else None,
        unanswered=those(State.UNACKNOWLEDGED, State.RETURNED),
        in_hand=those(State.ACKNOWLEDGED),
        shelved=those(State.SHELVED),
        muted=those(*HIDDEN - {State.SHELVED}),
        maintenance=[work_out(work) for work in found.works],
        flood=flood_out(found.flood),
        floods=[_flood(one) for one in found.load.floods],
        alarms=found.load.announced,
        escalated=found.escalated,
        false_alarms=[alarm_out(row) for row in found.wrong],
    )


def _urgency(row: AlarmRow) -> tuple[int, float]:
    """The most urgent first, of those the newest."""
    onset = row.condition.onset_at.timestamp()
    return -list(SPLIT).index(row.life.priority), -onset


def _standing(row: AlarmRow, note: TrailRow | None) -> StandingOut:
    said = note.transition if note else None
    return StandingOut.model_construct(
        alarm=alarm_out(row), last_note=(said.why or None) if said else None, last_done=list(said.said) if said else []
    )


def _flood(flood: Flood) -> FloodOut:
    return FloodOut(began=flood.began_at, ended=flood.ended_at, most=flood.most)


def _sources(counts: Iterable[tuple[str, int]]) -> list[SourceOut]:
    return [SourceOut(source=source, count=count) for source, count in counts]


def _precision(one: Confirmations) -> PrecisionOut:
    return PrecisionOut(
        sensor=one.sensor, right=one.right, wrong=one.wrong, precision=round(one.right / (one.right + one.wrong), 4)
    )
