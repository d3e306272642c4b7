"""The lifecycle of one alarm after ISA-18.2 and IEC 62682: its states, the transitions between them, and nothing else.

A transition is a value that says who did what when and why, and everything that it changes: `follow` is the only way
on, it refuses what `TABLE` does not have, and folding the audit trail with it gives the present state again.
`analytics/alarms/machine.py` decides which transition comes next.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from sensors.level import Level

MACHINE = "vigie"
"""Who acts where no person does."""


class State(enum.StrEnum):
    """The states of ISA-18.2; the letter in its diagram stands behind each."""

    NORMAL = "normal"  # A
    UNACKNOWLEDGED = "unacknowledged"  # B
    ACKNOWLEDGED = "acknowledged"  # C
    RETURNED = "returned_unacknowledged"  # D
    SHELVED = "shelved"  # G
    SUPPRESSED = "suppressed"  # H, by design
    OUT_OF_SERVICE = "out_of_service"  # I


HIDDEN = frozenset({State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE})
"""The condition is followed and nobody is called."""


class Action(enum.StrEnum):
    """What moves an alarm: first what the service does, then what people do; shelving also ends by itself."""

    RAISE = "raise"
    CHANGE = "change"
    RETURN = "return"
    ESCALATE = "escalate"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    TAKE_OUT = "take_out_of_service"
    PUT_BACK = "put_back_in_service"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    COMMENT = "comment"
    RESPOND = "respond"
    CONFIRM = "confirm"


NOTES = frozenset({Action.COMMENT, Action.RESPOND, Action.CONFIRM})
"""What people say of an alarm, in any state, also when it is over."""


class Priority(enum.StrEnum):
    """How soon somebody must act: three, because people do not tell more apart (ISA-18.2, EEMUA 191)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


_N, _U, _A, _R = State.NORMAL, State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED
_S, _H, _O = State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE
_HOLDS = {Action.SUPPRESS: {_H}, Action.TAKE_OUT: {_O}}

TABLE: Mapping[State, Mapping[Action, set[State]]] = {
    _N: {Action.RAISE: {_U}, **_HOLDS},
    _U: {
        Action.RAISE: {_U},
        Action.CHANGE: {_U},
        Action.ESCALATE: {_U},
        Action.RETURN: {_R},
        Action.ACKNOWLEDGE: {_A},
        Action.SHELVE: {_S},
        **_HOLDS,
    },
    _A: {Action.RAISE: {_U}, Action.CHANGE: {_A}, Action.RETURN: {_N}, Action.SHELVE: {_S}, **_HOLDS},
    _R: {Action.RAISE: {_U}, Action.ACKNOWLEDGE: {_N}, Action.SHELVE: {_S}, **_HOLDS},
    _S: {
        Action.RAISE: {_S},
        Action.CHANGE: {_S},
        Action.RETURN: {_S},
        Action.SHELVE: {_S},
        Action.UNSHELVE: {_U, _N},
        **_HOLDS,
    },
    _H: {
        Action.RAISE: {_H},
        Action.CHANGE: {_H},
        Action.RETURN: {_H},
        Action.UNSHELVE: {_H},
        Action.UNSUPPRESS: {_U, _N, _S},
        Action.TAKE_OUT: {_O},
    },
    _O: {
        Action.RAISE: {_O},
        Action.CHANGE: {_O},
        Action.RETURN: {_O},
        Action.UNSHELVE: {_O},
        Action.SUPPRESS: {_O},
        Action.UNSUPPRESS: {_O},
        Action.PUT_BACK: {_U, _N, _S, _H},
    },
}
"""Where each action may lead from each state; `NOTES` leave every state as it is."""


_SHELVING = frozenset({Action.SHELVE, Action.UNSHELVE})
_SUPPRESSING = frozenset({Action.SUPPRESS, Action.UNSUPPRESS})
_TAKING_OUT = frozenset({Action.TAKE_OUT, Action.PUT_BACK})


class TransitionRefused(Exception):  # noqa: N818  a value that does not fit, not a failure
    """A transition that does not begin where the alarm is, or that the table does not have."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the audit trail. `level`, `priority` and `active` are those after it.

    at: when it took effect, by the clock of the site. why: the reason given, or found. until: end of a shelving. said:
    what a person reports in fixed words, such as what was done.
    """

    at: datetime
    who: str
    action: Action
    why: str
    source: State
    target: State
    level: Level
    priority: Priority
    active: bool
    until: datetime | None = None
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The present state of one alarm, and what decides the next one.

    active: the condition holds, whatever is shown. peak: the highest level somebody was called for; it calls again only
    above. announced_at: since when an answer is waited for. urgent_at: since when that is so at high priority.
    suppressed_by, out_of_service_by: the reasons, None where there is none. since_at: since when the state holds.
    """

    state: State = State.NORMAL
    active: bool = False
    level: Level = Level.UNKNOWN
    peak: Level = Level.UNKNOWN
    priority: Priority = Priority.LOW
    since_at: datetime | None = None
    raised_at: datetime | None = None
    announced_at: datetime | None = None
    urgent_at: datetime | None = None
    escalated: bool = False
    shelved_until: datetime | None = None
    suppressed_by: str | None = None
    out_of_service_by: str | None = None

    @property
    def over(self) -> bool:
        """Nothing holds and nothing is asked of anybody: the next time is another alarm."""
        return self.state is State.NORMAL and not self.active and self.since_at is not None


def announces(transition: Transition) -> bool:
    """Whether it calls somebody: the unit in which the load of an operator is counted."""
    newly = transition.source is not State.UNACKNOWLEDGED or transition.action is Action.RAISE
    return transition.target is State.UNACKNOWLEDGED and newly


def follow(life: Lifecycle, transition: Transition) -> Lifecycle:
    """The state after a transition; raises `TransitionRefused`."""
    _check(life, transition)
    if transition.action in NOTES:
        return life
    after = replace(
        life,
        state=transition.target,
        active=transition.active,
        level=transition.level,
        priority=transition.priority,
        since_at=life.since_at if transition.target is life.state and life.since_at else transition.at,
        raised_at=life.raised_at or (transition.at if transition.action is Action.RAISE else None),
    )
    return _waiting(_held(after, transition), transition)


def rebuild(trail: Iterable[Transition]) -> Lifecycle:
    """The state that an audit trail, oldest first, leads to."""
    return reduce(follow, trail, Lifecycle())


def _check(life: Lifecycle, transition: Transition) -> None:
    action, source, target = transition.action, transition.source, transition.target
    allowed = {source} if action in NOTES else TABLE[source].get(action, set())
    if source is not life.state or target not in allowed:
        ways = ", ".join(sorted(allowed)) or "nowhere"
        raise TransitionRefused(
            f"{action} from {source} to {target}: the alarm is {life.state}, from {source} this leads to {ways}"
        )


def _held(life: Lifecycle, transition: Transition) -> Lifecycle:
    """Remember and forget what hides an alarm."""
    if transition.action in _SHELVING:
        return replace(life, shelved_until=transition.until)
    if transition.action in _SUPPRESSING:
        return replace(life, suppressed_by=transition.why if transition.action is Action.SUPPRESS else None)
    if transition.action in _TAKING_OUT:
        return replace(life, out_of_service_by=transition.why if transition.action is Action.TAKE_OUT else None)
    return life


def _waiting(life: Lifecycle, transition: Transition) -> Lifecycle:
    """Keep since when an answer is waited for."""
    if life.state is not State.UNACKNOWLEDGED:
        return replace(life, announced_at=None, urgent_at=None, escalated=False)
    if announces(transition):
        life = replace(life, peak=life.level)
    if transition.source is not State.UNACKNOWLEDGED:
        life = replace(life, announced_at=transition.at)
    urgent = life.priority is Priority.HIGH
    escalated = life.escalated or transition.action is Action.ESCALATE
    return replace(life, urgent_at=(life.urgent_at or transition.at) if urgent else None, escalated=escalated)
