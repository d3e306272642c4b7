"""How the level of a kind is judged, in JSON: the rules of `sensors.rule`, each with the field that is judged first."""

from __future__ import annotations

from typing import Literal, assert_never

from pydantic import BaseModel, Field

from sensors.rule import Cooling, LevelRule, Limits, SpeedRatio, TimeRatio, Work, shown_of

_DENSE = Field(examples=[900])
_CONGESTED = Field(examples=[1800])
_JAMMED = Field(examples=[3600])


class LimitsOut(BaseModel):
    """Levels by three limits on a field, or on its share of the field `of`; a sensor may have limits of its own."""

    rule: Literal["limits"] = "limits"
    field: str = Field(examples=["wait_s"])
    of: str | None = None
    dense: float = _DENSE
    congested: float = _CONGESTED
    jammed: float = _JAMMED


class SpeedRatioOut(BaseModel):
    """Levels by smoothed speed over free speed."""

    rule: Literal["speed_ratio"] = "speed_ratio"
    field: str = Field(examples=["speed_kmh"])


class TimeRatioOut(BaseModel):
    """Levels by free travel time over travel time, never on fewer than `least` vehicles."""

    rule: Literal["time_ratio"] = "time_ratio"
    field: str = Field(examples=["median_s"])
    least: int = Field(examples=[3])


class WorkOut(BaseModel):
    """Levels by a rate of work over the least that is normal; at the words `stopped` of `state` it stands."""

    rule: Literal["work"] = "work"
    field: str = Field(examples=["moves_h"])
    normal: float = Field(examples=[20])
    state: str = Field(examples=["state"])
    stopped: list[str] = Field(examples=[["wind_stop", "fault"]])


class CoolingOut(BaseModel):
    """Levels by the number of plugs without power, and by air that is off its setpoint outside a defrost."""

    rule: Literal["cooling"] = "cooling"
    field: str = Field(examples=["plugs_failed"])
    dense: float = _DENSE
    congested: float = _CONGESTED
    jammed: float = _JAMMED
    tolerance_c: float = Field(examples=[2])


LevelRuleOut = LimitsOut | SpeedRatioOut | TimeRatioOut | WorkOut | CoolingOut


def level_rule(rule: LevelRule | None) -> LevelRuleOut | None:
    """A rule as the API shows it."""
    if rule is None:
        return None
    given = {"field": shown_of(rule)} | {name: getattr(rule, name) for name in rule.__struct_fields__}
    return _model(rule).model_validate(given)


def _model(rule: LevelRule) -> type[LevelRuleOut]:
    match rule:
        case Limits():
            return LimitsOut
        case SpeedRatio():
            return SpeedRatioOut
        case TimeRatio():
            return TimeRatioOut
        case Work():
            return WorkOut
        case Cooling():
            return CoolingOut
        case _:
            assert_never(rule)
