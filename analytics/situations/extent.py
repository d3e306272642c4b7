"""How far a situation reaches: from its head, against the direction of travel, to its tail.

The head is where vehicles leave the jam, the tail where they meet it. A section counts in full where both of its ends
are congested, else by half: the tail lies somewhere between a congested and a free sensor. Stations of a recording
without directions have no head to see; there it is where it began, and the tail is what is farthest from it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf, isfinite

from analytics.situations.graph import Graph
from analytics.state import NEVER


@dataclass(frozen=True, slots=True)
class Extent:
    """Places of head and tail; length_m from one to the other, None where lengths are not known."""

    head: int
    tail: int
    length_m: float | None


NOWHERE = Extent(-1, -1, None)


def extent(
    graph: Graph, places: Collection[int], since_us: Mapping[int, int], seen: Collection[tuple[int, bool]]
) -> Extent:
    """Measure what is inside one situation.

    `since_us` by place says when it became congested (bridges are left out), `seen` which ends of places are congested:
    (place, True) its beginning.
    """
    inside = set(places)
    first = min(inside, key=lambda place: (since_us.get(place, NEVER), graph.places[place].id))
    directed = any(below in inside for place in inside for below in graph.down.at(place))
    if len(inside) > 1 and not directed:
        return Extent(first, _farthest(graph, inside, first), None)
    stretch = {place: _stretch(graph, place, inside, seen) for place in inside}
    heads = [place for place in inside if not any(below in inside for below in graph.down.at(place))] or [first]
    ends = [_tail(graph, head, inside, stretch) for head in heads]
    head, tail, length_m = max(ends, key=lambda end: (end[2], -since_us.get(end[0], NEVER), graph.places[end[0]].id))
    return Extent(head, tail, length_m if isfinite(length_m) else None)


def _stretch(graph: Graph, place: int, inside: set[int], seen: Collection[tuple[int, bool]]) -> float:
    begins = (place, True) in seen or any(above in inside for above in graph.up.at(place))
    ends = (place, False) in seen or any(below in inside for below in graph.down.at(place))
    return float(graph.length_m[place]) * (1.0 if begins and ends else 0.5)


def _tail(graph: Graph, head: int, inside: set[int], stretch: Mapping[int, float]) -> tuple[int, int, float]:
    """Return head, the place upstream whose beginning is farthest from the end of the head, and how far it is."""
    found, waiting = {head: stretch[head]}, deque([head])
    while waiting:
        place = waiting.popleft()
        for above in graph.up.at(place):
            if above in inside and found[place] + stretch[above] < found.get(above, inf):
                found[above] = found[place] + stretch[above]
                waiting.append(above)
    tail = max(found, key=lambda place: (found[place], graph.places[place].id))
    return head, tail, found[tail]


def _farthest(graph: Graph, inside: set[int], first: int) -> int:
    """Return the place with most steps from the first."""
    steps, waiting = {first: 0}, deque([first])
    while waiting:
        place = waiting.popleft()
        for other in graph.beside.at(place):
            if other in inside and other not in steps:
                steps[other] = steps[place] + 1
                waiting.append(other)
    return max(steps, key=lambda place: (steps[place], graph.places[place].id))
