"""Alarms as rows: typed, free of SQL for whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import msgspec

from analytics.alarms.conditions import Condition
from analytics.alarms.lifecycle import Action, Lifecycle, Priority, State, Transition
from analytics.alarms.priority import Arithmetic
from analytics.alarms.rules import Told
from analytics.alarms.wording import About
from sensors.level import Level

LIFE = tuple(field.name for field in fields(Lifecycle))
"""Columns that a table of alarms has of the lifecycle."""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm as it is stored."""

    id: int
    key: str
    version: int
    rule: str
    told: Told
    arithmetic: Arithmetic | None
    condition: Condition
    sites: tuple[str, ...]
    recording: str | None
    life: Lifecycle
    confirmed: bool | None
    closed_at: datetime | None

    @property
    def about(self) -> About:
        return About(self.id, self.rule, self.told, self.condition, self.arithmetic, self.sites)


@dataclass(frozen=True, slots=True)
class TrailRow:
    """A step of an alarm's life, and when it was stored."""

    number: int
    recorded_at: datetime
    transition: Transition


def alarm_row(row: Mapping[str, Any]) -> AlarmRow:
    return AlarmRow(
        id=row["id"],
        key=row["key"],
        version=row["version"],
        rule=row["rule"],
        told=msgspec.convert(row["told"], Told),
        arithmetic=msgspec.convert(row["arithmetic"], Arithmetic | None),
        condition=condition_of(row["condition"]),
        sites=tuple(row["sites"]),
        recording=row["recording"],
        life=life_of(row),
        confirmed=row["confirmed"],
        closed_at=row["closed_at"],
    )


def life_of(row: Mapping[str, Any]) -> Lifecycle:
    words = {"state": State(row["state"]), "priority": Priority(row["priority"])}
    levels = {"level": Level(row["level"]), "peak": Level(row["peak"])}
    return Lifecycle(**{name: row[name] for name in LIFE} | words | levels)


def life_values(life: Lifecycle) -> dict[str, object]:
    """A lifecycle as values of its columns."""
    values = {name: getattr(life, name) for name in LIFE}
    return (
        values
        | {"state": life.state.value, "priority": life.priority.value, "level": int(life.level)}
        | {"peak": int(life.peak)}
    )


def condition_of(value: object) -> Condition:
    return msgspec.convert(value, Condition)


def trail_row(row: Mapping[str, Any]) -> TrailRow:
    transition = Transition(
        at=row["at"],
        who=row["who"],
        action=Action(row["action"]),
        why=row["why"],
        source=State(row["source"]),
        target=State(row["target"]),
        level=Level(row["level"]),
        priority=Priority(row["priority"]),
        active=row["active"],
        until=row["until"],
        said=tuple(row["said"]),
    )
    return TrailRow(row["number"], row["recorded_at"], transition)
