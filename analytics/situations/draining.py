"""When the queue of a gate will have drained: a fluid queue from now on.

q' = a(t) - s(t) (Newell, Applications of Queueing Theory, 1982), as `analytics.gate_outlook` has it for terminals with
bookings; here for any gates that count, and only to find the end. What comes is what usually comes at that hour, times
what came lately over what usually does, which decays. Lanes that do not serve though lorries wait come back after
`LASTS_S` in all, or a third of how long it has lasted.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from analytics.gate_outlook import HAMPERED_LANE, LASTS_ON, LASTS_S
from analytics.situations.gates import GateState, gate_state
from analytics.situations.ground import GateSite
from analytics.situations.sight import Sight
from sensors.rule import Limits

MINUTE_US = 60 * 1_000_000

STEP_MIN, AHEAD_MIN = 5, 720
"""Minutes of a step, and how far it is looked ahead: half a day, in which every gate closes once."""

KEPT = 0.89
"""Share of an excess that is left after a step: half after half an hour (k). Smaller: a surge is always about to end;
larger: a handful of lorries too many is believed for hours."""

LONG_S = 1800.0
"""Wait from which a gate is congested where its kind does not tell (domain section 4)."""


def drained_us(site: GateSite, gates: Sequence[int], onset_us: int, sight: Sight) -> int | None:
    """Return when those who come no longer wait for long; None where that is not known, or not within half a day."""
    state = gate_state(site, gates, sight)
    if not (state.queue > 0 and state.service_s > 0):
        return None
    limit_h = _limit_s(gates, sight) / 3600
    able_h, now_h = (lanes * 3600 / state.service_s for lanes in (state.lanes, _serving(state)))
    back_min = _back_min((sight.at_us - onset_us) / 1e6) if _hampered(state) else 0.0
    queue = state.queue
    for minute in range(0, AHEAD_MIN, STEP_MIN):
        served_h = now_h if minute < back_min else able_h
        if served_h > 0 and queue < limit_h * served_h and minute >= back_min:
            return sight.at_us + minute * MINUTE_US
        come_h = _arrivals_h(gates, state, sight, minute)
        queue = max(queue + (come_h - served_h) * STEP_MIN / 60, 0.0)
    return None


def _serving(state: GateState) -> float:
    """Return the lanes that serve: all of them where the queue has them opened, or where that is not told."""
    return state.lanes_open if _hampered(state) else state.lanes


def _hampered(state: GateState) -> bool:
    return state.lanes_open < state.lanes and state.queue > HAMPERED_LANE * state.lanes_open


def _back_min(lasted_s: float) -> float:
    return max(LASTS_S - lasted_s, LASTS_ON * lasted_s) / 60


def _arrivals_h(gates: Sequence[int], state: GateState, sight: Sight, minute: int) -> float:
    came = 0.0 if isnan(state.arrivals_h) else state.arrivals_h
    usual = sum((_usual_h(gate, sight, minute) for gate in gates), start=0.0)
    if isnan(usual) or isnan(state.arrivals_usual_h):
        return came
    excess, kept = came / max(state.arrivals_usual_h, 1.0) - 1, float(KEPT ** (minute / STEP_MIN))
    return max(usual * (1 + excess * kept), 0.0)


def _usual_h(gate: int, sight: Sight, minute: int) -> float:
    thing = sight.things[gate]
    usual = sight.habits.at(thing.id, "arrivals", sight.at_us + minute * MINUTE_US)
    return usual * 3600 / thing.period_s


def _limit_s(gates: Sequence[int], sight: Sight) -> float:
    for gate in gates:
        thing = sight.things[gate]
        if thing.limits is not None:
            return thing.limits[1]
        if isinstance(thing.kind.level, Limits):
            return thing.kind.level.congested
    return LONG_S
