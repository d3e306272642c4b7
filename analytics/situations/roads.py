"""Why a road is congested: what leaves the jam, against what usually passes there at this hour, and against what comes.

In a queue the flow is that of its bottleneck (a jam discharges what its head lets through), so sensors at the end of
the head tell its capacity also when they are jammed themselves. Less than usual while as many come as usual: something
blocks the road. One lane counts nobody and the other everybody: it is closed. As slow as usual at this hour: recurrent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from math import isnan, nan

from analytics.situations.aftermath import Past, wave
from analytics.situations.bans import ban_hint
from analytics.situations.cause import FAINT, SURE, Cause, Hint, rounded, weighed
from analytics.situations.gates import GateState, gate_hints, gate_state
from analytics.situations.ground import Ground
from analytics.situations.lanes import BUSY_VEH_H, OVER_MIN
from analytics.situations.sight import Sight, ramp, ratio, total
from sensors.catalogue import Section

LESS_FROM, LESS_SURE = 0.86, 0.6
"""What leaves, over what usually passes at this hour. Flows of the same hour differ by 5 % from week to week."""

HELD_MIN = 15.0
"""Minutes ago at which less had to leave a jam of the rush, too. Shorter: a loop that has just failed is an accident;
longer: an accident in the rush is told when it is over."""

LOST_FROM, LOST_SURE = 0.86, 0.68
"""The same over what comes in, also against its usual: half an hour of counts is known to 7 %."""

ALONE_FROM, ALONE_SURE = 1.35, 1.6
"""Flow of a single loop over its usual one, over that of its neighbours; two lanes in one double it."""

OUTLASTS_H = 2
"""Hours by which a queue may outlast its rush: what leaves it is then compared with the rush. Fewer: the end of a queue
looks like a closed lane or a wave; more: a lane that is closed after the rush is not found."""

STANDS_PCT, STOOD_VEH_H = 80.0, 60.0
"""Occupancy of vehicles that stand on a loop without passing, where before an hourly flow of so many passed."""

USUAL_FROM, USUAL_SURE = 0.78, 0.62
"""Usual speed over free speed at this hour: congested is under 60 %, and an hour's mean holds free minutes too."""

WITHIN = 0.6
"""Doubt of a closed lane that lies upstream of the head: vehicles that have passed it stand further on. Higher: it is
named for a bottleneck behind it; lower: it is not even listed."""

WAVE_FROM, WAVE_SURE = 1.05, 1.25
"""What comes over the usual in a wave: a queue lets go 1.4 times the usual flow of the day (own measurement). Hours of
the same weekday differ by 5 %. Lower: any jam after an accident is its wave; higher: that of a small one is none."""

LORRIES_FROM, LORRIES_SURE = 1.2, 1.6
"""Lorries an hour over the usual, on the way to a gate where more come than usual."""

FAR = 2
"""Sections from a jam to the gate that its lorries go to."""


def road_hints(
    head: int, places: Collection[int], ground: Ground, sight: Sight, blocked_before: Past | None = None
) -> list[Hint]:
    """Weigh what speaks for each cause of a jam on `places`, which begins at the end of `head`.

    blocked_before: what held back traffic that may come here now.
    """
    ban = ban_hint(head, ground, sight)
    recurrent = _times(_recurrent(head, ground, sight), 1 - ban.confidence)
    if recurrent.confidence >= FAINT:
        recurrent = _times(recurrent, 1 - _held_back(head, places, ground, sight))
    surge = _times(_surge(head, ground, sight), (1 - 0.6 * recurrent.confidence) * (1 - ban.confidence))
    found = [recurrent, ban, *_lanes(head, places, ground, sight), surge]
    queue = _queue(head, ground, sight)
    blocked = [_blocked(head, places, ground, sight), _stands(places, ground, sight)]
    other = max((hint.confidence for hint in (*queue, *found[1:])), default=0.0)
    clear = max(other, recurrent.confidence)
    found += [_times(hint, 1 - clear) for hint in blocked]
    found[0] = _times(recurrent, 1 - max(other, *(hint.confidence for hint in found[-2:])))
    return found + queue + [_times(hint, 1 - clear) for hint in _wave(head, places, ground, sight, blocked_before)]


def _wave(head: int, places: Collection[int], ground: Ground, sight: Sight, past: Past | None) -> list[Hint]:
    """More comes than usual, from where the road was blocked."""
    if past is None:
        return []
    more = max(
        (
            _over_rush(sight.mean(loop, "flow_veh_h", 5), loop, sight)
            for place in (head, *places)
            for loop in ground.ends(place, sight)
        ),
        default=nan,
    )
    return [wave(past, 0.9 * ramp(more, WAVE_FROM, WAVE_SURE), flow_ratio=more)]


def _times(hint: Hint, factor: float) -> Hint:
    """Doubt a hint as far as something else is sure."""
    return Hint(hint.what, round(hint.confidence * factor, 3), hint.evidence)


def _flow_ratio(things: Sequence[int], sight: Sight, minutes: float, *, before: float = 0.0) -> float:
    """Return what passed, until `before` minutes ago, over what usually does; of loops that know both."""
    pairs = [(sight.mean(t, "flow_veh_h", minutes, before=before), sight.usual(t, "flow_veh_h")) for t in things]
    known = [(now, usual) for now, usual in pairs if not isnan(now) and not isnan(usual)]
    return ratio(sum(now for now, _ in known), sum(usual for _, usual in known))


def _comes(places: Collection[int], ground: Ground, sight: Sight) -> float:
    """Return the same of what comes in at the upstream end: loops before it, and at its beginning."""
    inside = set(places)
    above = {up for place in inside for up in ground.graph.up.at(place)} - inside
    loops = [loop for place in sorted(above) for loop in ground.ends(place, sight) if sight.free(loop)]
    there = [t for place in sorted(inside) for t in ground.at.get(place, ())]
    begin = [t for t in there if ground.graph.begins[t] and sight.free(t)]
    return _flow_ratio([*loops, *begin], sight, 30)


def _blocked(head: int, places: Collection[int], ground: Ground, sight: Sight) -> Hint:
    """Less leaves than usual, or than comes in; or far less than the road can, though nothing stands at its end."""
    comes = _comes(places, ground, sight)
    best = Hint(Cause.ACCIDENT, 0.0)
    for leaving in (ground.ends(head, sight), *_ahead(head, ground, sight)):
        out, out_long = _flow_ratio(leaving, sight, 10), _flow_ratio(leaving, sight, 30)
        lost = ramp(ratio(out_long, comes), LOST_FROM, LOST_SURE) * ramp(out, 1.0, LESS_FROM)
        starved = _starved(leaving, sight)
        confidence = max(0.9 * _less(out, comes), 0.9 * lost, 0.8 * ramp(starved, 0.6, 0.4))
        if confidence > best.confidence:
            best = weighed(Cause.ACCIDENT, confidence, out_ratio=out, in_ratio=comes, out_of_most=starved)
    return best


def _less(out: float, comes: float) -> float:
    """Tell how surely less leaves than usual though as many come; where nobody knows how many do, they are as many."""
    return ramp(out, LESS_FROM, LESS_SURE) * (1 - ramp(comes, 0.85, 0.7))


def _held_back(head: int, places: Collection[int], ground: Ground, sight: Sight) -> float:
    """Tell how surely less leaves a jam of the rush, for long, than its bottleneck lets through at this hour.

    A loop that fails counts less for as long as its mean holds readings from before, and then nothing.
    """
    comes = _comes(places, ground, sight)
    found = 0.0
    for leaving in (ground.ends(head, sight), *_ahead(head, ground, sight)):
        counting = [loop for loop in leaving if sight.mean(loop, "flow_veh_h", OVER_MIN) > 0]
        ratios = (_flow_ratio(counting, sight, 10, before=before) for before in (0, HELD_MIN))
        found = max(found, min(_less(out, comes) for out in ratios))
    return found


def _ahead(head: int, ground: Ground, sight: Sight) -> list[list[int]]:
    """Return the loops at the ends of the next sections of the same road, where traffic is free."""
    places, sections = ground.graph.places, ground.sections
    road = _road(places[head].id, sections)
    same = [place for place in ground.graph.down.at(head) if _road(places[place].id, sections) == road]
    return [[loop for loop in ground.ends(place, sight) if sight.free(loop)] for place in same]


def _road(section: str, sections: Mapping[str, Section]) -> str | None:
    return sections[section].road if section in sections else None


def _starved(leaving: Sequence[int], sight: Sight) -> float:
    """Return the flow over the week's highest, of loops that are free behind a jam: a bottleneck lets pass most."""
    if not leaving or not all(sight.free(loop) for loop in leaving):
        return nan
    most = total(sight.habits.most(sight.things[loop].id, "flow_veh_h") for loop in leaving)
    return ratio(total(sight.mean(loop, "flow_veh_h", 10) for loop in leaving), most)


def _stands(places: Collection[int], ground: Ground, sight: Sight) -> Hint:
    """Vehicles stand on loops that they passed before."""
    loops = [t for place in places for t in ground.at.get(place, ()) if sight.things[t].kind.name == "traffic"]
    standing = [
        loop
        for loop in loops
        if sight.now(loop, "occupancy_pct") >= STANDS_PCT
        and sight.now(loop, "flow_veh_h") == 0
        and sight.mean(loop, "flow_veh_h", 40, before=15) >= STOOD_VEH_H
    ]
    return weighed(Cause.ACCIDENT, 0.8 if standing else 0.0, loops_standing=float(len(standing)))


def _lanes(head: int, places: Collection[int], ground: Ground, sight: Sight) -> list[Hint]:
    """Look for a closed lane right behind the head of the jam, and inside it, where it hardly holds up the head."""
    graph, found = ground.graph, []
    near = dict.fromkeys([head, *graph.down.at(head)])
    for place in dict.fromkeys([*near, *places]):
        share = 1.0 if place in near else WITHIN
        loops = sorted(ground.at.get(place, ()), key=lambda t: bool(graph.begins[t]))
        for _, station in groupby(loops, key=lambda t: bool(graph.begins[t])):
            lanes = [t for t in station if sight.things[t].kind.name == "traffic"]
            here = _closed(lanes, ground.closed, sight) if len(lanes) > 1 else []
            here += [_alone(lanes[0], place, ground, sight)] if set(lanes) & set(ground.lanes.single) else []
            found += [_times(hint, share) for hint in here]
    return found


def _closed(lanes: Sequence[int], closed: Collection[int], sight: Sight) -> list[Hint]:
    empty = [lane for lane in lanes if lane in closed]
    if not empty:
        return []
    flows = [sight.mean(lane, "flow_veh_h", OVER_MIN) for lane in lanes]
    evidence = {"open_lane_veh_h": max(flows), "closed_lane_veh_h": min(flows)}
    return [Hint(Cause.LANE_CLOSED, 0.95, {"sensor": sight.things[empty[0]].id, **rounded(evidence)})]


def _alone(loop: int, place: int, ground: Ground, sight: Sight) -> Hint:
    """A single loop on a road of several lanes counts those of the others too, while its neighbours are as usual."""
    # Asked of every single loop in every step: the flow first, for most are not busy, then the habits.
    flow = sight.mean(loop, "flow_veh_h", 10)
    own = _over_rush(flow, loop, sight) if flow >= BUSY_VEH_H else nan
    if isnan(own) or own < ALONE_FROM:
        return Hint(Cause.LANE_CLOSED, 0.0)
    beside = [*ground.graph.up.at(place), *ground.graph.down.at(place)]
    ratios = [_flow_ratio(ground.ends(other, sight), sight, 10) for other in beside]
    known = [one for one in ratios if not isnan(one)]
    least, most = min(known, default=nan), max(known, default=nan)
    as_usual = ramp(least, 0.75, 0.9) * (1 - ramp(most, WAVE_FROM, WAVE_SURE))
    confidence = 0.9 * ramp(ratio(own, most), ALONE_FROM, ALONE_SURE) * as_usual
    return weighed(Cause.LANE_CLOSED, confidence, flow_ratio=own, beside_ratio=most)


def _over_rush(flow_veh_h: float, loop: int, sight: Sight) -> float:
    """Return what passed over what usually does now or did in the rush that this may be the end of."""
    return ratio(flow_veh_h, sight.most_usual(loop, "flow_veh_h", OUTLASTS_H))


def crowded_alone(ground: Ground, sight: Sight) -> list[int]:
    """Return the single loops that surely have the vehicles of a closed lane beside them."""
    place = ground.graph.place
    return [t for t in ground.lanes.single if _alone(t, int(place[t]), ground, sight).confidence >= SURE]


def _recurrent(head: int, ground: Ground, sight: Sight) -> Hint:
    speeds = [ratio(sight.usual(t, "speed_kmh"), sight.things[t].free_speed_kmh) for t in ground.ends(head, sight)]
    usual = min((speed for speed in speeds if not isnan(speed)), default=float("nan"))
    return weighed(Cause.RECURRENT, 0.9 * ramp(usual, USUAL_FROM, USUAL_SURE), usual_ratio=usual)


def _queue(head: int, ground: Ground, sight: Sight) -> list[Hint]:
    """The causes of the gate whose queue stands here."""
    site = ground.gate_ahead(head)
    if site is None:
        return []
    state: GateState = gate_state(site, site.entries, sight)
    if not state.loaded:
        return []
    hints = [_times(one, 0.95) for one in gate_hints(state)]
    return [Hint(one.what, one.confidence, {"gate": site.site, **one.evidence}) for one in hints]


def _surge(head: int, ground: Ground, sight: Sight) -> Hint:
    """More lorries than usual, on the way to a gate where more arrive than usual."""
    loops = ground.ends(head, sight)
    lorries = ratio(sight.lorries_h(loops, 30), sight.usual_lorries_h(loops))
    more = ramp(lorries, LORRIES_FROM, LORRIES_SURE)
    near = _gates_near(head, ground)
    best = Hint(Cause.SURGE, 0.0)
    for site in near if more else ():
        for hint in gate_hints(gate_state(ground.gates[site], ground.gates[site].entries, sight)):
            if hint.what is Cause.SURGE and hint.confidence * more > best.confidence:
                evidence = {"gate": site, "lorries_ratio": round(lorries, 3), **hint.evidence}
                best = Hint(Cause.SURGE, round(hint.confidence * more, 3), evidence)
    return best


def _gates_near(head: int, ground: Ground) -> list[str]:
    reached = {head}.union(*ground.graph.down.rings(head, FAR))
    sites = {site.site for place in reached if (site := ground.gate_ahead(place))}
    return sorted(sites)
