"""What stands on the desk: a condition together with the alarm about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from analytics.alarms.conditions import Condition
from analytics.alarms.lifecycle import Lifecycle, State, Transition, follow
from analytics.alarms.machine import Transitions, due_at
from analytics.alarms.priority import Arithmetic
from analytics.alarms.rules import AlarmRule, Told


@dataclass(slots=True)
class Standing:
    """A condition, and its alarm if it has one.

    began_at: since when it holds, None when it does not. over_at: since when it is over while its alarm waits for the
    off-delay; over_why: in which way. rule: the one it is judged by, None for an event or one that the rules have no
    more. named, told: name and words of the rule by which it last called. sites, recording: where it lies, and whose
    recording it is. alarm: the number of the stored alarm, None before the first transition is stored. trail:
    transitions that are not stored yet. touched: something else is not stored yet.
    """

    condition: Condition
    began_at: datetime | None = None
    over_at: datetime | None = None
    over_why: str = ""
    rule: AlarmRule | None = None
    named: str = ""
    told: Told | None = None
    sites: tuple[str, ...] = ()
    recording: str | None = None
    arithmetic: Arithmetic | None = None
    life: Lifecycle = field(default_factory=Lifecycle)
    alarm: int | None = None
    trail: list[Transition] = field(default_factory=list)
    touched: bool = False

    @property
    def alarmed(self) -> bool:
        """There is an alarm, and it is not over."""
        return self.life.since_at is not None and not self.life.over

    @property
    def finished(self) -> bool:
        """Neither the condition nor an alarm is left."""
        return self.began_at is None and self.over_at is None and not self.alarmed

    @property
    def ready_at(self) -> datetime | None:
        """When the condition may call: its beginning and the on-delay."""
        delay_s = self.rule.on_delay_s if self.rule else 0.0
        return None if self.began_at is None else self.began_at + timedelta(seconds=delay_s)

    @property
    def gone_at(self) -> datetime | None:
        """When its end counts: the off-delay after it."""
        delay_s = self.rule.off_delay_s if self.rule else 0.0
        return None if self.over_at is None else self.over_at + timedelta(seconds=delay_s)

    def go(self, transitions: Transitions) -> None:
        for transition in transitions:
            self.life = follow(self.life, transition)
            self.trail.append(transition)

    def due_at(self) -> datetime | None:
        """When the clock next has an effect; may have passed."""
        pending = None if self.rule is None or self.life.active else self.ready_at
        times = (pending, self.gone_at, due_at(self.life, escalates=self.recording is None))
        return min((time for time in times if time is not None), default=None)

    def renew(self) -> None:
        """Forget an alarm that is over: what comes now is another one."""
        if self.life.state is State.NORMAL and self.life.since_at is not None:
            self.life, self.alarm, self.arithmetic = Lifecycle(), None, None


@dataclass(frozen=True, slots=True)
class Clocks:
    """The wall's time, and how far the recording of each site has come."""

    wall: datetime
    recordings: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, entry: Standing) -> datetime | None:
        """The time where an entry lies; a recording has come as far as the condition itself at least."""
        if entry.recording is None:
            return self.wall
        return self.recordings.get(entry.recording, entry.began_at or entry.over_at)
