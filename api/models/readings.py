"""The shape of how it was."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.models.base import SensorId
from api.models.catalogue import FieldOut

Resolution = Literal["raw", "5min", "1h", "1d"]


class Readings(BaseModel):
    """Readings as columns: the n-th entry of every list belongs to the n-th time.

    Nothing is filled in: two times further apart than `step_s` are a gap, and null is a value that was not measured.
    """

    sensor: SensorId
    kind: str = Field(examples=["traffic"])
    resolution: Resolution = Field(examples=["5min"], description="raw, or the length of a mean")
    step_s: float = Field(examples=[300], description="the usual distance of two times; 0 for events")
    start: datetime = Field(alias="from", examples=["2026-03-02T00:00:00Z"])
    end: datetime = Field(alias="to", examples=["2026-03-03T00:00:00Z"])
    fields: list[FieldOut]
    time: list[datetime] = Field(examples=[["2026-03-02T00:00:00Z"]], description="measured, or start of the mean")
    values: dict[str, list[float | None]] = Field(
        examples=[{"speed_kmh": [87.5]}], description="per field: as measured, or the mean"
    )
    low: dict[str, list[float | None]] | None = Field(default=None, description="per field, of means: the least")
    high: dict[str, list[float | None]] | None = Field(default=None, description="per field, of means: the greatest")
    coverage: list[float | None] | None = Field(
        default=None, description="of means: share of the expected readings; null for events"
    )
    revised: list[bool] | None = Field(
        default=None, description="of means: changed by late readings after it had been published"
    )
    quality: list[int] | None = Field(
        default=None,
        description="of raw readings: bits; 1 out of range, 2 sentinel, 4 rate of change, 8 mismatch, 16 clock",
    )
    texts: dict[str, list[str | None]] | None = Field(default=None, description="of raw readings: per text")
    next: datetime | None = Field(default=None, description="ask again with from= this for the rest; null: complete")
