"""Shapes of what is wrong with sensors."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.models.base import Time
from sensors.fault import Fault, Scope


class FaultOut(BaseModel):
    """A fault of a sensor or corridor, of a whole site, or of a basin."""

    place: str = Field(examples=["W12-F1"], description="id of a sensor or corridor, a site or a basin")
    fault: Fault = Field(examples=["stuck"])
    scope: Scope = Field(examples=["sensor"])
    site: str | None = Field(examples=["W12"])
    kind: str | None = Field(examples=["traffic"])
    since: Time = Field(description="since when the readings show it")
    found: Time = Field(description="by which reading time it was found")
    ahead_h: int | None = Field(
        description="hours by which a clock is ahead, behind below 0: its readings are judged at their true times"
    )


class Faults(BaseModel):
    """All that is wrong now, the oldest first."""

    items: list[FaultOut]
