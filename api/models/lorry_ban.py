"""Shapes of lorry bans: counts, shares, and how far they are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

_LORRIES = Field(examples=[1180.0], description="a day; null: less than 75 % was measured")
_CHANGE = Field(examples=[-0.6], description="lorries on the stretch over the baseline, less 1")


class BanPoint(BaseModel):
    """The lanes of one direction at a site: vehicles and lorries a day, and the share of lorries."""

    site: str = Field(examples=["W12"])
    name: str = Field(examples=["La Fenouillère"])
    direction: str | None = Field(examples=["Arles"])
    on: Literal["stretch", "detour", "beside"] = Field(
        examples=["stretch"], description="under the ban, on the way around it, or at an end of it"
    )
    sensors: list[str] = Field(examples=[["W12-F1", "W12-F2"]])
    coverage: float = Field(examples=[0.98], description="share of the expected readings, of the lane with the fewest")
    vehicles_day: float | None = Field(examples=[19800.0])
    lorries_day: float | None = _LORRIES
    hgv_share: float | None = Field(examples=[0.06], description="lorries among the vehicles, 0..1")


class BanDay(BaseModel):
    """One day (UTC) of a range, whole or in part."""

    day: datetime = Field(examples=["2026-03-02T00:00:00Z"])
    lorries_day: float | None = _LORRIES
    detour_day: float | None = Field(examples=[1770.0])
    change: float | None = _CHANGE


class BanOut(BaseModel):
    """A ban over a range: how many lorries drive on the stretch, against those that would without it."""

    ban: str = Field(examples=["RN568-FOS"])
    name: str = Field(examples=["RN568, Saint-Gervais - La Fenouillère"])
    objective: float = Field(examples=[-0.8], description="the change that was wanted")
    lorries_day: float | None = _LORRIES
    detour_day: float | None = Field(examples=[1770.0], description="on the way around it")
    baseline_day: float | None = Field(examples=[2950.0], description="without the ban")
    baseline_origin: Literal["given", "detour"] = Field(
        examples=["detour"], description="given in the question, or stretch and detour together"
    )
    change: float | None = _CHANGE
    objective_met: bool | None = Field(examples=[False])
    points: list[BanPoint]
    days: list[BanDay]


class BansOut(BaseModel):
    """All lorry bans of the catalogue over a range."""

    start: datetime = Field(alias="from", examples=["2026-03-02T00:00:00Z"])
    end: datetime = Field(alias="to", examples=["2026-03-09T00:00:00Z"])
    items: list[BanOut]
