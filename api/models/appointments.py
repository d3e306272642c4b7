"""Shapes of slot plans: what was booked, who came."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

_CODE = Field(examples=["SEYA"], description="code of the terminal")


class SlotIn(BaseModel):
    """An hour and the lorries booked in it."""

    hour: datetime = Field(examples=["2026-03-02T07:00:00+01:00"], description="a full hour, with its offset")
    booked: int = Field(ge=0, examples=[80])


class PlanTaken(BaseModel):
    """What became of a plan; the same plan a second time changes nothing."""

    terminal: str = _CODE
    hours: int = Field(examples=[15], description="hours of the plan")
    changed: int = Field(examples=[2], description="of them, new or with another number")


class SlotsTotal(BaseModel):
    """Hours that are over, with both numbers known, together."""

    booked: int = Field(examples=[160])
    arrived: int = Field(examples=[154])
    no_shows: int = Field(examples=[6], description="booked and did not come; early and late ones even out")
    no_show_share: float | None = Field(examples=[0.038], description="null without bookings")


class SlotOut(BaseModel):
    """An hour: null is what is not known, or not yet."""

    hour: datetime = Field(examples=["2026-03-02T06:00:00Z"])
    booked: int | None = Field(examples=[80])
    arrived: int | None = Field(examples=[77], description="lorries that came to the gates")
    no_shows: int | None = Field(examples=[3])


class Slots(BaseModel):
    """The slot plan of a terminal over a range, and who came."""

    terminal: str = _CODE
    start: datetime = Field(alias="from", examples=["2026-03-02T06:00:00Z"])
    end: datetime = Field(alias="to", examples=["2026-03-02T08:00:00Z"])
    total: SlotsTotal
    hours: list[SlotOut]
