"""Shapes of alarms, and of what people do with them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from analytics.alarms.lifecycle import Action, Priority, State
from api.models.base import TEXT_PATTERN, LevelName, SensorId, Time
from api.models.catalogue import LabelOut

Note = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500, pattern=TEXT_PATTERN),
    Field(examples=["Terminal called, a lane opens at 7:30"], description="free text; what looks personal is masked"),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=TEXT_PATTERN),
    Field(examples=["works at the gate"], description="why, for those who come next; what looks personal is masked"),
]
Done = Literal["call_made", "sign_set", "police_told", "crew_sent", "other"]


class ArithmeticOut(BaseModel):
    """How a priority came about: level x abnormality x place."""

    level: str = Field(examples=["jammed"], description="or `severity`, where the rule has one of its own")
    level_factor: float = Field(examples=[3])
    abnormality: str = Field(examples=["unusual"])
    abnormality_factor: float = Field(examples=[2])
    place: str = Field(examples=["public_road"])
    place_factor: float = Field(examples=[1.5])
    score: float = Field(examples=[9])
    medium: float = Field(examples=[3], description="medium from this score on")
    high: float = Field(examples=[6], description="high from this score on")
    words: str = Field(examples=["3 (jammed) x 2 (unusual) x 1.5 (public_road) = 9: high, from 6"])


class AlarmOut(BaseModel):
    """An alarm: something that somebody must act on."""

    id: str = Field(examples=["12"])
    version: int = Field(examples=[3], description="counts its changes; also its ETag")
    state: State = Field(examples=["unacknowledged"])
    active: bool = Field(description="its condition holds, whatever the state")
    level: LevelName = Field(examples=["jammed"])
    priority: Priority = Field(examples=["high"])
    rule: str = Field(examples=["road_congested"], description="the rule that called")
    kind: str = Field(examples=["traffic"], description="kind of sensor or situation, or the fault")
    subject: str = Field(examples=["W12-F1"], description="what its events in the feed are about")
    title: LabelOut
    headline: LabelOut | None = Field(description="the sentence of its situation, if it has one")
    consequence: LabelOut = Field(description="what happens if nobody acts")
    cause: str | None = Field(examples=["gate_outage"])
    sites: list[str] = Field(examples=[["W12"]])
    places: list[str] = Field(examples=[["W12-F1"]])
    sensors: list[SensorId] = Field(examples=[["W12-F1"]], description="what it rests on")
    situation: str | None = Field(examples=[None])
    onset: Time = Field(description="when the condition began")
    raised: Time | None = Field(description="when it first called")
    since: Time | None = Field(description="since when the state holds")
    waiting_since: Time | None = Field(description="since when an answer is waited for")
    escalated: bool = Field(description="nobody answered in time")
    shelved_until: Time | None
    hidden_by: str | None = Field(examples=[None], description="why it is suppressed or out of service")
    expected_end: str | None = Field(examples=[None])
    respond_by: Time | None = Field(description="by when somebody must have acted")
    confirmed: bool | None = Field(examples=[None], description="right or false, as somebody said; null: nobody did")
    recording: str | None = Field(examples=[None], description="the site whose recording it is; null: it is real")
    closed: Time | None = Field(description="when it was over and acknowledged")
    actions: list[Action] = Field(examples=[["acknowledge", "shelve", "comment"]], description="what can be done now")


class StepOut(BaseModel):
    """A step of an alarm's life: who, when, why, from, to."""

    number: int = Field(examples=[1])
    at: Time = Field(description="when it took effect, by the clock of the site")
    recorded_at: Time
    who: str = Field(examples=["operator"], description="`vigie` where no person acted")
    action: Action = Field(examples=["raise"])
    why: str = Field(examples=["jammed"])
    source: State = Field(alias="from", examples=["normal"])
    target: State = Field(alias="to", examples=["unacknowledged"])
    level: LevelName = Field(examples=["jammed"])
    priority: Priority = Field(examples=["high"])
    active: bool
    until: Time | None = Field(description="of a shelving")
    said: list[str] = Field(examples=[[]], description="what was done; or `true`, `false` where it was confirmed")


class ResponseOut(BaseModel):
    """What to do about an alarm, and whom to call."""

    do: LabelOut
    call: LabelOut
    within_min: float = Field(examples=[15])


class AlarmDetail(AlarmOut):
    """An alarm with what to do, what it rests on, how its priority came about, and its whole history."""

    response: ResponseOut
    arithmetic: ArithmeticOut | None
    evidence: dict[str, Any] = Field(examples=[{"value": 11.5}], description="the newest event of its condition")
    history: list[StepOut]


class Alarms(BaseModel):
    """A stretch of alarms, the newest first."""

    items: list[AlarmOut]
    next: str | None = Field(examples=["12"], description="ask again with before= this for older ones; null: no more")


class Comment(BaseModel):
    """A word to those who come next."""

    comment: Note = ""


class Shelving(BaseModel):
    """Hide an alarm: until a time, or for some minutes; at most a shift of 8 hours."""

    reason: Reason
    until: AwareDatetime | None = Field(default=None, examples=[None])
    minutes: float | None = Field(default=None, gt=0, le=480, examples=[30])


class Remark(BaseModel):
    """Something to remember about an alarm."""

    comment: Note = Field(min_length=1)


class Answered(BaseModel):
    """What was done about an alarm."""

    done: list[Done] = Field(min_length=1, max_length=5, examples=[["call_made", "sign_set"]])
    comment: Note = ""


class Confirmation(BaseModel):
    """Whether an alarm was right; this counts for the precision of its sensors."""

    right: bool = Field(examples=[False])
    comment: Note = ""
