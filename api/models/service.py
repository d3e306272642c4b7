"""Shapes of the service itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


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
