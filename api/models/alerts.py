"""Shapes of the feed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.models.base import LevelName, SensorId, Time, VerdictName


class AlertData(BaseModel):
    """What an alert says; a later version may add keys."""

    model_config = ConfigDict(extra="allow")

    level: LevelName | None = Field(default=None, examples=["congested"])
    previous: str | None = Field(
        default=None, examples=["dense"], description="what it was before: a level, or of an alarm its state"
    )
    verdict: VerdictName | None = Field(default=None, examples=["traffic"])
    site: str | None = Field(default=None, examples=["W07"])
    kind: str | None = Field(default=None, examples=["gate"])
    value: float | None = Field(default=None, examples=[1830.0], description="what the level was judged by")
    valid_until: Time | None = Field(
        default=None, description="until when it may be believed if nothing newer comes; then fail safe"
    )
    evidence: dict[str, Any] | None = Field(default=None, examples=[{"wait_s": 1830.0}], description="what it rests on")


class Alert(BaseModel):
    """An event of the feed in the form of CloudEvents 1.0; `id` is also the cursor."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(examples=["1042"])
    source: str = Field(default="/vigie", examples=["/vigie"])
    type: str = Field(examples=["vigie.congestion.began.v1"])
    subject: SensorId
    time: Time = Field(description="when it happened, by the sensor's clock")
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str = Field(
        examples=["urn:vigie:schema:vigie.congestion.began.v1"], description="its schema: /v1/schemas/{type}"
    )
    data: AlertData


class Alerts(BaseModel):
    """A stretch of the feed, oldest first."""

    items: list[Alert]
    next: str = Field(examples=["1042"], description="ask again with after= this; unchanged while nothing is new")
    more: bool = Field(description="whether there is more already")


class SchemaNames(BaseModel):
    """The types of alert that the feed may carry."""

    items: list[str] = Field(examples=[["vigie.congestion.began.v1"]])
