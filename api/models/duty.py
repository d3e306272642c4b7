"""Shapes of the load, the shift and the maintenance."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from analytics.alarms.lifecycle import Priority
from analytics.alarms.muting import Range
from api.models.alarms import AlarmOut, Note, Reason
from api.models.base import ID_PATTERN, NAME_PATTERN, SensorId, Time

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NAME_PATTERN),
    Field(examples=["M. Durand"], description="how colleagues call the person"),
]


class FloodOut(BaseModel):
    """More alarms than anybody can read."""

    began: Time
    ended: Time | None
    most: int = Field(examples=[14], description="alarms within 10 min at its height")


class SourceOut(BaseModel):
    """A place that called."""

    source: str = Field(examples=["W07-G1"])
    count: int = Field(examples=[4])


class PrecisionOut(BaseModel):
    """How often people found the alarms of a sensor right."""

    sensor: SensorId
    right: int = Field(examples=[9])
    wrong: int = Field(examples=[1])
    precision: float = Field(examples=[0.9])


class Kpi(BaseModel):
    """The load of alarms over a time, with what is good beside it (ISA-18.2, EEMUA 191)."""

    start: Time = Field(alias="from")
    end: Time = Field(alias="to")
    operators: int = Field(examples=[1])
    alarms: int = Field(examples=[12], description="calls: an alarm that calls twice counts twice")
    per_10min: float = Field(examples=[0.25], description="for each operator")
    per_10min_good: float = Field(examples=[1])
    per_10min_most: float = Field(examples=[2])
    busiest_10min: int = Field(examples=[3], description="the most in any 10 min")
    flood: FloodOut | None = Field(description="the flood of now; null: none")
    floods: list[FloodOut] = Field(description="those of the time asked for")
    flooded_share: float = Field(examples=[0.0], description="share of the time in flood")
    escalated: int = Field(examples=[0])
    chattering: list[SourceOut] = Field(description="sources that called 3 times within a minute, and how often")
    stale: list[AlarmOut] = Field(description="alarms that stand for 24 hours; under 5 is good")
    priorities: dict[Priority, int] = Field(examples=[{"low": 10, "medium": 2, "high": 0}])
    priorities_good: dict[Priority, float] = Field(examples=[{"low": 0.8, "medium": 0.15, "high": 0.05}])
    worst_sources: list[SourceOut] = Field(description="the ten that called most")
    worst_share: float | None = Field(examples=[0.04], description="their share of all; under 0.05 is good")
    precision: list[PrecisionOut] = Field(description="of sensors whose alarms were confirmed; the worst first")


class ShiftOut(BaseModel):
    """Somebody's time on duty."""

    operator: Name
    began: Time
    ended: Time | None = Field(description="null while it lasts")
    note: str = Field(examples=[""], description="what was said when it began")


class Shifts(BaseModel):
    """Who is on duty, and who was."""

    present: ShiftOut | None = Field(description="null: nobody has taken over yet")
    earlier: list[ShiftOut]


class HandOver(BaseModel):
    """Somebody takes over."""

    operator: Name
    note: Note = ""


class WorkOut(BaseModel):
    """Maintenance: of a sensor or a site, or a terminal that is closed."""

    id: str = Field(examples=["3"])
    range: Range = Field(examples=["sensor"])
    target: str = Field(examples=["W07-G1"])
    reason: str = Field(examples=["camera is replaced"])
    who: str = Field(examples=["operator"])
    begins: Time
    ends: Time
    ended_by: str | None = Field(examples=[None], description="who ended it before its time")


class Works(BaseModel):
    """Maintenance at work and to come, the newest first."""

    items: list[WorkOut]
    next: str | None = Field(examples=[None], description="ask again with before= this for older ones; null: no more")


class Plan(BaseModel):
    """Announce maintenance."""

    range: Range = Field(examples=["sensor"])
    target: str = Field(pattern=ID_PATTERN, examples=["W07-G1"], description="a sensor, a site, or a terminal's code")
    reason: Reason
    begins: AwareDatetime | None = Field(default=None, examples=[None], description="now, if not given")
    ends: AwareDatetime = Field(examples=["2026-03-02T12:00:00Z"])


class StandingOut(BaseModel):
    """An alarm that the next shift takes over, and what was last said of it."""

    alarm: AlarmOut
    last_note: str | None = Field(examples=["Terminal called, a lane opens at 7:30"])
    last_done: list[str] = Field(examples=[["call_made"]])


class HandoverOut(BaseModel):
    """What the next shift must know."""

    at: datetime = Field(examples=["2026-03-02T13:00:00Z"])
    since: datetime = Field(examples=["2026-03-02T05:00:00Z"], description="beginning of the shift")
    operator: str | None = Field(examples=["M. Durand"])
    unanswered: list[StandingOut] = Field(description="nobody has acknowledged them")
    in_hand: list[StandingOut] = Field(description="acknowledged, and still so")
    shelved: list[StandingOut] = Field(description="hidden for a while; with their end")
    muted: list[StandingOut] = Field(description="hidden by a fault, a closed terminal or maintenance")
    maintenance: list[WorkOut] = Field(description="at work, or beginning within 8 hours")
    flood: FloodOut | None
    floods: list[FloodOut]
    alarms: int = Field(examples=[12], description="calls in this shift")
    escalated: int = Field(examples=[0])
    false_alarms: list[AlarmOut] = Field(description="alarms of this shift that somebody found wrong")
