"""Shapes of backtests: what is tried, and what would have become of situations and calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from api.models.base import ID_PATTERN, LevelName, Time

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Limit = Annotated[float, Field(gt=0)]


class Trial(BaseModel):
    """Whose keys are all known."""

    model_config = ConfigDict(extra="forbid")


class LevelsIn(Trial):
    """From which values on a level holds, in the unit of the kind; they rise."""

    dense: Limit = Field(examples=[600])
    congested: Limit = Field(examples=[1200])
    jammed: Limit = Field(examples=[2400])

    @model_validator(mode="after")
    def _rises(self) -> LevelsIn:
        if not self.dense < self.congested < self.jammed:
            raise ValueError("dense, congested and jammed must rise")
        return self


class DetectionIn(Trial):
    """Of road sensors; what is left out follows from their interval."""

    weight: float | None = Field(default=None, gt=0, le=1, description="of a new reading in the smoothed speed")
    confirm_on: int | None = Field(default=None, ge=1, le=1000, description="readings that open an alarm")
    confirm_off: int | None = Field(default=None, ge=1, le=1000, description="readings that close it")
    thresholds: float = Field(default=1.0, gt=0, le=3, description="all thresholds of speed times this")


class TrialIn(Trial):
    """What is tried; what is left out stays as it is."""

    detection: DetectionIn = DetectionIn()
    limits: dict[str, LevelsIn] = Field(default={}, max_length=100, description="by kind")
    sensors: dict[Id, LevelsIn] = Field(default={}, max_length=1000, description="limits of single sensors, by id")
    free_speed_kmh: dict[Id, Limit] = Field(default={}, max_length=1000, description="by sensor")
    without: list[Id] = Field(default=[], max_length=1000, description="sensors to leave out")


class BacktestIn(Trial):
    """What is asked for."""

    start: AwareDatetime = Field(alias="from", examples=["2026-03-02T00:00:00Z"])
    end: AwareDatetime = Field(
        alias="to", examples=["2026-03-03T00:00:00Z"], description="not included, 7 days later at most"
    )
    operators: int = Field(default=1, ge=1, le=100, description="who share the alarms")
    settings: TrialIn = TrialIn()


class LivedOut(BaseModel):
    """A situation as far as it lies in the range; `end` is null where it was not over by then."""

    situation: str = Field(examples=["20260302T071200Z-W07-G1"])
    kind: str = Field(examples=["gate"])
    level: LevelName
    cause: str = Field(examples=["gate_outage"])
    sites: list[str] = Field(examples=[["W07"]])
    sensors: list[str] = Field(examples=[["W07-G1"]], description="all that were ever congested in it")
    onset: Time
    end: Time | None


class MovedOut(BaseModel):
    """One situation as it was, and as it would have been; positive is later."""

    live: LivedOut
    trial: LivedOut
    onset_min: float = Field(examples=[-4.0])
    end_min: float | None = Field(examples=[12.0], description="null where one of them was not over")


class LoadOut(BaseModel):
    """Calls by the rules of the installation, with nobody acknowledging, shelving or at work."""

    alarms: int = Field(examples=[12])
    per_10min: float = Field(examples=[0.08], description="for each operator")
    busiest_10min: int = Field(examples=[3])
    floods: int = Field(examples=[0])


class LoadsOut(BaseModel):
    """As it was, and as it would have been."""

    operators: int = Field(examples=[1])
    live: LoadOut
    trial: LoadOut


class ResultOut(BaseModel):
    """What would have been otherwise."""

    readings: int = Field(examples=[259200], description="that were looked at, with those of the 6 h before")
    same: list[str] = Field(examples=[["20260302T081500Z-W12-F1"]], description="ids of what is as it was")
    moved: list[MovedOut]
    came: list[LivedOut] = Field(description="only with the settings that were tried")
    gone: list[LivedOut] = Field(description="only as it was")
    load: LoadsOut


class BacktestOut(BaseModel):
    """A backtest, and when it is done what came out."""

    id: str = Field(examples=["b1"])
    state: Literal["running", "done", "failed"] = Field(examples=["done"])
    start: Time = Field(alias="from")
    end: Time = Field(alias="to")
    asked: Time
    finished: Time | None
    error: str | None = Field(examples=[None], description="why it failed")
    result: ResultOut | None
