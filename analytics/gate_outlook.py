"""Expected wait at the gates of a terminal over the next two hours: a fluid queue from bookings, queue and service.

The queue of each gate changes by what comes less what is served, q' = a(t) - min(a(t) + q, s(t)) (Newell, Applications
of Queueing Theory, 1982), in steps of a minute.

- **Who comes to an entry**: the bookings of the hour, less who does not come, times what came in the last hour over
  what was booked in it, which is weighed against `PRIOR` lorries: a plan that nobody keeps loses its weight. Hours
  without a plan go on as the last hour. Lorries go where the fewest wait a lane. No more stand before a gate than its
  road holds; the others wait upstream.
- **Who comes to an exit**: who was let in, after the time that turns take (log-normal around `inside_s`), times what
  came to the exits in the last hour over what should have: turns grow longer when a yard fills.
- **Service**: all lanes of a gate at its present time a lorry. A gate whose queue asks for more lanes than are open is
  hampered: it serves as it does now until `LASTS_S` after that began, or a third longer than so far, then with all.
- **Wait**: the queue over the served rate of the last 15 minutes, at least `ABLE` of what the open lanes can do: what a
  gate's sensor reports as its wait.

The range is what two other courses give, one with a gate that recovers at once and fewer lorries, one with a gate that
stays hampered and more of them, and a margin for what is random. A gate that works may break down: that is in no range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP_S = 60
HORIZON_S = 7200
REPORT_S = 900
HOUR_S = 3600

COME = 0.965
"""Share of the booked that come (domain: no-shows fell to 3.5 % when they began to cost money)."""

PRIOR = 40.0
"""Lorries that weigh for the plan against what came (chosen on scenarios, docs/terminals.md). Lower: chance
counts as a change of plan; higher: a surge that nobody booked is believed an hour late."""

PRIOR_OUT = 10.0
"""The same for turns, which are sure to end: fewer, because what was let in is no plan but counted."""

LASTS_S = 3600.0
"""Seconds that a gate is expected to be hampered in all (k; `docs/terminals.md` has the errors). Lower: an outage is
always about to end; higher: waits are foretold that its end makes untrue."""

LASTS_ON = 1 / 3
"""Share of its age that an outage is expected to go on, whatever it was expected to last: old ones last."""

HAMPERED_LANE = 3.0
"""Lorries a lane, of all lanes, from which a gate would have opened them all (as many have room before a gate). Lower:
a busy gate is taken for a broken one; higher: an outage is noticed later."""

INSIDE_S, SPREAD = 1800.0, 0.35
"""Median seconds inside a terminal (domain: 30 min turn time wanted) and spread of their logarithm (k)."""

ABLE = 0.7
"""Of what its lanes could serve, a gate is expected to do at least this: without, a short queue that is served slowly
because few come would look like a long wait."""

LORRY_M = 18.5
"""Road that one waiting lorry takes, 18 to 20 m (domain section 2)."""

VARIES = 0.15
"""Share by which more or fewer lorries come than expected, in the courses of the range."""

MARGIN_S, MARGIN = 120.0, 0.25
"""Seconds, and share of the expected wait, beside the courses of the range (own measurement, `docs/terminals.md`)."""

SERVED_MIN = 15
"""Minutes over which a gate's served rate is taken (domain section 4)."""

_EXPECTED = 0
"""The first of the three courses; the others are sooner and later."""


@dataclass(frozen=True, slots=True)
class GateNow:
    """A gate as it is: lanes in all and open, lorries that wait, seconds a lorry and lane, lorries a minute of late.

    served_min: those served in each of the last 15 minutes, oldest first. hampered_s: for how long its queue has asked
    for lanes that are not open. storage_m: road that its queue may fill.
    """

    id: str
    direction: Literal["in", "out"] | None
    lanes: int
    lanes_open: float
    queue: float
    service_s: float
    served_min: Sequence[float]
    hampered_s: float = 0.0
    storage_m: float | None = None


@dataclass(frozen=True, slots=True)
class TerminalNow:
    """A terminal as it is at `at_s` (Unix seconds).

    booked: by the hour's beginning (Unix seconds); hours without an entry have no plan. entered_min: lorries let in,
    each of the last minutes up to now, oldest first, four hours of them or what is known. arrived_hour: lorries that
    came to the entries in the last hour, and out_hour to the exits.
    """

    at_s: float
    gates: Sequence[GateNow]
    booked: Mapping[int, int]
    entered_min: Sequence[float]
    arrived_hour: float
    out_hour: float
    inside_s: float = INSIDE_S


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a gate at `at_s`: lorries that wait, and the wait with the range it stays in 4 times of 5."""

    at_s: float
    queue: float
    wait_s: float
    low_s: float
    high_s: float


def outlook(now: TerminalNow) -> dict[str, list[Expected]]:
    """Foretell each gate, every quarter of an hour from `at_s` on; deterministic."""
    if not now.gates:
        return {}
    course = _Course(now)
    steps: dict[str, list[Expected]] = {gate.id: [] for gate in now.gates}
    for step in range(1, HORIZON_S // STEP_S + 1):
        course.step(now.at_s + step * STEP_S)
        if step * STEP_S % REPORT_S == 0:
            waits, queues = course.waits(), course.queue[_EXPECTED]
            for place, gate in enumerate(now.gates):
                steps[gate.id].append(_ranged(course.at_s, queues[place], waits[:, place]))
    return steps


def _ranged(at_s: float, queue: float, waits: Floats) -> Expected:
    margin = MARGIN_S + MARGIN * waits[_EXPECTED]
    low, high = max(float(waits.min() - margin), 0.0), float(waits.max() + margin)
    return Expected(at_s, float(queue), float(waits[_EXPECTED]), low, high)


class _Course:
    """The three courses side by side: arrays are V, G (courses, gates) unless said otherwise."""

    def __init__(self, now: TerminalNow) -> None:
        gates = now.gates
        self.at_s, self._now = now.at_s, now
        self._lanes = np.array([gate.lanes for gate in gates], float)
        self._lets_in = np.array([gate.direction != "out" for gate in gates], bool)
        self._lets_out = np.array([gate.direction != "in" for gate in gates], bool)
        self._entering = np.where(self._lets_in & self._lets_out, 0.5, self._lets_in)
        self._service_s = np.array([gate.service_s for gate in gates], float)
        self.queue = np.tile(np.array([gate.queue for gate in gates], float), (3, 1))
        self._upstream = np.zeros(3)
        self._open = np.array([gate.lanes_open for gate in gates], float)
        self._hampered = np.array([hampered(gate) for gate in gates], bool)
        self._recovers_s = now.at_s + np.outer([1.0, 1 / 3, 3.0], [_goes_on(gate.hampered_s) for gate in gates])
        self._come = np.array([1.0, 1 - VARIES, 1 + VARIES])
        self._kept = self._plan_kept()
        self._room = self._storage()
        self._served = [np.tile(minute, (3, 1)) for minute in _served(gates)]
        self._entered = [np.full(3, lorries) for lorries in now.entered_min]
        self._turn = _turn(now.inside_s)
        self._out = self._turns_kept()

    def _plan_kept(self) -> float:
        """What came over what was booked in the last hour; from a gate that is hampered lorries may be kept away."""
        planned = sum(self._planned(self._now.at_s - minute * STEP_S) or 0.0 for minute in range(60))
        kept = (self._now.arrived_hour + PRIOR) / (planned + PRIOR)
        return max(kept, 1.0) if self._hampered[self._lets_in].any() else kept

    def _turns_kept(self) -> float:
        """What came to the exits over what turns of the usual length would have sent there in the last hour."""
        entered, hour = np.array(self._now.entered_min, float), HOUR_S // STEP_S
        if len(entered) <= hour:
            return 1.0
        expected = np.convolve(entered, self._turn)[len(entered) - hour : len(entered)].sum()
        return float((self._now.out_hour + PRIOR_OUT) / (expected + PRIOR_OUT))

    def _planned(self, at_s: float) -> float | None:
        """Lorries of one minute that the plan lets expect."""
        booked = self._now.booked.get(int(at_s // HOUR_S) * HOUR_S)
        return None if booked is None else booked * COME * STEP_S / HOUR_S

    def _storage(self) -> float:
        """Lorries that find room before the entries, with those off the road; no bound where none is known."""
        roads = [gate.storage_m for gate in self._now.gates if gate.direction != "out"]
        if not roads or any(road is None for road in roads):
            return float("inf")
        # The entries of a site share one road.
        road = max(length for length in roads if length is not None)
        return road / LORRY_M + HAMPERED_LANE * float(self._lanes[self._lets_in].sum())

    def step(self, to_s: float) -> None:
        """Go on to `to_s`, one step further."""
        come = self._arrivals()
        able = self._lanes_at(to_s) / self._service_s * STEP_S
        served = np.minimum(self.queue + come, able)
        self.queue = self.queue + come - served
        self._served = [*self._served[1:], served]
        self._entered.append((served * self._entering).sum(axis=1))
        self.at_s = to_s

    def _lanes_at(self, at_s: float) -> Floats:
        still = (at_s <= self._recovers_s) & self._hampered
        return np.where(still, self._open, self._lanes)

    def _arrivals(self) -> Floats:
        planned = self._planned(self.at_s)
        last_hour = self._now.arrived_hour * STEP_S / HOUR_S
        expected = last_hour if planned is None else planned * self._kept
        self._upstream += expected * self._come
        flow = np.clip(self._room - self.queue[:, self._lets_in].sum(axis=1), 0.0, self._upstream)
        self._upstream -= flow
        come = np.zeros_like(self.queue)
        if self._lets_in.any():
            come[:, self._lets_in] = _levelled(self.queue[:, self._lets_in], self._lanes[self._lets_in], flow)
        if self._lets_out.any():
            come[:, self._lets_out] += (self._leaving() / self._lets_out.sum())[:, None]
        return come

    def _leaving(self) -> Floats:
        """V lorries whose turn ends in this step."""
        recent = np.array(self._entered[: -len(self._turn) - 1 : -1]).reshape(-1, 3)
        leaving: Floats = self._turn[: len(recent)] @ recent * self._out
        return leaving

    def waits(self) -> Floats:
        """Wait of each gate in seconds, as its sensor would report it."""
        served = np.sum(self._served, axis=0) / (SERVED_MIN * STEP_S)
        lanes = self._lanes_at(self.at_s)
        needed = np.maximum(np.ceil(served * self._service_s - 1e-9), 1.0)
        used = np.where(self.queue > self._lanes, lanes, np.minimum(lanes, needed))
        rate = np.maximum(served, ABLE * np.maximum(used, 1.0) / self._service_s)
        waits: Floats = self.queue / rate
        return waits


def hampered(gate: GateNow) -> bool:
    """Whether the queue of a gate asks for lanes that are not open."""
    asks = gate.queue > HAMPERED_LANE * gate.lanes or (gate.lanes_open == 0 and gate.queue > gate.lanes)
    return asks and gate.lanes_open < gate.lanes


def hampered_s(at_s: Floats, queue: Floats, lanes_open: Floats, lanes: int) -> float:
    """For how long a gate has been as it is now: as few lanes open, and a queue. Arrays are (n,), oldest first."""
    better = (lanes_open > lanes_open[-1]) | ((lanes_open > 0) & (queue <= lanes))
    last = np.flatnonzero(better)
    return float(at_s[-1] - at_s[last[-1] if len(last) else 0])


def _goes_on(hampered_for_s: float) -> float:
    return max(LASTS_S - hampered_for_s, LASTS_ON * hampered_for_s)


def _served(gates: Sequence[GateNow]) -> Floats:
    """Lorries served in each of the last minutes, (minutes, gates)."""
    told = [[0.0] * SERVED_MIN + list(gate.served_min) for gate in gates]
    return np.array([minutes[-SERVED_MIN:] for minutes in told], float).T


def _levelled(queue: Floats, lanes: Floats, flow: Floats) -> Floats:
    """Share a flow of V lorries so that the fewest wait a lane: water that fills vessels, lowest first. V, entries."""
    height = queue / lanes
    order = np.argsort(height, axis=1, kind="stable")
    sorted_height, width = np.take_along_axis(height, order, 1), lanes[order]
    level = (np.cumsum(sorted_height * width, axis=1) + flow[:, None]) / np.cumsum(width, axis=1)
    above = np.concatenate((sorted_height[:, 1:], np.full((len(queue), 1), np.inf)), axis=1)
    reached = np.take_along_axis(level, np.argmax(level <= above, axis=1)[:, None], 1)
    return np.maximum(reached - height, 0.0) * lanes


def _turn(inside_s: float) -> Floats:
    """Share of the lorries that come to an exit in each minute after they were let in, newest first."""
    normal = NormalDist()
    edges = np.arange(1, 4 * HOUR_S // STEP_S + 1) * STEP_S
    below = [normal.cdf(z) for z in np.log(edges / inside_s) / SPREAD]
    return np.diff(below, prepend=0.0)
