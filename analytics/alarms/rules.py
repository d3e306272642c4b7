"""The rules of alarms as values: which condition calls somebody, how urgently, and what to do then.

`analytics/alarms/rulebook.py` reads and checks them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from analytics.alarms.conditions import Condition, Sort
from sensors.level import Level

Factor = Annotated[float, msgspec.Meta(gt=0)]
Delay = Annotated[float, msgspec.Meta(ge=0)]
LevelName = Literal["unknown", "dense", "congested", "jammed"]


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages of the port."""

    fr: str
    en: str


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do and whom to call."""

    do: Text
    call: Text


class Told(msgspec.Struct, frozen=True):
    """What an alarm tells the operator, kept with it as it was when it called."""

    title: Text
    consequence: Text
    do: Text
    call: Text
    within_min: float


class Factors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a score is made and from where on it is urgent."""

    medium: Factor
    high: Factor
    level: dict[str, Factor]
    abnormality: dict[str, Factor]


class PlaceRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sort of place: whatever has one of these roads, sites and kinds, where they are given."""

    name: str
    title: Text
    factor: Factor
    roads: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    public: bool = False


class AlarmRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An alarm: the conditions it is for, and what it tells the operator.

    level: the lowest it is for. severity: instead of the factor of the level, for what has none or is worse than it.
    mutes: what rests on such a sensor alone calls nobody. on_delay_s: how long a condition must hold first: longer
    drops short ones, and every second is a second later. off_delay_s: how long it must be over: longer joins what
    flickers, and shows what is over. within_min: by when somebody must have acted.
    """

    name: str
    on: Sort
    title: Text
    consequence: Text
    response: Response
    within_min: Annotated[float, msgspec.Meta(gt=0)]
    what: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    public_road: bool | None = None
    level: LevelName = "congested"
    severity: Factor | None = None
    mutes: bool = False
    on_delay_s: Delay = 0.0
    off_delay_s: Delay = 0.0

    @property
    def told(self) -> Told:
        return Told(self.title, self.consequence, self.response.do, self.response.call, self.within_min)

    def fits(self, condition: Condition, *, public_road: bool) -> bool:
        """Whether this alarm is for `condition`, which lies on a public road or not."""
        if self.on is not condition.sort or (self.what and condition.what not in self.what):
            return False
        if self.cause and condition.cause not in self.cause:
            return False
        if condition.sort is Sort.CONGESTION and condition.level < Level[self.level.upper()]:
            return False
        return self.public_road in (None, public_road)

    def covers(self, other: AlarmRule) -> bool:
        """Whether `other` has nothing left that this one does not take first."""
        lists = ((self.what, other.what), (self.cause, other.cause))
        wide = all(not mine or (theirs and set(theirs) <= set(mine)) for mine, theirs in lists)
        lower = Level[self.level.upper()] <= Level[other.level.upper()]
        return self.on is other.on and wide and lower and self.public_road in (None, other.public_road)


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All rules; the first alarm that fits a condition and the first place that fits a thing count."""

    version: Literal[1]
    priority: Factors
    place: tuple[PlaceRule, ...]
    alarm: tuple[AlarmRule, ...]

    def rule_of(self, condition: Condition, *, public_road: bool) -> AlarmRule | None:
        """The alarm for a condition; None: it is an event."""
        return next((rule for rule in self.alarm if rule.fits(condition, public_road=public_road)), None)

    def named(self, name: str) -> AlarmRule | None:
        return next((rule for rule in self.alarm if rule.name == name), None)
