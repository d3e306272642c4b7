"""Shapes of situations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.models.base import LevelName, SensorId, Time
from api.models.catalogue import LabelOut

StateName = Literal["open", "clearing", "part", "ended"]
TrendName = Literal["growing", "steady", "shrinking"]
CauseName = Literal[
    "gate_outage",
    "surge",
    "yard_saturated",
    "wind_stop",
    "accident",
    "lane_closed",
    "ban_ignored",
    "reefer_trip",
    "bottleneck",
    "recurrent",
    "unknown",
]

_ID = "20260302T071200Z-W07-G1"


class HintOut(BaseModel):
    """What may have caused it, how sure that is, and what speaks for it."""

    what: CauseName = Field(examples=["gate_outage"])
    confidence: float = Field(ge=0, le=1, examples=[0.97])
    evidence: dict[str, float | str] = Field(examples=[{"lanes_open": 0.0, "lanes_usual": 2.7}])


_Lines = Annotated[list[Annotated[str, Field(max_length=20)]], Field(min_length=2, max_length=2)]


class SignOut(BaseModel):
    """In capitals; blank when it is over."""

    fr: _Lines = Field(examples=[["BOUCHON RD268", "APRÈS LA FOSSETTE"]])
    en: _Lines = Field(examples=[["TRAFFIC JAM RD268", "AFTER LA FOSSETTE"]])


class SpillbackOut(BaseModel):
    """What a queue reaches next, if it goes on as it does."""

    towards: str | None = Field(examples=["W02-W03"], description="the section that it grows onto then")
    site: SensorId = Field(examples=["W03"], description="where it is then")
    storage_m: float = Field(
        examples=[690.0], description="what lies between: the gate's access, or the tail's section"
    )
    filled: float = Field(ge=0, le=1, examples=[0.62], description="the share of it that the queue has taken")
    reaches_at: Time | None = Field(description="when the road there is congested; null: the queue is there")


class SituationOut(BaseModel):
    """One congestion or stoppage with everything that belongs to it, as of `time`."""

    situation: str = Field(examples=[_ID], description="its id: when it began, and the first sensor that saw it")
    time: Time = Field(description="the step of event time that this is as of")
    kind: str = Field(examples=["road"], description="`road`, or the kind of its sensors, such as `gate`")
    state: StateName = Field(examples=["open"], description="`part`: now belongs to `parent`, and may part again")
    level: LevelName = Field(examples=["jammed"], description="of the worst sensor inside")
    sites: list[str] = Field(examples=[["W02", "W03"]])
    places: list[str] = Field(
        examples=[["W02-W03", "W01-W02"]], description="sections, or the gates, blocks, cranes there"
    )
    sensors: list[str] = Field(examples=[["W02-F1", "W03-F1"]], description="those that are congested there now")
    head: str = Field(examples=["W02-W03"], description="the place where vehicles leave it, or where it began")
    tail: str = Field(examples=["W01-W02"], description="the place where vehicles meet it")
    length_m: float | None = Field(examples=[3835.0], description="from head to tail; null: lengths are not known")
    trend: TrendName = Field(examples=["growing"], description="over the last 10 min")
    onset: Time = Field(description="the first slow reading")
    end: Time | None = Field(description="the last slow reading; null while it is not over")
    cause: CauseName = Field(
        default="unknown", examples=["gate_outage"], description="unknown until one is sure enough"
    )
    causes: list[HintOut] = Field(default=[], description="the most confident first")
    headline: LabelOut | None = Field(
        default=None, description="all this in a sentence; null: of an older version, or it names what you do not see"
    )
    sign: SignOut | None = Field(default=None, description="two lines for a variable-message sign")
    spillback: SpillbackOut | None = Field(default=None, description="null: it does not grow, or has no road to")
    parent: str | None = Field(
        examples=[None], description="the situation that it is a part of, or that brought it about"
    )
    expected_end: Time | None = Field(
        default=None,
        description="when it will be over, as likely before as after; of cranes and lorry parks the present stop; "
        "null: not known, or over",
    )
    expected_end_low: Time | None = Field(default=None, description="the end lies after this 9 times of 10")
    expected_end_high: Time | None = Field(default=None, description="the end lies before this 9 times of 10")
    delay_s: float | None = Field(
        default=None, examples=[86400.0], description="seconds of vehicles lost so far; null: they are not counted"
    )
    lorry_hours: float | None = Field(default=None, examples=[9.5], description="hours of lorries lost so far")


class StayOut(BaseModel):
    """A sensor was congested inside from its first to its last slow reading; `to` is null where it still is."""

    sensor: SensorId
    from_: Time = Field(alias="from")
    to: Time | None


class SituationShown(SituationOut):
    """A situation with who was congested in it from when until when."""

    stays: list[StayOut]


class SituationsOut(BaseModel):
    """Situations, the youngest first."""

    items: list[SituationOut]
    next: str | None = Field(examples=[_ID], description="ask again with before= this for older ones; null: no more")
