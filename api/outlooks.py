"""From what the store knows of a terminal to what is expected of its gates. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from math import nan

from analytics.gate_history import GateRow, PassageRow, terminal_now
from analytics.gate_outlook import HORIZON_S, HOUR_S, INSIDE_S, Expected, GateNow, hampered, outlook
from analytics.turns import quantiles
from api.models.outlook import BookedHour, GateAhead, TerminalAhead, WaitHour, WaitStep
from sensors.catalogue import Sensor, Terminal
from store.appointments import Booked
from store.gates import GateReading, Passed
from store.turns import TurnHour


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a terminal: the last hours of its gates, its plan, and the turns of the last week."""

    gates: Sequence[Sensor]
    readings: Sequence[GateReading]
    passed: Sequence[Passed]
    booked: Sequence[Booked]
    turns: Sequence[TurnHour]


def terminal_ahead(terminal: Terminal, known: Known) -> TerminalAhead:
    """Foretell the gates as of their newest reading."""
    booked = {int(hour.hour.timestamp()): hour.booked for hour in known.booked}
    rows = [_row(reading) for reading in known.readings]
    passed = [PassageRow(each.time.timestamp(), each.sensor, each.direction) for each in known.passed]
    now = terminal_now(known.gates, rows, passed, booked, inside_s=_inside_s(known.turns))
    steps = outlook(now) if now else {}
    present = {gate.id: gate for gate in now.gates} if now else {}
    return TerminalAhead(
        terminal=terminal.code,
        at=_instant(now.at_s) if now else None,
        plan=list(_plan(now.at_s, booked)) if now else [],
        gates=[_ahead(gate, present.get(gate.id), steps.get(gate.id, [])) for gate in known.gates],
    )


def _row(reading: GateReading) -> GateRow:
    told = (reading.queue_trucks, reading.lanes_open, reading.service_s, reading.arrivals, reading.departures)
    return GateRow(reading.sensor, reading.time.timestamp(), *(nan if value is None else value for value in told))


def _inside_s(turns: Sequence[TurnHour]) -> float:
    """The median turn; the few minutes at an exit are in it, which delays what is foretold by as much."""
    found = quantiles(turn_s for hour in turns for turn_s in hour.turns_s).p50_s
    return found or INSIDE_S


def _plan(at_s: float, booked: dict[int, int]) -> Iterator[BookedHour]:
    first = int(at_s // HOUR_S) * HOUR_S
    for hour_s in range(first, int(at_s) + HORIZON_S, HOUR_S):
        yield BookedHour(hour=_instant(hour_s), booked=booked.get(hour_s))


def _ahead(gate: Sensor, now: GateNow | None, steps: Sequence[Expected]) -> GateAhead:
    by_hour = groupby(steps, key=lambda step: step.at_s // HOUR_S * HOUR_S)
    return GateAhead(
        gate=gate.id,
        direction=gate.direction,
        hampered=hampered(now) if now else None,
        hours=[_hour(hour_s, list(group)) for hour_s, group in by_hour],
        steps=[_step(step) for step in steps],
    )


def _hour(hour_s: float, steps: Sequence[Expected]) -> WaitHour:
    return WaitHour(
        hour=_instant(hour_s),
        wait_s=round(sum(step.wait_s for step in steps) / len(steps), 1),
        low_s=round(min(step.low_s for step in steps), 1),
        high_s=round(max(step.high_s for step in steps), 1),
    )


def _step(step: Expected) -> WaitStep:
    return WaitStep(
        time=_instant(step.at_s),
        wait_s=round(step.wait_s, 1),
        low_s=round(step.low_s, 1),
        high_s=round(step.high_s, 1),
        queue_trucks=round(step.queue, 1),
    )


def _instant(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
