"""Shapes of what is installed: kinds, sites, sensors, corridors."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.models.base import Out
from api.models.level_rules import LevelRuleOut


class LabelOut(Out):
    """A text in both languages of the port."""

    en: str = Field(examples=["Waiting lorries"])
    fr: str = Field(examples=["Camions en attente"])


class FieldOut(Out):
    """A measured number; `low` and `high` bound what it can be."""

    name: str = Field(examples=["queue_trucks"])
    unit: str = Field(examples=["1"])
    title: LabelOut
    low: float | None = Field(default=None, examples=[0])
    high: float | None = Field(default=None, examples=[200])


class TextOut(Out):
    """A short text; one of `choices` where there are any."""

    name: str = Field(examples=["direction"])
    title: LabelOut
    choices: list[str] = Field(default_factory=list, examples=[["in", "out"]])


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
    level: LevelRuleOut | None = Field(default=None, description="null: this kind has no level")


class SiteOut(Out):
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


class ClockOut(Out):
    """How far the clock of a sensor is off, from when its readings arrive."""

    offset_s: float = Field(examples=[7199.6], description="ahead of ours in seconds; negative: behind")
    measured_at: datetime = Field(examples=["2026-03-02T07:35:00Z"])
    whole_hours: int | None = Field(examples=[2], description="hours by which somebody set it wrong; null: it drifts")
    remark: str = Field(examples=["2 h ahead: daylight saving or time zone"])


class SensorOut(Out):
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
    dense: float | None = Field(description="with `congested` and `jammed`: limits of its own instead of its kind's")
    congested: float | None
    jammed: float | None
    kinds: list[str] = Field(examples=[["gate", "passage"]], description="the kinds of readings under its id")
    corridors: list[str] = Field(examples=[[]], description="the corridors whose travel times it publishes")


class ReceiptOut(Out):
    """How far the numbers of one boot of a sender are settled: what its receipt says, in short."""

    sensor: str = Field(examples=["W07-G1"], description="the sensor, or a corridor of its")
    boot: int | None = Field(examples=[1772438400], description="null: the sender gives none")
    settled: int = Field(examples=[411], description="everything up to here is stored or in quarantine; -1: nothing")
    highest: int = Field(examples=[440], description="the highest number that came")
    missing: int = Field(examples=[5], description="numbers up to `highest` that never came")
    quarantined: int = Field(examples=[1], description="of those that came, in quarantine")
    at: datetime = Field(examples=["2026-03-02T08:07:21Z"], description="when that last changed")


class SensorDetail(SensorOut):
    """A sensor, how far its clock is off, and what of its readings is stored."""

    clock: ClockOut | None = Field(description="null: not known, or at a site whose clock is a recording's")
    receipts: list[ReceiptOut] = Field(description="by boot, the latest first; empty: its readings have no numbers")


class CorridorOut(Out):
    """A pair of Bluetooth readers; its id has readings and a state like a sensor's."""

    id: str = Field(examples=["W17-W15"])
    from_site: str = Field(examples=["W17"])
    to_site: str = Field(examples=["W15"])
    reader: str = Field(examples=["W15-B1"])
    length_km: float = Field(examples=[6.4])


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
