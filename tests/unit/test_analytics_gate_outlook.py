"""The expected wait at gates: what a fluid queue must do, and what it may not claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from analytics.gate_history import GateRow, PassageRow, terminal_now
from analytics.gate_outlook import HORIZON_S, Expected, GateNow, TerminalNow, hampered, hampered_s, outlook
from sensors.catalogue import Sensor

AT = 1_772_434_800.0  # 2026-03-02T07:00Z
HOUR = 3600
ENTRY = GateNow("G1", "in", lanes=4, lanes_open=4, queue=0, service_s=90, served_min=[1.0] * 15)
EXIT = replace(ENTRY, id="G3", direction="out")
BUSY = [80 / 60] * 240
"""Lorries let in by the minute, over the last four hours."""


def terminal(*gates: GateNow, booked: int | None = 80, arrived: float = 77, out: float = 77) -> TerminalNow:
    plan = {} if booked is None else {int(AT) + hour * HOUR: booked for hour in range(-2, 4)}
    return TerminalNow(AT, gates, plan, BUSY, arrived, out)


def at(steps: Sequence[Expected], minutes: int) -> Expected:
    return next(step for step in steps if step.at_s == AT + minutes * 60)


def test_a_gate_that_serves_more_than_comes_has_no_wait() -> None:
    steps = outlook(terminal(ENTRY))["G1"]
    assert [step.at_s - AT for step in steps] == list(range(900, HORIZON_S + 1, 900))
    assert all(step.wait_s == 0 and step.queue == 0 for step in steps)


def test_a_queue_dissolves_at_the_rate_of_service_less_arrivals() -> None:
    steps = outlook(terminal(replace(ENTRY, queue=60)))["G1"]
    # 160 an hour are served and 77 come: 60 lorries are gone after 43 minutes.
    assert at(steps, 30).queue == pytest.approx(60 - 0.5 * (160 - 77.2), abs=1.5)
    assert at(steps, 45).queue == 0


def test_more_bookings_than_can_be_served_queue_up() -> None:
    steps = outlook(terminal(ENTRY, booked=240, arrived=232))["G1"]
    hour = at(steps, 60)
    assert hour.queue == pytest.approx(240 * 0.965 - 160, abs=3)
    assert hour.wait_s == pytest.approx(hour.queue / 160 * HOUR, rel=0.05)
    assert hour.low_s < hour.wait_s < hour.high_s


def test_bookings_of_the_next_hour_come_in_it() -> None:
    plan = {int(AT) - HOUR: 80, int(AT): 80, int(AT) + HOUR: 300}
    steps = outlook(replace(terminal(ENTRY), booked=plan))["G1"]
    assert at(steps, 60).queue == 0
    assert at(steps, 120).queue == pytest.approx(300 * 0.965 - 160, rel=0.1)


def test_a_plan_that_nobody_keeps_loses_its_weight() -> None:
    kept, more = (at(outlook(terminal(ENTRY, arrived=came))["G1"], 60).queue for came in (77.0, 230.0))
    assert kept == 0
    assert more > 10


def test_without_a_plan_it_goes_on_as_in_the_last_hour() -> None:
    steps = outlook(terminal(ENTRY, booked=None, arrived=200))["G1"]
    assert at(steps, 60).queue == pytest.approx(200 - 160, abs=2)


def test_lorries_go_where_the_fewest_wait_a_lane() -> None:
    other = replace(ENTRY, id="G2", lanes=2, lanes_open=2, queue=30)
    steps = outlook(terminal(ENTRY, other, booked=400, arrived=386))
    queues = at(steps["G1"], 60).queue / 4, at(steps["G2"], 60).queue / 2
    assert queues[0] == pytest.approx(queues[1], abs=0.5)


def test_no_more_stand_before_a_gate_than_its_road_holds() -> None:
    gate = replace(ENTRY, storage_m=690.0)
    steps = outlook(terminal(gate, booked=1000, arrived=965))["G1"]
    assert max(step.queue for step in steps) <= 690 / 18.5 + 3 * 4


def test_a_gate_that_is_shut_waits_longer_until_it_opens_again() -> None:
    shut = replace(ENTRY, lanes_open=0, queue=20, served_min=[0.0] * 15, hampered_s=600)
    steps = outlook(terminal(shut))["G1"]
    assert hampered(shut)
    assert at(steps, 45).wait_s > at(steps, 15).wait_s > 20 * 90
    assert at(steps, 75).queue < at(steps, 45).queue


def test_an_outage_that_has_lasted_is_expected_to_last_on() -> None:
    young, old = (replace(ENTRY, lanes_open=0, queue=20, hampered_s=age_s) for age_s in (600.0, 4 * 3600.0))
    queues = [at(outlook(terminal(gate))["G1"], 75).queue for gate in (young, old)]
    assert queues[0] < queues[1]


def test_the_range_of_a_shut_gate_holds_that_it_opens_soon_and_that_it_stays_shut() -> None:
    shut = replace(ENTRY, lanes_open=0, queue=40, served_min=[0.0] * 15, hampered_s=1800)
    hour = at(outlook(terminal(shut))["G1"], 60)
    assert hour.low_s == 0
    assert hour.high_s > 2 * 3600


def test_who_was_let_in_comes_to_the_exit_a_turn_later() -> None:
    busy = replace(terminal(EXIT, out=0), entered_min=[0.0] * 235 + [32.0] * 5)
    steps = outlook(busy)["G3"]
    assert at(steps, 15).queue == 0
    assert max(steps, key=lambda step: step.queue).at_s - AT in (30 * 60, 45 * 60)


def test_turns_that_take_longer_send_fewer_to_the_exit() -> None:
    let_in = [4.0] * 240
    usual, slow = (
        at(outlook(replace(terminal(EXIT, out=out), entered_min=let_in))["G3"], 15).queue for out in (240.0, 150.0)
    )
    assert slow < usual / 3


def test_the_same_terminal_gives_the_same_outlook() -> None:
    gates = (replace(ENTRY, queue=30), EXIT)
    assert outlook(terminal(*gates)) == outlook(terminal(*gates))


def test_a_terminal_without_gates_has_none() -> None:
    assert outlook(terminal()) == {}


def test_since_when_a_gate_is_hampered() -> None:
    times = np.arange(10) * 30.0
    lanes = np.array([2, 2, 2, 0, 0, 0, 0, 0, 0, 0.0])
    assert hampered_s(times, np.arange(10.0), lanes, 4) == 210
    assert hampered_s(times, np.arange(10.0) * 3, np.full(10, 2.0), 4) == 240


def rows(gate: str, count: int, **told: float) -> list[GateRow]:
    base = {"queue": 3.0, "lanes_open": 2.0, "service_s": 80.0, "arrivals": 1.0, "departures": 0.5}
    return [GateRow(gate, AT - 30 * n, **{**base, **told}) for n in reversed(range(count))]


def test_a_terminal_is_gathered_from_its_readings_and_passages() -> None:
    gates = [Sensor(id="G1", site="W", kind="gate", direction="in", lanes=4), Sensor(id="G4", site="W", kind="gate")]
    passed = [PassageRow(AT - 60 * n - 1, "G4", way) for n in range(90) for way in ("in", "out")]
    now = terminal_now(gates, sorted(rows("G1", 240) + rows("G4", 240), key=lambda row: row.at_s), passed, {})
    assert now is not None
    entry, both = now.gates
    assert (entry.direction, entry.lanes, entry.queue, entry.service_s) == ("in", 4, 3.0, 80.0)
    assert (both.direction, both.lanes) == (None, 2)
    assert entry.served_min == [1.0] * 15
    assert (now.arrived_hour, now.out_hour) == (120 + 60, 60)
    assert (len(now.entered_min), sum(now.entered_min)) == (240, 90)


@pytest.mark.parametrize(
    "told",
    [rows("G1", 1)[:0], [row._replace(at_s=row.at_s - 400) for row in rows("G1", 9)], rows("G1", 9, queue=np.nan)],
    ids=["no readings", "old readings", "no queue"],
)
def test_a_gate_that_does_not_tell_how_it_is_is_left_out(told: list[GateRow]) -> None:
    gates = [Sensor(id="G1", site="W", kind="gate", direction="in"), Sensor(id="G2", site="W", kind="gate")]
    now = terminal_now(gates, told + rows("G2", 1), [], {})
    assert now is not None
    assert [gate.id for gate in now.gates] == ["G2"]
    assert terminal_now(gates, [], [], {}) is None
