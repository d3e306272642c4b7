"""How far a queue will grow: from a gate onto the road before it, along a road to the next junction, and when.

A gate's queue is measured, in metres: it has reached the road when the longest fills what its access stores, and goes
on growing as it did. On a road the tail is a shock wave (Lighthill and Whitham, Proc. Royal Society A 229, 1955): what
comes minus what leaves, over the difference of densities, by the triangular diagram of domain section 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, isnan, nan

from analytics.situations.gates import gate_state
from analytics.situations.ground import GateSite, Ground
from analytics.situations.means import BIN_US
from analytics.situations.places import ROAD
from analytics.situations.sight import MINUTE_US, Sight, ratio, total
from analytics.situations.situation import Situation, Spillback, State
from sensors.catalogue import Section

FULL = 0.98
"""Share of its access from which a gate's queue has reached the road: a lorry is 3 % of the shortest."""

GROWTH_MIN = 10.0
"""Minutes over which the growth of a gate's queue is measured. Shorter: single lorries; longer: growth of before an
outage."""

SLOWS_US = 5 * MINUTE_US
"""From a full access to a road that is congested as a section: 5.5, 7.5 and 5.5 min in three simulated outages. Less:
the road is said to be reached too early; more: the warning is late."""

AHEAD_US = 120 * MINUTE_US
"""How far ahead is told. Longer: no queue grows evenly for hours."""

CAPACITY_VEH_H = 2000.0
"""Of a lane (domain section 2)."""

CARS_KM, LORRIES_KM = 120.0, 70.0
"""Vehicles that stand on a kilometre of a lane (domain section 2)."""

CREEP_KMH = 0.5
"""Speed of a tail under which a queue stands still for what is told. Lower: times that no flow is measured well enough
for."""


def spillback(situation: Situation, ground: Ground, sight: Sight) -> Spillback | None:
    """Return what a queue reaches next; None where it does not grow, and for what has no road to grow onto."""
    if situation.state is not State.OPEN:
        return None
    if situation.kind == "gate" and situation.head in ground.gates:
        return _of_gate(ground.gates[situation.head], ground, sight)
    if situation.kind == ROAD and situation.tail in ground.sections and (ROAD, situation.head) in ground.graph.index:
        return _of_road(situation, ground, sight)
    return None


def _of_gate(site: GateSite, ground: Ground, sight: Sight) -> Spillback | None:
    """Take the gate whose queue fills its access first."""
    leads = [ground.sections[name] for name in site.leads]
    towards = _busiest({up for lead in leads for up in ground.into(lead.id)}, ground, sight)
    gates = [gate for gate in site.entries if site.stores.get(gate, 0.0) > 0]
    if towards is None or not gates or not gate_state(site, site.entries, sight).loaded:
        return None
    reached = ground.sections[ground.graph.places[towards].id].to_site
    fill = {gate: ratio(sight.now(gate, "queue_m"), site.stores[gate]) for gate in gates}
    first = max(gates, key=lambda gate: (0.0 if isnan(fill[gate]) else fill[gate], -gate))
    full = fill[first] >= FULL
    due = [us for gate in gates if (us := _full_us(gate, site.stores[gate], sight)) is not None]
    if not full and not due:
        return None
    return Spillback(
        towards=ground.graph.places[towards].id,
        site=reached,
        storage_m=site.stores[first],
        filled=round(min(fill[first], 1.0), 2),
        reaches_us=None if full else min(due) + SLOWS_US,
    )


def _full_us(gate: int, storage_m: float, sight: Sight) -> int | None:
    """Return when the queue of a gate fills its access if it grows on as it did."""
    now_m, was_m = sight.now(gate, "queue_m"), sight.mean(gate, "queue_m", 0, before=GROWTH_MIN)
    then_us = (sight.at_us - round(GROWTH_MIN * MINUTE_US)) // BIN_US * BIN_US + BIN_US // 2
    rate = (now_m - was_m) / (sight.at_us - then_us)
    if not rate > 0:
        return None
    left_us = (storage_m - now_m) / rate
    return sight.at_us + round(left_us) if 0 <= left_us <= AHEAD_US else None


def _busiest(places: Iterable[int], ground: Ground, sight: Sight) -> int | None:
    """Return the section onto which the queue grows: one that is congested, else that over which most lorries come."""

    def rank(place: int) -> tuple[bool, float, str]:
        queued = any(sight.settled.seen.alarm[loop] for loop in ground.ends(place, sight))
        return not queued, -_lorries(place, ground, sight), ground.graph.places[place].id

    return min(places, key=rank, default=None)


def _lorries(place: int, ground: Ground, sight: Sight) -> float:
    loops = ground.ends(place, sight)
    known = (sight.usual_lorries_h(loops), sight.lorries_h(loops, 40))
    return next((number for number in known if not isnan(number)), 0.0)


def _of_road(situation: Situation, ground: Ground, sight: Sight) -> Spillback | None:
    """Let the tail run on over the last section that it has entered."""
    tail = ground.sections[situation.tail]
    place = ground.graph.index[ROAD, tail.id]
    since_us = _since_us(situation, place, ground, sight)
    speed_kmh = _tail_kmh(situation.head, place, tail, ground, sight)
    if since_us is None or not speed_kmh >= CREEP_KMH:
        return None
    reaches_us = since_us + round(tail.length_km / speed_kmh * 60 * MINUTE_US)
    above = _busiest(ground.graph.up.at(place), ground, sight)
    if reaches_us > sight.at_us + AHEAD_US:
        return None
    return Spillback(
        towards=None if above is None else ground.graph.places[above].id,
        site=tail.from_site,
        storage_m=tail.storage_m,
        filled=round(min((sight.at_us - since_us) / (reaches_us - since_us), 1.0), 2),
        reaches_us=max(reaches_us, sight.at_us),
    )


def _since_us(situation: Situation, place: int, ground: Ground, sight: Sight) -> int | None:
    """Return since when the end of the tail's section is congested; None while only its beginning is."""
    loops = {sight.things[t].id for t in ground.ends(place, sight)}
    return min((span.from_us for span in situation.spans if span.sensor in loops and span.to_us is None), default=None)


def _tail_kmh(head: str, place: int, tail: Section, ground: Ground, sight: Sight) -> float:
    """Return the speed of the tail against the traffic; NaN where a flow is not known."""
    above = [loop for up in ground.graph.up.at(place) for loop in ground.ends(up, sight) if sight.free(loop)]
    leaving = _flow(ground.ends(ground.graph.index[ROAD, head], sight), ground, sight)
    coming = _flow(above, ground, sight) * _stays(above, ground.ends(place, sight), sight)
    share = total(sight.mean(t, "hgv_share", 40) for t in above) / max(len(above), 1)
    jam = tail.lanes / ((1 - share) / CARS_KM + share / LORRIES_KM)
    wave_kmh = tail.lanes * CAPACITY_VEH_H / (jam - tail.lanes * CAPACITY_VEH_H / tail.free_speed_kmh)
    queued, between = jam - leaving / wave_kmh, coming / tail.free_speed_kmh
    return (coming - leaving) / (queued - between) if queued > between else nan


def _stays(above: list[int], ends: list[int], sight: Sight) -> float:
    """Return which share of what comes goes on into the tail's section, as usual; all where that is not known."""
    share = ratio(*(total(sight.usual(t, "flow_veh_h") for t in loops) for loops in (ends, above)))
    return min(share, 1.0) if isfinite(share) else 1.0


def _flow(loops: list[int], ground: Ground, sight: Sight) -> float:
    """Return the flow past a station: a loop alone counts one of its lanes."""
    if not loops:
        return nan
    section = ground.sections.get(ground.graph.places[int(ground.graph.place[loops[0]])].id)
    lanes = max(section.lanes if section else 1, 1)
    return total(sight.mean(t, "flow_veh_h", 10) for t in loops) * max(lanes / len(loops), 1.0)
