"""The shape of what is coming."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.models.base import SensorId, Time


class AheadOut(BaseModel):
    """The speed at one later time."""

    minutes: int = Field(examples=[15], description="how far ahead")
    time: Time
    speed: float = Field(examples=[63.2])
    low: float = Field(examples=[51.0], description="four of five outcomes lie between low and high")
    high: float = Field(examples=[71.4])
    usual: float | None = Field(examples=[78.0], description="what is usual then; null: not known yet")


class ForecastOut(BaseModel):
    """Where the speed of one sensor is going; all speeds in `unit`."""

    sensor: SensorId
    unit: Literal["km/h"]
    time: Time | None = Field(description="of the reading that it follows from; null before the first")
    method: Literal["usual", "last"] | None = Field(
        description="decays towards what is usual, or keeps the last speed; null: no forecast"
    )
    interval: float = Field(examples=[0.8], description="share of outcomes between low and high")
    coverage: float | None = Field(examples=[1.0], description="share of the expected readings of about the last hour")
    items: list[AheadOut]
    reason: str | None = Field(examples=[None], description="why there is none")
