"""Shapes of what is expected at the gates of a terminal."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

_WAIT = Field(examples=[1260.0])
_LOW = Field(examples=[780.0], description="low end of the range")
_HIGH = Field(examples=[1830.0], description="high end of the range")


class WaitStep(BaseModel):
    """What is expected at `time`."""

    time: datetime = Field(examples=["2026-03-02T08:34:00Z"])
    wait_s: float = _WAIT
    low_s: float = _LOW
    high_s: float = _HIGH
    queue_trucks: float = Field(examples=[21.4])


class WaitHour(BaseModel):
    """What a booking in the hour from `hour` on would meet: the mean of its steps, within their widest range."""

    hour: datetime = Field(examples=["2026-03-02T08:00:00Z"])
    wait_s: float = _WAIT
    low_s: float = _LOW
    high_s: float = _HIGH


class GateAhead(BaseModel):
    """A gate over the next two hours; without steps nobody can say: it does not tell how it is now."""

    gate: str = Field(examples=["W07-G1"])
    direction: str | None = Field(examples=["in"], description="null: both ways")
    hampered: bool | None = Field(
        examples=[False], description="its queue asks for lanes that are not open; null: unknown"
    )
    hours: list[WaitHour]
    steps: list[WaitStep]


class BookedHour(BaseModel):
    """What the plan has for an hour; null: no plan, arrivals are taken to go on as in the last hour."""

    hour: datetime = Field(examples=["2026-03-02T08:00:00Z"])
    booked: int | None = Field(examples=[80])


class TerminalAhead(BaseModel):
    """The gates of a terminal over the next two hours, as of `at`."""

    terminal: str = Field(examples=["SEYA"], description="code of the terminal")
    at: datetime | None = Field(
        examples=["2026-03-02T07:34:00Z"], description="of the newest reading of its gates; null: there is none"
    )
    plan: list[BookedHour]
    gates: list[GateAhead]
