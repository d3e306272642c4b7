"""Shapes of terminals: what they have, turns of lorries."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.models.base import LevelName, Out
from api.models.states import StateOut

_CODE = Field(examples=["SEYA"], description="its code in the SMDG list")


class TerminalOut(BaseModel):
    """A terminal and the sensors at its sites."""

    terminal: str = _CODE
    name: str = Field(examples=["Seayard"])
    locode: str = Field(examples=["FRFOS"], description="UN/LOCODE")
    sites: list[str] = Field(examples=[["W07", "W08"]])
    gates: list[str] = Field(examples=[["W07-G1", "W07-G2", "W07-G3"]])
    yards: list[str] = Field(examples=[["W08-Y1"]])
    cranes: list[str] = Field(examples=[["W08-S1"]])
    racks: list[str] = Field(examples=[["W08-R1"]])


class Terminals(BaseModel):
    """All terminals."""

    items: list[TerminalOut]


class QuantilesOut(Out):
    """Seconds under which 50, 90 and 95 % of the turns stay; null where there are too few to say so."""

    p50_s: float | None = Field(examples=[1740.0])
    p90_s: float | None = Field(examples=[2680.0])
    p95_s: float | None = Field(examples=[3010.0])


class TurnsOut(QuantilesOut):
    """Turns that ended in a span, and passages without a partner."""

    turns: int = Field(examples=[76], description="gate-in to gate-out of one visit")
    unpaired_in: int = Field(examples=[1], description="came in, and not out within 24 h")
    unpaired_out: int = Field(examples=[0], description="went out, and had not come in within 24 h")


class TurnHourOut(TurnsOut):
    """Turns that ended in the hour from `hour` on."""

    hour: datetime = Field(examples=["2026-03-02T07:00:00Z"])


class TurnTime(BaseModel):
    """Turn time of a terminal over a range, by the hour and in all; null quantiles mean too few turns."""

    terminal: str = _CODE
    start: datetime = Field(alias="from", examples=["2026-03-02T00:00:00Z"])
    end: datetime = Field(alias="to", examples=["2026-03-03T00:00:00Z"])
    total: TurnsOut
    hours: list[TurnHourOut]


class TerminalNow(TerminalOut):
    """A terminal now: the worst level of each kind, the state of each sensor, lorries inside, turns of late."""

    levels: dict[str, LevelName | None] = Field(examples=[{"gate": "dense", "yard": "fluid"}])
    lorries_inside: int = Field(examples=[41], description="came in within 24 h and are not out")
    turn_time: TurnsOut = Field(description="turns that ended in the last 3 hours and the present one")
    states: list[StateOut]
