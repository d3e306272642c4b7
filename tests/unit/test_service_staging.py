from __future__ import annotations

import argparse
import math
from pathlib import Path

import pytest

from sensors.catalogue import shipped_catalogue
from sensors.errors import OperatorError
from sensors.fault import Fault
from service.arguments import build_parser
from service.staging import Run, Stage, arguments_of, check_words, parse_fault, require_senders, resolve, stage_of
from simulators.faults.injection import Injection
from simulators.scenario import load_scenarios

SCENARIOS = load_scenarios()
CATALOGUE = shipped_catalogue()
NOW = 1_772_435_000.7
HOUR = 3600.0


def asked(line: str) -> argparse.Namespace:
    return build_parser().parse_args(line.split())


def resolved(line: str, seed: int = 3) -> Run:
    return resolve(stage_of(asked(line)), SCENARIOS, CATALOGUE, seed=seed, now_s=NOW)


@pytest.mark.parametrize(
    ("told", "injection"),
    [
        ("stuck:W07-G1", Injection(Fault.STUCK, "W07-G1", 100, 9000)),
        ("stuck:W07-G1:10m:2h", Injection(Fault.STUCK, "W07-G1", 700, 7900)),
        ("silent:W12-W01::90", Injection(Fault.SILENT, "W12-W01", 100, 190)),
        ("site_down:W03:1.5h:1d", Injection(Fault.SITE_DOWN, "W03", 5500, 91_900)),
        ("clock_offset:W02-F1:0s::-7200", Injection(Fault.CLOCK_OFFSET, "W02-F1", 100, 9000, -7200)),
    ],
)
def test_a_fault_is_told_in_one_word(told: str, injection: Injection) -> None:
    assert parse_fault(told, 100, 9000) == injection


def test_a_sentinel_that_json_cannot_carry_can_be_told() -> None:
    assert math.isnan(parse_fault("sentinel:W02-F1:::nan", 0, 1).size or 0)


@pytest.mark.parametrize(
    ("line", "because"),
    [
        ("simulate --scenario monday", r"there is no scenario 'monday'; there are accident-rn568, .*monday-0730"),
        (
            "simulate --fault stukc:W07-G1",
            r"there is no fault 'stukc'; did you mean stuck\?; there are silent, site_down",
        ),
        ("simulate --fault stuck", r"fault 'stuck': expected WHAT:WHERE\[:START\[:DURATION\[:SIZE\]\]\]"),
        ("simulate --fault stuck:W07-G1:soon", r"'soon' is no time; expected seconds, or a number with s, m, h or d"),
        ("simulate --fault drift:W07-G1:::big", r"the size 'big' is no number"),
        ("simulate --fault stuck:W99-F1", r"stuck at 'W99-F1': there is no sensor 'W99-F1'; there are 104, such as W"),
        ("simulate --fault lane_swapped:W06-Y1", r"'W06-Y1' is of the kind yard; this fault can befall traffic"),
        (
            "simulate --fault stuck:W07-G1 --fault site_down:W07:1h",
            r"overlap at W07-G1: a sensor has one fault at a time",
        ),
        ("simulate --scenario network-outage-west --fault stuck:W07-G1", r"overlap at W07-G1"),
        ("simulate --speed 4", r"--speed is for a scenario: name one with --scenario"),
        ("simulate --endless", r"--endless is for a scenario"),
        ("simulate --scenario mistral --speed fast", r"--speed fast: expected a number above 0, or max"),
        ("simulate --scenario mistral --speed 0", r"--speed 0: expected a number above 0, or max"),
        ("simulate --scenario mistral --speed 2 --endless", r"leave --speed out"),
        ("simulate --truth /nowhere/truth.jsonl", r"there is no folder /nowhere"),
        ("up --no-simulators --scenario mistral", r"leave --no-simulators out"),
    ],
)
def test_what_cannot_be_played_is_one_line_that_says_what_can(line: str, because: str) -> None:
    with pytest.raises(OperatorError, match=because) as caught:
        resolved(line)
    assert "\n" not in str(caught.value)


def test_words_are_checked_before_there_is_a_catalogue() -> None:
    with pytest.raises(OperatorError, match="there is no scenario 'x'"):
        check_words(Stage(scenario="x"), SCENARIOS)
    with pytest.raises(OperatorError, match="there is no fault 'x'"):
        check_words(Stage(faults=("x:W07-G1",)), SCENARIOS)
    check_words(Stage(scenario="mistral", faults=("stuck:W99-F9",)), SCENARIOS)


@pytest.mark.parametrize(
    ("fault", "only", "refused"),
    [
        ("silent:W12-F1", {"W12-F1"}, False),
        ("silent:W12-F1", {"W12-F2"}, True),
        ("lane_swapped:W12-F1", {"W12-F1"}, True),
        ("lane_swapped:W12-F1", {"W12-F1", "W12-F2"}, False),
        ("identity_swapped:W12-F1", {"W12-F1"}, False),
        ("site_down:W12", {"W12-F1"}, False),
        ("site_down:W12", {"W01-F1"}, True),
    ],
)
def test_a_fault_of_what_does_not_send_is_refused(fault: str, only: set[str], refused: bool) -> None:  # noqa: FBT001
    stage = Stage(faults=(fault,))
    run = resolve(stage, SCENARIOS, CATALOGUE, seed=1, now_s=NOW)
    if not refused:
        require_senders(run, stage, only, CATALOGUE)
        return
    with pytest.raises(OperatorError, match=r"it needs W12-F1.*and --site or --only leaves that out"):
        require_senders(run, stage, only, CATALOGUE)


def test_an_ordinary_port_begins_now_and_has_no_end() -> None:
    run = resolved("simulate --fault stuck:W07-G1:1m:1h")
    assert (run.scenario, run.start_s, run.end_s, run.shift_s) == ("", NOW, math.inf, 0)
    assert run.injections == (Injection(Fault.STUCK, "W07-G1", NOW + 60, NOW + 60 + HOUR),)


@pytest.mark.parametrize(("speed", "begins_s"), [("", 0.0), ("--speed 4", 3.75 * HOUR), ("--speed max", 5 * HOUR)])
def test_a_scenario_begins_now_or_so_long_ago_that_it_ends_in_the_present(speed: str, begins_s: float) -> None:
    run = resolved(f"simulate --scenario monday-0730 {speed}")
    assert run.end_s - run.start_s == 5 * HOUR
    assert run.start_s + run.shift_s == pytest.approx(NOW - begins_s, abs=1)
    assert run.shift_s == int(run.shift_s)


def test_a_seed_draws_the_same_scenario_whenever_it_is_played() -> None:
    one, other = (
        resolve(Stage(scenario="monday-0730"), SCENARIOS, CATALOGUE, seed=3, now_s=now) for now in (NOW, NOW + 99)
    )
    assert one.interventions == other.interventions
    assert one.start_s == other.start_s
    assert resolved("simulate --scenario monday-0730", seed=4).interventions != one.interventions


def test_a_fault_is_added_to_those_of_a_scenario_until_its_end() -> None:
    run = resolved("simulate --scenario network-outage-west --fault silent:E05-F1:1h")
    outage, added = run.injections
    assert outage.what is Fault.NETWORK_DOWN
    assert added == Injection(Fault.SILENT, "E05-F1", run.start_s + HOUR, run.end_s)


def test_up_plays_the_same_without_an_end() -> None:
    line = "up --scenario monday-0730 --seed 3 --fault stuck:W07-G1:10m"
    stage = stage_of(asked(line))
    assert stage == Stage(scenario="monday-0730", faults=("stuck:W07-G1:10m",), endless=True)
    child = stage_of(asked(" ".join(["simulate", *arguments_of(stage)])))
    assert child == stage
    assert resolved(line).end_s == math.inf
    assert stage_of(asked("simulate " + " ".join(arguments_of(stage_of(asked("up")))))) == Stage()


def test_a_truth_can_be_written_beside_anything(tmp_path: Path) -> None:
    assert stage_of(asked(f"simulate --truth {tmp_path}/truth.jsonl")).truth == tmp_path / "truth.jsonl"
