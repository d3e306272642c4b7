"""Why lorries wait at a gate: fewer lanes serve, each serves slower because the yard is full, or more lorries come.

Domain section 4: service rate down is an outage; service normal and arrivals above usual is a surge; yard above 85 %
and slower service is a saturated yard. Compared with this hour of other weeks (`habits`); without that, with what is
installed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt

from analytics.situations.cause import Cause, Hint, weighed
from analytics.situations.ground import GateSite
from analytics.situations.sight import Sight, ramp, ratio, total

LOADED_PER_LANE = 2.5
"""Lorries a lane from which a gate's queue reaches the road: about three stand off it. Lower: a handful of lorries is
blamed for the road behind; higher: the queue that already stands there is not."""

LANES_SHORT, LANES_GONE = 0.75, 0.4
"""Share of the lanes that should serve: from the first down an outage is suspected, at the second it is sure. A queue
of three a lane opens one lane more than usual, so a healthy gate is at one or above."""

SLOW_FROM, SLOW_SURE = 1.25, 1.8
"""Service time over usual; at a yard of 95 % it is 1.4."""

MORE_FROM, MORE_SURE = 1.2, 1.6
"""Arrivals over usual. Hours of the same weekday differ by 15 % (the ordinary port)."""

NOISE_FROM, NOISE_SURE = 2.0, 3.2
"""By how many standard deviations of a count (Poisson) the lorries of half an hour are more than usual: a gate of two
lanes where 13 come as a rule sees 21 once in forty half-hours without any reason. Lower: small gates have surges every
day; higher: the surge of a small gate is named late."""

FULL_FROM, FULL_SURE = 0.80, 0.86
"""Share of the yard: each move costs more from 80 %, gates slow down from 85 % (domain section 4)."""


@dataclass(frozen=True, slots=True)
class GateState:
    """Some gates of a site together. Rates an hour; NaN where unknown."""

    queue: float
    queue_m: float
    lanes_open: float
    lanes: int
    lanes_usual: float
    service_s: float
    service_usual_s: float
    arrivals_h: float
    arrivals_usual_h: float
    departures_h: float
    yard_share: float

    @property
    def loaded(self) -> bool:
        return self.queue >= LOADED_PER_LANE * self.lanes

    @property
    def lanes_ratio(self) -> float:
        """Return the lanes that serve over those that should while there is a queue."""
        usual = self.lanes if isnan(self.lanes_usual) else min(self.lanes, max(self.lanes_usual, 1.0))
        return ratio(self.lanes_open, usual)


def gate_state(site: GateSite, gates: Collection[int], sight: Sight, *, before: float = 0.0) -> GateState:
    """Look at these gates of a site now; arrivals are those of half an hour until `before` minutes ago."""
    some = sorted(gates)
    return GateState(
        queue=total(sight.now(gate, "queue_trucks") for gate in some),
        queue_m=total(sight.now(gate, "queue_m") for gate in some),
        lanes_open=total(sight.now(gate, "lanes_open") for gate in some),
        lanes=sum(site.lanes[gate] for gate in some),
        lanes_usual=total(sight.usual(gate, "lanes_open") for gate in some),
        service_s=_mean([sight.now(gate, "service_s") for gate in some]),
        service_usual_s=_mean([sight.usual(gate, "service_s") for gate in some]),
        arrivals_h=total(sight.hourly(gate, "arrivals", 30, before=before) for gate in some),
        arrivals_usual_h=total(sight.usual_hourly(gate, "arrivals", before=before) for gate in some),
        departures_h=total(sight.hourly(gate, "departures", 15) for gate in some),
        yard_share=yard_share(site.yards, sight),
    )


def yard_share(yards: Sequence[int], sight: Sight) -> float:
    """Return how full the blocks are together."""
    used = total(sight.now(yard, "teu_used") for yard in yards)
    return ratio(used, total(sight.now(yard, "teu_capacity") for yard in yards))


def gate_hints(state: GateState) -> list[Hint]:
    """Weigh what speaks for each cause."""
    outage = ramp(state.lanes_ratio, LANES_SHORT, LANES_GONE)
    slower = ratio(state.service_s, state.service_usual_s)
    full = ramp(state.yard_share, FULL_FROM, FULL_SURE)
    slow = ramp(slower, SLOW_FROM, SLOW_SURE) * (1 - full)
    more = ratio(state.arrivals_h, state.arrivals_usual_h)
    surge = ramp(more, MORE_FROM, MORE_SURE) * ramp(_deviations(state), NOISE_FROM, NOISE_SURE) * (1 - outage)
    lanes = {"lanes_open": state.lanes_open, "lanes_usual": state.lanes_usual, "lanes": state.lanes}
    return [
        weighed(Cause.GATE_OUTAGE, 0.97 * max(outage, slow), queue_trucks=state.queue, service_ratio=slower, **lanes),
        weighed(Cause.SURGE, 0.92 * surge, arrivals_h=state.arrivals_h, arrivals_usual_h=state.arrivals_usual_h),
        weighed(Cause.YARD_SATURATED, 0.9 * full * (1 - outage), yard_share=state.yard_share, service_ratio=slower),
    ]


def _deviations(state: GateState) -> float:
    """Return how far arrivals are from usual, in standard deviations of the count of half an hour."""
    usual = state.arrivals_usual_h / 2
    return (state.arrivals_h / 2 - usual) / sqrt(max(usual, 1.0))


def _mean(numbers: list[float]) -> float:
    known = [number for number in numbers if not isnan(number)]
    return sum(known) / len(known) if known else nan
