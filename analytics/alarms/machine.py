"""Decides the next transition of an alarm: from its condition, from what hides it, from a person, from the clock.

Pure. Every function returns the transitions that follow, none where nothing changes; `lifecycle.follow` applies them.
A person's action that the state does not have raises `ActionRefused` with the way out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analytics.alarms.lifecycle import (
    HIDDEN,
    MACHINE,
    TABLE,
    Action,
    Lifecycle,
    Priority,
    State,
    Transition,
    follow,
)
from sensors.errors import OperatorError
from sensors.level import Level

SHELVE_MOST = timedelta(hours=8)
"""One shift (domain section 5): longer would hide an alarm from people who never heard of it."""
ESCALATE_AFTER = timedelta(minutes=5)
"""Unanswered at high priority (domain section 5): sooner calls the next person while the first is on the telephone,
later leaves the worst minutes of a queue to nobody."""


class ActionRefused(OperatorError):  # noqa: N818  an answer, not a failure
    """What a person asked for is not possible now; the message says what is."""


@dataclass(frozen=True, slots=True)
class Call:
    """What an alarm says: how bad it is and how soon somebody must act."""

    level: Level
    priority: Priority


@dataclass(frozen=True, slots=True)
class Holds:
    """Why nobody is to be called, None where there is no reason."""

    suppressed_by: str | None = None
    out_of_service_by: str | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """A person's action: who, when, why."""

    who: str
    at: datetime
    why: str = ""


Transitions = tuple[Transition, ...]


def called(life: Lifecycle, call: Call, at: datetime, why: str) -> Transitions:
    """The condition holds, or holds in another way: call where it is news, only note where it is not."""
    hidden = life.state in HIDDEN
    if not life.active or (call.level > life.peak and not hidden):
        target = life.state if hidden else State.UNACKNOWLEDGED
        return (_move(life, Action.RAISE, target, at, why, call=call, active=True),)
    if call != Call(life.level, life.priority):
        return (_move(life, Action.CHANGE, life.state, at, why, call=call),)
    return ()


def ended(life: Lifecycle, at: datetime, why: str) -> Transitions:
    """The condition is over, or nobody sees it any more; `why` says which."""
    if not life.active:
        return ()
    target = {State.UNACKNOWLEDGED: State.RETURNED, State.ACKNOWLEDGED: State.NORMAL}.get(life.state, life.state)
    return (_move(life, Action.RETURN, target, at, why, active=False),)


def held(life: Lifecycle, holds: Holds, at: datetime) -> Transitions:
    """Hide the alarm for new reasons and show it where they are gone."""
    found: list[Transition] = []
    for had, has, begin, end in (
        (life.out_of_service_by, holds.out_of_service_by, Action.TAKE_OUT, Action.PUT_BACK),
        (life.suppressed_by, holds.suppressed_by, Action.SUPPRESS, Action.UNSUPPRESS),
    ):
        if (had is None) == (has is None):
            continue
        action, why = (begin, has) if has is not None else (end, f"no longer: {had}")
        assert why is not None
        move = _move(life, action, _after_hold(life, action), at, why)
        found.append(move)
        life = follow(life, move)
    return tuple(found)


def elapsed(life: Lifecycle, now: datetime, *, escalates: bool) -> Transitions:
    """What the clock alone brings about: the end of a shelving, the escalation of a call that nobody answered."""
    found: list[Transition] = []
    if life.shelved_until is not None and now >= life.shelved_until:
        target = _rearmed(life) if life.state is State.SHELVED else life.state
        found.append(_move(life, Action.UNSHELVE, target, life.shelved_until, "the shelving is over"))
        life = follow(life, found[-1])
    if escalates and life.urgent_at is not None and not life.escalated and now >= life.urgent_at + ESCALATE_AFTER:
        why = f"not acknowledged for {ESCALATE_AFTER.total_seconds() / 60:.0f} minutes at high priority"
        found.append(_move(life, Action.ESCALATE, life.state, life.urgent_at + ESCALATE_AFTER, why))
    return tuple(found)


def due_at(life: Lifecycle, *, escalates: bool) -> datetime | None:
    """The next instant at which `elapsed` has something."""
    waiting = life.urgent_at if escalates and not life.escalated else None
    times = [life.shelved_until, None if waiting is None else waiting + ESCALATE_AFTER]
    return min((time for time in times if time is not None), default=None)


def acknowledge(life: Lifecycle, deed: Deed) -> Transitions:
    """Somebody has seen it and is responsible."""
    target = State.NORMAL if life.state is State.RETURNED else State.ACKNOWLEDGED
    return (_asked(life, Action.ACKNOWLEDGE, target, deed),)


def shelve(life: Lifecycle, deed: Deed, until: datetime) -> Transitions:
    """Hide it for a stated time and reason; shelving a shelved alarm moves the end."""
    if not deed.why.strip():
        raise ActionRefused("shelving needs a reason: the next shift must know why nobody is called")
    if not deed.at < until <= deed.at + SHELVE_MOST:
        hours = SHELVE_MOST.total_seconds() / 3600
        raise ActionRefused(f"until {until.isoformat()} is not between now and {hours:.0f} hours from now")
    return (_asked(life, Action.SHELVE, State.SHELVED, deed, until=until),)


def unshelve(life: Lifecycle, deed: Deed) -> Transitions:
    """Show it again before its time: it calls where its condition still holds."""
    if life.state is not State.SHELVED:
        raise _refusal(life, Action.UNSHELVE)
    return (_asked(life, Action.UNSHELVE, _rearmed(life), deed),)


def noted(life: Lifecycle, action: Action, deed: Deed, said: tuple[str, ...] = ()) -> Transitions:
    """A comment, what was done, or whether the alarm was right; possible in every state."""
    return (replace(_move(life, action, life.state, deed.at, deed.why, who=deed.who), said=said),)


def possible(life: Lifecycle) -> list[Action]:
    """What a person can do now."""
    can = [action for action in (Action.ACKNOWLEDGE, Action.SHELVE) if action in TABLE[life.state]]
    if life.state is State.SHELVED:
        can.append(Action.UNSHELVE)
    return [*can, Action.COMMENT, Action.RESPOND, Action.CONFIRM]


def _after_hold(life: Lifecycle, action: Action) -> State:
    """Where a hold that begins or ends leads: out of service goes before suppressed, that before shelved."""
    out = action is Action.TAKE_OUT or (life.out_of_service_by is not None and action is not Action.PUT_BACK)
    muted = action is Action.SUPPRESS or (life.suppressed_by is not None and action is not Action.UNSUPPRESS)
    if out:
        return State.OUT_OF_SERVICE
    if muted:
        return State.SUPPRESSED
    return State.SHELVED if life.shelved_until is not None else _rearmed(life)


def _rearmed(life: Lifecycle) -> State:
    """What was hidden calls anew where it still holds."""
    return State.UNACKNOWLEDGED if life.active else State.NORMAL


def _asked(life: Lifecycle, action: Action, target: State, deed: Deed, *, until: datetime | None = None) -> Transition:
    if target not in TABLE[life.state].get(action, set()):
        raise _refusal(life, action)
    return _move(life, action, target, deed.at, deed.why, who=deed.who, until=until)


def _refusal(life: Lifecycle, action: Action) -> ActionRefused:
    ways = ", ".join(possible(life))
    return ActionRefused(f"an alarm that is {life.state} cannot be asked to {action}; possible now: {ways}")


def _move(
    life: Lifecycle,
    action: Action,
    target: State,
    at: datetime,
    why: str,
    *,
    who: str = MACHINE,
    call: Call | None = None,
    active: bool | None = None,
    until: datetime | None = None,
) -> Transition:
    level, priority = (life.level, life.priority) if call is None else (call.level, call.priority)
    return Transition(
        at=at,
        who=who,
        action=action,
        why=why,
        source=life.state,
        target=target,
        level=level,
        priority=priority,
        active=life.active if active is None else active,
        until=until,
    )
