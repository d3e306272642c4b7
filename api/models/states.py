"""Shapes of how it is now."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.models.base import AbnormalityName, LevelName, Number, SensorId, Time, VerdictName


class Measured(BaseModel):
    """A number with its unit."""

    field: str = Field(examples=["wait_s"])
    unit: str = Field(examples=["s"])
    value: Number


class StateOut(BaseModel):
    """What is known of one sensor or corridor now."""

    sensor: SensorId
    kind: str = Field(examples=["gate"])
    site: str = Field(examples=["W07"])
    level: LevelName | None = Field(examples=["congested"], description="null: this kind has no level")
    since: Time | None = Field(description="since when the level holds")
    time: Time | None = Field(description="of the latest reading; null before the first")
    verdict: VerdictName = Field(examples=["traffic"], description="whether the state tells of the road or the sensor")
    abnormality: AbnormalityName | None = Field(
        examples=["unusual"], description="for the time of week, whatever the level; null: not said of this kind"
    )
    abnormality_reason: str | None = Field(examples=[None], description="why it is unknown")
    usual: Measured | None = Field(description="what is usual at this time of the week")
    deviations: float | None = Field(examples=[4.2], description="robust standard deviations below usual")
    coverage: float | None = Field(examples=[0.98], description="share of the expected readings of the last hour")
    value: Measured | None = Field(description="the field to show first")
    reading: dict[str, float | str | None] = Field(
        examples=[{"queue_trucks": 34.0, "wait_s": 1830.0}], description="the latest reading; units: /v1/kinds"
    )


class States(BaseModel):
    """States of sensors and corridors."""

    items: list[StateOut]
