"""What the feed is told of alarms. The types are a promise to integrators: `docs/api.md` lists them.

No names and no comments of people: they stay in the audit trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from analytics.alarms.conditions import Condition
from analytics.alarms.lifecycle import Action, State, Transition, announces
from analytics.alarms.priority import Arithmetic
from analytics.alarms.rules import Told

RAISED = "vigie.alarm.raised.v1"
CHANGED = "vigie.alarm.changed.v1"
ESCALATED = "vigie.alarm.escalated.v1"
CLEARED = "vigie.alarm.cleared.v1"


@dataclass(frozen=True, slots=True)
class About:
    """What the events of one alarm have in common."""

    alarm: int
    rule: str
    told: Told
    condition: Condition
    arithmetic: Arithmetic | None
    sites: Sequence[str]


def type_of(transition: Transition) -> str:
    """Cleared: nothing holds and nothing is asked any more."""
    if announces(transition):
        return RAISED
    if transition.action is Action.ESCALATE:
        return ESCALATED
    cleared = transition.target is State.NORMAL and transition.source is not State.NORMAL
    return CLEARED if cleared else CHANGED


def data_of(transition: Transition, about: About) -> dict[str, Any]:
    """The data of the event for one transition."""
    condition, data = about.condition, about.condition.data
    said = {
        "alarm": str(about.alarm),
        "action": transition.action.value,
        "state": transition.target.value,
        "previous": transition.source.value,
        "active": transition.active,
        "rule": about.rule,
        "title": about.told.title,
        "headline": data.get("headline"),
        "sign": data.get("sign"),
        "priority": transition.priority.value,
        "score": about.arithmetic.score if about.arithmetic else None,
        "level": transition.level.label,
        "kind": condition.what,
        "cause": condition.cause,
        "site": about.sites[0] if about.sites else None,
        "sites": list(about.sites),
        "places": list(condition.places),
        "sensors": list(condition.sensors),
        "situation": data.get("situation"),
        "onset": condition.onset_at,
        "expected_end": data.get("expected_end"),
        "within_min": about.told.within_min,
    }
    return dict(msgspec.to_builtins(said))
