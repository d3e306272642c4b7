"""The JSON shapes of the API. pydantic stays here, at the border; `api/shapes.py` fills them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}$"
"""What an id of a sensor or corridor looks like: a level of an MQTT topic (`sensors.topics`)."""

LevelName = Literal["fluid", "dense", "congested", "jammed", "unknown"]
VerdictName = Literal["traffic", "sensor", "unknown"]
Resolution = Literal["raw", "5min", "1h", "1d"]

_Time = Annotated[datetime, Field(examples=["2026-03-02T07:34:00Z"])]
_SensorId = Annotated[str, Field(examples=["W07-G1"], description="id of a sensor or of a corridor")]
_Number = Annotated[float | None, Field(examples=[1830.0])]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class LabelOut(_Out):
    """A text in both languages of the port."""

    en: str = Field(examples=["Waiting lorries"])
    fr: str = Field(examples=["Camions en attente"])


class FieldOut(_Out):
    """A measured number; `low` and `high` bound what it can be."""

    name: str = Field(examples=["queue_trucks"])
    unit: str = Field(examples=["1"])
    title: LabelOut
    low: float | None = Field(default=None, examples=[0])
    high: float | None = Field(default=None, examples=[200])


class TextOut(_Out):
    """A short text; one of `choices` where there are any."""

    name: str = Field(examples=["direction"])
    title: LabelOut
    choices: list[str] = Field(default_factory=list, examples=[["in", "out"]])


class LimitsOut(BaseModel):
    """Levels by three limits on a field, or on its share of the field `of`."""

    rule: Literal["limits"] = "limits"
    field: str = Field(examples=["wait_s"])
    of: str | None = None
    dense: float = Field(examples=[900])
    congested: float = Field(examples=[1800])
    jammed: float = Field(examples=[3600])


class SpeedRatioOut(BaseModel):
    """Levels by smoothed speed over free speed."""

    rule: Literal["speed_ratio"] = "speed_ratio"
    field: str = Field(examples=["speed_kmh"])


class KindOut(BaseModel):
    """One kind of sensor, as its definition declares it."""

    name: str = Field(examples=["gate"])
    title: LabelOut
    period_s: float = Field(examples=[30], description="0 for events")
    subject: Literal["sensor", "corridor"]
    part_of: str | None = Field(default=None, examples=["gate"], description="kind of the sensors that publish it too")
    chart: str | None = Field(default=None, examples=["wait_s"], description="the field to show first")
    fields: list[FieldOut]
    texts: list[TextOut]
    level: LimitsOut | SpeedRatioOut | None = Field(default=None, description="null: this kind has no level")


class SiteOut(_Out):
    """A place with sensors. `clock` says whose time counts: the wall's, or that of a recording."""

    id: str = Field(examples=["W07"])
    name: str = Field(examples=["Seayard gate"])
    basin: str = Field(examples=["west"])
    latitude: float | None = Field(examples=[43.4215])
    longitude: float | None = Field(examples=[4.826])
    position_accuracy_m: float | None = Field(examples=[1500])
    clock: Literal["wall", "recording"]
    timezone: str = Field(examples=["Europe/Paris"])
    terminal: str | None = Field(examples=["SEYA"])


class ClockOut(_Out):
    """How far the clock of a sensor is off, from when its readings arrive."""

    offset_s: float = Field(examples=[7199.6], description="ahead of ours in seconds; negative: behind")
    measured_at: datetime = Field(examples=["2026-03-02T07:35:00Z"])
    whole_hours: int | None = Field(examples=[2], description="hours by which somebody set it wrong; null: it drifts")
    remark: str = Field(examples=["2 h ahead: daylight saving or time zone"])


class SensorOut(_Out):
    """A sensor; what does not apply to its kind is null."""

    id: str = Field(examples=["W07-G1"])
    site: str = Field(examples=["W07"])
    kind: str = Field(examples=["gate"])
    name: str = Field(examples=["Seayard gate 1"])
    latitude: float | None = Field(examples=[43.4215], description="its own, or else that of its site")
    longitude: float | None = Field(examples=[4.826])
    position_km: float | None
    road: str | None
    direction: str | None
    lane: int | None
    lanes: int | None
    period_s: float | None = Field(examples=[30], description="its own, or else that of its kind")
    free_speed_kmh: float | None
    capacity: float | None
    storage_m: float | None
    kinds: list[str] = Field(examples=[["gate", "passage"]], description="the kinds of readings under its id")
    corridors: list[str] = Field(examples=[[]], description="the corridors whose travel times it publishes")


class SensorDetail(SensorOut):
    """A sensor, and how far its clock is off."""

    clock: ClockOut | None = Field(description="null: not known, or at a site whose clock is a recording's")


class CorridorOut(_Out):
    """A pair of Bluetooth readers; its id has readings and a state like a sensor's."""

    id: str = Field(examples=["W17-W15"])
    from_site: str = Field(examples=["W17"])
    to_site: str = Field(examples=["W15"])
    reader: str = Field(examples=["W15-B1"])
    length_km: float = Field(examples=[6.4])


class Measured(BaseModel):
    """A number with its unit."""

    field: str = Field(examples=["wait_s"])
    unit: str = Field(examples=["s"])
    value: _Number


class StateOut(BaseModel):
    """What is known of one sensor or corridor now."""

    sensor: _SensorId
    kind: str = Field(examples=["gate"])
    site: str = Field(examples=["W07"])
    level: LevelName | None = Field(examples=["congested"], description="null: this kind has no level")
    since: _Time | None = Field(description="since when the level holds")
    time: _Time | None = Field(description="of the latest reading; null before the first")
    verdict: VerdictName = Field(examples=["traffic"], description="whether the state tells of the road or the sensor")
    value: Measured | None = Field(description="the field to show first")
    reading: dict[str, float | str | None] = Field(
        examples=[{"queue_trucks": 34.0, "wait_s": 1830.0}], description="the latest reading; units: /v1/kinds"
    )


class Sites(BaseModel):
    """All sites."""

    items: list[SiteOut]


class Sensors(BaseModel):
    """All sensors."""

    items: list[SensorOut]


class Corridors(BaseModel):
    """All corridors."""

    items: list[CorridorOut]


class KindsOut(BaseModel):
    """All kinds of sensor."""

    items: list[KindOut]


class States(BaseModel):
    """States of sensors and corridors."""

    items: list[StateOut]


class Readings(BaseModel):
    """Readings as columns: the n-th entry of every list belongs to the n-th time.

    Nothing is filled in: two times further apart than `step_s` are a gap, and null is a value that was not measured.
    """

    sensor: _SensorId
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


class AlertData(BaseModel):
    """What an alert says; a later version may add keys."""

    model_config = ConfigDict(extra="allow")

    level: LevelName | None = Field(default=None, examples=["congested"])
    previous: LevelName | None = Field(default=None, examples=["dense"])
    verdict: VerdictName | None = Field(default=None, examples=["traffic"])
    site: str | None = Field(default=None, examples=["W07"])
    kind: str | None = Field(default=None, examples=["gate"])
    value: float | None = Field(default=None, examples=[1830.0], description="what the level was judged by")
    evidence: dict[str, Any] | None = Field(default=None, examples=[{"wait_s": 1830.0}], description="what it rests on")


class Alert(BaseModel):
    """An event of the feed in the form of CloudEvents 1.0; `id` is also the cursor."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(examples=["1042"])
    source: str = Field(default="/vigie", examples=["/vigie"])
    type: str = Field(examples=["vigie.congestion.began.v1"])
    subject: _SensorId
    time: _Time = Field(description="when it happened, by the sensor's clock")
    datacontenttype: Literal["application/json"] = "application/json"
    data: AlertData


class Alerts(BaseModel):
    """A stretch of the feed, oldest first."""

    items: list[Alert]
    next: str = Field(examples=["1042"], description="ask again with after= this; unchanged while nothing is new")
    more: bool = Field(description="whether there is more already")


class Check(BaseModel):
    """One thing the service needs."""

    name: Literal["database", "ingest", "analytics"]
    ok: bool
    detail: str = Field(examples=["slot 0: last batch committed 2 s ago"])


class Readiness(BaseModel):
    """Whether everything is at work, and what is not."""

    ready: bool
    checks: list[Check]


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class PageSettings(BaseModel):
    """What the operator's page shows by default."""

    title: str = Field(examples=["Vigie"])
    language: Literal["fr", "en"]
    timezone: str = Field(examples=["Europe/Paris"])
