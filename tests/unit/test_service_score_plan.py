from __future__ import annotations

import pytest

from sensors.fault import Fault
from sensors.kind import load_kinds
from service.score.ground import Event, Ground
from service.score.plan import (
    UnknownScenarioError,
    chosen,
    congested,
    creeping_faults,
    drawn_runs,
    faults_of,
    long_run,
    turns,
)
from service.score.spans import Span
from service.score.stage import recorded_port
from service.score.watch import watch_of
from service.score.windows import LONG_RUN_ONLY
from simulators.faults.faults import Faults
from simulators.faults.injection import check_all
from simulators.scenario import load_scenarios
from simulators.world import World

PORT = recorded_port()
WATCH = watch_of(PORT)
SCENARIOS = load_scenarios()
NAMES = list(SCENARIOS)


def ground(start_s: float, end_s: float, *places: str) -> Ground:
    span = Span(start_s, end_s)
    event = Event("e", span, None, frozenset(), dict.fromkeys(places, (span,)))
    return Ground("made", 1, span, (event,) if places else ())


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_every_fault_that_shows_in_hours_is_injected_at_least_once_over_all_scenarios(seed: int) -> None:
    found: set[Fault] = set()
    for drawn in drawn_runs(SCENARIOS.values(), PORT, seed):
        made = faults_of(drawn, PORT, WATCH, ground(drawn.start_s, drawn.end_s), turn=NAMES.index(drawn.scenario))
        check_all(made, PORT)
        found |= {one.what for one in made}
    assert found == set(Fault) - LONG_RUN_ONLY


def test_a_run_has_a_tenth_of_what_speaks_faulty_a_quarter_of_it_during_congestion_and_the_same_each_time() -> None:
    (drawn,) = drawn_runs([SCENARIOS["ordinary-day"]], PORT, 3)
    early = ground(drawn.start_s, drawn.start_s + 3600, "W01-W02", "W02-W03", "W07-G1")
    made = faults_of(drawn, PORT, WATCH, early, turn=4)
    assert len(made) == 10
    during = [
        one
        for one in made
        if one.start_s < drawn.start_s + 3600 and WATCH.places.get(one.where, set()) & {"W01-W02", "W02-W03", "W07-G1"}
    ]
    assert len(during) >= 3
    assert faults_of(drawn, PORT, WATCH, early, turn=4) == made


def test_random_faults_leave_those_of_the_scenario_alone() -> None:
    for drawn in drawn_runs([SCENARIOS["network-outage-west"]], PORT, 1):
        assert drawn.injections
        made = faults_of(drawn, PORT, WATCH, ground(drawn.start_s, drawn.end_s), turn=0)
        assert set(drawn.injections) < set(made)
        Faults(made, World(PORT, load_kinds(), 1), load_kinds(), 1)


def test_a_long_run_has_the_faults_that_creep_and_no_other() -> None:
    drawn = long_run(10, seed=1)
    made = creeping_faults(drawn, PORT)
    assert {one.what for one in made} == LONG_RUN_ONLY
    assert all(drawn.start_s <= one.start_s < one.end_s <= drawn.end_s for one in made)
    assert drawn.end_s - drawn.start_s == 10 * 86_400


def test_runs_come_in_order_of_their_start() -> None:
    starts = [drawn.start_s for drawn in drawn_runs(SCENARIOS.values(), PORT, 1)]
    assert starts == sorted(starts)
    assert len(starts) == len(SCENARIOS)


def test_turns_differ_from_run_to_run() -> None:
    assert turns(0) != turns(1)
    assert len(set(turns(3))) == len(turns(3))


def test_congested_are_all_that_watch_a_congested_place() -> None:
    found = congested(ground(100.0, 200.0, "W01-W02"), WATCH)
    assert ("W02-F1", 100.0, 200.0) in found
    assert ("W01-W03", 100.0, 200.0) in found
    assert not any(subject == "W03-F1" for subject, _, _ in found)


def test_an_unknown_scenario_is_refused_with_those_that_exist() -> None:
    assert list(chosen(SCENARIOS, ["quiet-sunday"])) == ["quiet-sunday"]
    assert chosen(SCENARIOS, []) == SCENARIOS
    with pytest.raises(UnknownScenarioError, match="no scenario 'monday'; there are accident-rn568"):
        chosen(SCENARIOS, ["monday"])
