"""The lifecycle of an alarm: what ISA-18.2 allows, and random lives that never leave it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from analytics.alarms import machine
from analytics.alarms.lifecycle import (
    HIDDEN,
    TABLE,
    Action,
    Lifecycle,
    Priority,
    State,
    Transition,
    TransitionRefused,
    announces,
    follow,
    rebuild,
)
from analytics.alarms.machine import ActionRefused, Call, Deed, Holds
from sensors.level import Level

NOW = datetime(2026, 3, 2, 7, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONGESTED, JAMMED = Call(Level.CONGESTED, Priority.MEDIUM), Call(Level.JAMMED, Priority.HIGH)

# The arrows of the state diagram in ISA-18.2 that alarms without latching have, by the letters of its states.
ARROWS = {
    *("AB", "AH", "AI"),
    *("BC", "BD", "BG", "BH", "BI"),
    *("CA", "CB", "CG", "CH", "CI"),
    *("DA", "DB", "DG", "DH", "DI"),
    *("GA", "GB", "GH", "GI"),
    *("HA", "HB", "HG", "HI"),
    *("IA", "IB", "IG", "IH"),
}
LETTER = {
    State.NORMAL: "A",
    State.UNACKNOWLEDGED: "B",
    State.ACKNOWLEDGED: "C",
    State.RETURNED: "D",
    State.SHELVED: "G",
    State.SUPPRESSED: "H",
    State.OUT_OF_SERVICE: "I",
}


class Life:
    """An alarm and its trail."""

    def __init__(self) -> None:
        self.now = NOW
        self.life = Lifecycle()
        self.trail: list[Transition] = []

    def go(self, transitions: tuple[Transition, ...]) -> Life:
        for transition in transitions:
            self.life = follow(self.life, transition)
            self.trail.append(transition)
        return self

    def call(self, call: Call = CONGESTED) -> Life:
        return self.go(machine.called(self.life, call, self.now, "congested"))

    def end(self) -> Life:
        return self.go(machine.ended(self.life, self.now, "ended"))

    def hold(self, suppressed: str | None = None, out: str | None = None) -> Life:
        return self.go(machine.held(self.life, Holds(suppressed, out), self.now))

    def elapse(self, minutes: float, *, escalates: bool = True) -> Life:
        self.now += minutes * MINUTE
        return self.go(machine.elapsed(self.life, self.now, escalates=escalates))

    def acknowledge(self) -> Life:
        return self.go(machine.acknowledge(self.life, self.deed()))

    def shelve(self, minutes: float = 60, why: str = "works at the gate") -> Life:
        return self.go(machine.shelve(self.life, self.deed(why), self.now + minutes * MINUTE))

    def deed(self, why: str = "") -> Deed:
        return Deed("Martin", self.now, why)

    @property
    def calls(self) -> int:
        return sum(map(announces, self.trail))


def test_a_condition_calls_is_acknowledged_and_ends() -> None:
    alarm = Life().call().acknowledge().end()
    assert [(t.source, t.target) for t in alarm.trail] == [
        (State.NORMAL, State.UNACKNOWLEDGED),
        (State.UNACKNOWLEDGED, State.ACKNOWLEDGED),
        (State.ACKNOWLEDGED, State.NORMAL),
    ]
    assert alarm.life.over


def test_a_condition_that_ends_unseen_still_waits_for_somebody() -> None:
    alarm = Life().call().end()
    assert alarm.life.state is State.RETURNED
    assert not alarm.life.over
    assert alarm.acknowledge().life.over


def test_it_calls_again_only_when_the_level_rises_above_all_before() -> None:
    alarm = Life().call(CONGESTED).acknowledge()
    assert alarm.call(JAMMED).life.state is State.UNACKNOWLEDGED
    alarm.acknowledge().call(CONGESTED)
    assert alarm.life.state is State.ACKNOWLEDGED
    assert alarm.call(JAMMED).life.state is State.ACKNOWLEDGED
    assert alarm.calls == 2


def test_another_priority_at_the_same_level_is_noted_and_calls_nobody() -> None:
    alarm = Life().call(CONGESTED).acknowledge().call(Call(Level.CONGESTED, Priority.HIGH))
    assert (alarm.life.state, alarm.life.priority, alarm.calls) == (State.ACKNOWLEDGED, Priority.HIGH, 1)


def test_a_condition_that_comes_back_before_anybody_looked_calls_again() -> None:
    alarm = Life().call(JAMMED).end().call(CONGESTED)
    assert (alarm.life.state, alarm.life.peak, alarm.calls) == (State.UNACKNOWLEDGED, Level.CONGESTED, 2)


def test_shelving_hides_until_its_end_and_then_calls_anew() -> None:
    alarm = Life().call().acknowledge().shelve(minutes=30)
    assert alarm.elapse(29).life.state is State.SHELVED
    assert alarm.elapse(1).life.state is State.UNACKNOWLEDGED
    assert (alarm.trail[-1].who, alarm.trail[-1].at, alarm.life.shelved_until) == ("vigie", alarm.now, None)


def test_what_ended_while_shelved_does_not_call() -> None:
    alarm = Life().call().shelve(minutes=30).end()
    assert alarm.life.state is State.SHELVED
    assert alarm.elapse(30).life.over


def test_shelving_needs_a_reason_and_ends_within_a_shift() -> None:
    alarm = Life().call()
    with pytest.raises(ActionRefused, match="needs a reason"):
        alarm.shelve(why=" ")
    for minutes in (0, -5, 8 * 60 + 1):
        with pytest.raises(ActionRefused, match="between now and 8 hours"):
            alarm.shelve(minutes=minutes)
    assert alarm.shelve(minutes=8 * 60).life.state is State.SHELVED


def test_shelving_again_moves_the_end() -> None:
    alarm = Life().call().shelve(minutes=30).shelve(minutes=90)
    assert alarm.life.shelved_until == NOW + 90 * MINUTE


def test_what_is_held_from_the_start_never_calls() -> None:
    alarm = Life().hold(suppressed="rests on W07-G1 alone: stuck").call(JAMMED).end()
    assert (alarm.life.state, alarm.calls) == (State.SUPPRESSED, 0)
    assert alarm.hold().life.over


def test_holds_end_each_for_itself_and_the_last_one_calls_anew() -> None:
    alarm = Life().call().shelve(60).hold("stuck", "maintenance")
    assert alarm.life.state is State.OUT_OF_SERVICE
    assert alarm.hold("stuck", None).life.state is State.SUPPRESSED
    assert alarm.elapse(60).life.state is State.SUPPRESSED
    assert alarm.hold().life.state is State.UNACKNOWLEDGED


def test_a_hold_that_ends_before_the_shelving_leaves_it_shelved() -> None:
    alarm = Life().call().shelve(60).hold("stuck").hold()
    assert alarm.life.state is State.SHELVED


def test_high_priority_escalates_once_after_five_minutes_without_an_answer() -> None:
    alarm = Life().call(JAMMED)
    assert not alarm.elapse(4.99).life.escalated
    assert alarm.elapse(0.01).life.escalated
    assert alarm.trail[-1].at == NOW + 5 * MINUTE
    assert [t.action for t in alarm.elapse(30).trail].count(Action.ESCALATE) == 1


def test_what_became_urgent_later_has_its_own_five_minutes() -> None:
    alarm = Life().call(CONGESTED).elapse(7).call(JAMMED)
    assert not alarm.elapse(4).life.escalated
    assert alarm.elapse(1).life.escalated


@pytest.mark.parametrize("answer", ["acknowledge", "end", "shelve"])
def test_what_was_answered_or_is_over_does_not_escalate(answer: str) -> None:
    alarm = Life().call(JAMMED).elapse(3)
    getattr(alarm, answer)()
    assert not alarm.elapse(30).life.escalated


def test_recordings_and_low_priorities_never_escalate() -> None:
    assert not Life().call(JAMMED).elapse(60, escalates=False).life.escalated
    assert not Life().call(CONGESTED).elapse(60).life.escalated


def test_the_clock_says_when_it_has_something_next() -> None:
    alarm = Life().call(JAMMED)
    assert machine.due_at(alarm.life, escalates=True) == NOW + 5 * MINUTE
    assert machine.due_at(alarm.life, escalates=False) is None
    assert machine.due_at(alarm.shelve(30).life, escalates=True) == NOW + 30 * MINUTE


def test_a_refused_action_says_what_is_possible() -> None:
    with pytest.raises(ActionRefused, match=r"is acknowledged cannot be asked to acknowledge; possible now: shelve,"):
        Life().call().acknowledge().acknowledge()
    with pytest.raises(ActionRefused, match="cannot be asked to unshelve"):
        machine.unshelve(Life().call().life, Deed("Martin", NOW))


def test_people_may_speak_of_an_alarm_that_is_over() -> None:
    alarm = Life().call().acknowledge().end()
    before = alarm.life
    alarm.go(machine.noted(alarm.life, Action.CONFIRM, alarm.deed("false alarm")))
    assert alarm.life == before


def test_a_transition_that_begins_elsewhere_is_refused() -> None:
    alarm = Life().call().acknowledge()
    with pytest.raises(TransitionRefused, match="the alarm is acknowledged"):
        follow(alarm.life, alarm.trail[0])


def test_the_table_has_the_arrows_of_the_standard_and_no_other() -> None:
    drawn = {
        LETTER[a] + LETTER[b] for a, moves in TABLE.items() for targets in moves.values() for b in targets if a != b
    }
    assert drawn == ARROWS


class RandomLives(RuleBasedStateMachine):
    """Whatever happens in whatever order, in the words of the standard and not of our table."""

    @initialize(escalates=st.booleans())
    def begin(self, escalates: bool) -> None:  # noqa: FBT001  drawn
        self.alarm = Life()
        self.escalates = escalates
        self.holds = Holds()

    @rule(level=st.sampled_from([Level.CONGESTED, Level.JAMMED]), priority=st.sampled_from(Priority))
    def call(self, level: Level, priority: Priority) -> None:
        self.alarm.call(Call(level, priority))

    @rule()
    def end(self) -> None:
        self.alarm.end()

    @rule(suppressed=st.sampled_from([None, "stuck", "site down"]), out=st.sampled_from([None, "works"]))
    def hold(self, suppressed: str | None, out: str | None) -> None:
        self.holds = Holds(suppressed, out)
        self.alarm.hold(suppressed, out)

    @rule(minutes=st.sampled_from([0.5, 4, 6, 61]))
    def elapse(self, minutes: float) -> None:
        self.alarm.elapse(minutes, escalates=self.escalates)

    @rule(action=st.sampled_from(["acknowledge", "unshelve", "shelve", "note"]), minutes=st.sampled_from([1, 480]))
    def act(self, action: str, minutes: int) -> None:
        alarm, before = self.alarm, self.alarm.life
        can = machine.possible(before)
        if action == "note":
            alarm.go(machine.noted(before, Action.COMMENT, alarm.deed("seen")))
            return
        try:
            if action == "shelve":
                alarm.shelve(minutes)
            else:
                alarm.go(getattr(machine, action)(before, alarm.deed()))
        except ActionRefused:
            assert Action(action) not in can
            assert alarm.life == before
        else:
            assert Action(action) in can

    @invariant()
    def follows_the_standard(self) -> None:
        for step in self.alarm.trail[-3:]:
            assert step.source == step.target or LETTER[step.source] + LETTER[step.target] in ARROWS

    @invariant()
    def means_what_it_says(self) -> None:
        life = self.alarm.life
        assert life.active or life.state not in {State.UNACKNOWLEDGED, State.ACKNOWLEDGED}
        assert not life.active or life.state not in {State.NORMAL, State.RETURNED}
        assert (life.announced_at is not None) == (life.state is State.UNACKNOWLEDGED)
        assert life.urgent_at is None or life.priority is Priority.HIGH
        assert life.shelved_until is None or life.shelved_until <= self.alarm.now + machine.SHELVE_MOST
        assert (life.out_of_service_by is not None) == (self.holds.out_of_service_by is not None)
        assert (life.suppressed_by is not None) == (self.holds.suppressed_by is not None)
        reasons = (life.out_of_service_by, life.suppressed_by, life.shelved_until)
        first = next((hidden for hidden, why in zip(_BY_RANK, reasons, strict=True) if why is not None), None)
        assert first == (life.state if life.state in HIDDEN else None)

    @invariant()
    def is_rebuilt_by_its_trail(self) -> None:
        assert rebuild(self.alarm.trail) == self.alarm.life

    @invariant()
    def time_never_runs_back(self) -> None:
        times = [step.at for step in self.alarm.trail]
        assert times == sorted(times)


_BY_RANK = (State.OUT_OF_SERVICE, State.SUPPRESSED, State.SHELVED)


@pytest.mark.parametrize(
    "lives",
    [150, pytest.param(10_000, marks=[pytest.mark.prove, pytest.mark.timeout(1800)])],
    ids=lambda n: f"{n} lives",
)
def test_random_lives_never_reach_what_the_table_does_not_allow(lives: int) -> None:
    unhurried = settings(
        max_examples=lives, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(RandomLives, settings=unhurried)  # type: ignore[no-untyped-call]  hypothesis has no types
