"""Alarms from the store as the JSON shapes of `api/models/alarms.py`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from analytics.alarms import machine
from analytics.alarms.priority import Arithmetic
from analytics.alarms.rules import Text
from api.models.alarms import AlarmDetail, AlarmOut, ArithmeticOut, ResponseOut, StepOut
from api.models.catalogue import LabelOut
from store.alarms.rows import AlarmRow, TrailRow


def alarm_out(row: AlarmRow) -> AlarmOut:
    return AlarmOut.model_construct(**_alarm(row))


def alarm_detail(row: AlarmRow, trail: Sequence[TrailRow]) -> AlarmDetail:
    told = row.told
    return AlarmDetail.model_construct(
        **_alarm(row),
        response=ResponseOut(do=_label(told.do), call=_label(told.call), within_min=told.within_min),
        arithmetic=None if row.arithmetic is None else _arithmetic(row.arithmetic),
        evidence=dict(row.condition.data),
        history=[_step(step) for step in trail],
    )


def etag(row: AlarmRow) -> str:
    return f'"{row.version}"'


def _alarm(row: AlarmRow) -> dict[str, Any]:
    life, condition, data = row.life, row.condition, row.condition.data
    within = timedelta(minutes=row.told.within_min)
    return {
        "id": str(row.id),
        "version": row.version,
        "state": life.state,
        "active": life.active,
        "level": life.level.label,
        "priority": life.priority,
        "rule": row.rule,
        "kind": condition.what,
        "subject": condition.subject,
        "title": _label(row.told.title),
        "headline": _headline(data.get("headline")),
        "consequence": _label(row.told.consequence),
        "cause": condition.cause,
        "sites": list(row.sites),
        "places": list(condition.places),
        "sensors": list(condition.sensors),
        "situation": _text(data.get("situation")),
        "onset": condition.onset_at,
        "raised": life.raised_at,
        "since": life.since_at,
        "waiting_since": life.announced_at,
        "escalated": life.escalated,
        "shelved_until": life.shelved_until,
        "hidden_by": life.out_of_service_by or life.suppressed_by,
        "expected_end": _text(data.get("expected_end")),
        "respond_by": life.announced_at + within if life.announced_at else None,
        "confirmed": row.confirmed,
        "recording": row.recording,
        "closed": row.closed_at,
        "actions": machine.possible(life),
    }


def _label(text: Text) -> LabelOut:
    return LabelOut(en=text.en, fr=text.fr)


def _headline(value: object) -> LabelOut | None:
    """A sentence in both languages, as the event of its situation has it."""
    if not isinstance(value, dict) or not all(isinstance(value.get(tongue), str) for tongue in ("en", "fr")):
        return None
    return LabelOut(en=value["en"], fr=value["fr"])


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _arithmetic(sum_: Arithmetic) -> ArithmeticOut:
    names = [name for name in ArithmeticOut.model_fields if name != "words"]
    return ArithmeticOut.model_construct(**{name: getattr(sum_, name) for name in names}, words=sum_.words)


def _step(row: TrailRow) -> StepOut:
    step = row.transition
    return StepOut.model_construct(
        number=row.number,
        at=step.at,
        recorded_at=row.recorded_at,
        who=step.who,
        action=step.action,
        why=step.why,
        source=step.source,
        target=step.target,
        level=step.level.label,
        priority=step.priority,
        active=step.active,
        until=step.until,
        said=list(step.said),
    )
