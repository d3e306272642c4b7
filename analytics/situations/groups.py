"""Which places belong together at one instant.

Two parts of one jam stay together over a place that flowed again only lately: stop-and-go traffic frees a station for
minutes. Such a bridge is inside a situation only as long as it joins what is congested. Corridors attach to the
situation of one of their sections and join none: a jam at each end of a corridor is two jams.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from analytics.situations.components import components
from analytics.situations.graph import Graph
from analytics.table import Index, Mask


@dataclass(frozen=True, slots=True)
class Groups:
    """places: (m,) in order of group, then place. group: (m,) the number of each, 0..count-1, ascending.

    inside: (m,) congested, or a bridge that is needed; what is inside one group is connected.
    """

    places: Index
    group: Index
    inside: Mask
    count: int

    def take(self, which: Mask) -> Groups:
        """Keep whole groups; their numbers stay."""
        return Groups(self.places[which], self.group[which], self.inside[which], self.count)

    def of(self, group: int) -> slice:
        """Where the places of a group are."""
        return slice(*np.searchsorted(self.group, (group, group + 1)).tolist())


@dataclass(frozen=True, slots=True)
class Ties:
    """joining: (P,) places that join others without being congested.

    sources: places with a cause of their own; what is congested downstream of them is another situation.
    """

    joining: Mask
    sources: frozenset[int] = frozenset()


def grouped(graph: Graph, places: Index, congested: Mask, colour: Index, sources: Collection[int] = ()) -> Groups:
    """Group `places` (ascending); `congested` (P,) tells which are more than bridges.

    What is congested downstream of `sources` is not theirs.

    `colour` (P,) keeps places apart whose situations have different causes, -1 = none yet; a place without one goes
    with the least colour downstream of it, because queues grow upstream, else with the least beside it.
    """
    first, second = graph.among(places)
    if sources:
        kept = ~_behind(graph, places, first, second, sources)
        first, second = first[kept], second[kept]
    own = colour[places]
    if (own >= 0).any():
        together = _together(own, first, second, _ahead(graph, places, first, second))
        first, second = first[together], second[together]
    spans = graph.spans[places]
    roads = ~(spans[first] | spans[second])
    label = components(first[roads], second[roads], len(places))
    if spans.any():
        _attach(label, spans, first, second)
    inside = congested[places].copy()
    if not inside.all():
        inside |= _bridges(inside, first, second)
    names, group = np.unique(label, return_inverse=True)
    order = np.argsort(group, kind="stable")
    return Groups(places[order], group[order].astype(np.intp), inside[order], len(names))


def _behind(graph: Graph, places: Index, first: Index, second: Index, sources: Collection[int]) -> Mask:
    """Tell which edges lead from a source to a place downstream of it."""
    found = np.zeros(len(first), np.bool_)
    for source in sources:
        below = graph.down.at(source)
        one, other = places[first], places[second]
        found |= ((one == source) & np.isin(other, below)) | ((other == source) & np.isin(one, below))
    return found


def _ahead(graph: Graph, places: Index, first: Index, second: Index) -> tuple[Index, Index]:
    """Return those edges that lead along a road, as positions: the upstream ends, and those downstream of them."""
    position, member = graph.down.pairs(places)
    onward = position * len(graph.places) + member
    one, other = np.append(first, second), np.append(second, first)
    along = np.isin(one * len(graph.places) + places[other], onward)
    return one[along], other[along]


def _together(own: Index, first: Index, second: Index, along: tuple[Index, Index]) -> Mask:
    """Tell which edges join places that may be one situation: colours spread from place to place, the least first.

    Those of queues spread upstream, as far as they get, before any other.
    """
    none = int(own.max()) + 1
    colour = _spread(np.where(own < 0, none, own), none, *along)
    colour = _spread(colour, none, np.append(first, second), np.append(second, first))
    same: Mask = colour[first] == colour[second]
    return same


def _spread(colour: Index, none: int, to: Index, source: Index) -> Index:
    """Give places without a colour the least of those that edges bring, from `source` to `to`, until none gets any."""
    while True:
        brought = np.full(len(colour), none, np.intp)
        np.minimum.at(brought, to, colour[source])
        reached = (colour == none) & (brought < none)
        if not reached.any():
            return colour
        colour = np.where(reached, brought, colour)


def _attach(label: Index, spans: Mask, first: Index, second: Index) -> None:
    """Give every corridor the least label of its sections; those without any are joined with each other, in place."""
    corridor, other = np.where(spans[first], first, second), np.where(spans[first], second, first)
    mixed = spans[first] != spans[second]
    least = np.full(len(label), len(label), np.intp)
    np.minimum.at(least, corridor[mixed], label[other[mixed]])
    attached = least < len(label)
    both = spans[first] & spans[second] & ~attached[first] & ~attached[second]
    alone = components(first[both], second[both], len(label))
    label[:] = np.where(attached, least, np.where(spans, alone, label))


def _bridges(congested: Mask, first: Index, second: Index) -> Mask:
    """Tell which places that are not congested lie between others: ends are taken off until none is left."""
    kept = np.ones(len(congested), np.bool_)
    while True:
        among = kept[first] & kept[second]
        joined = np.bincount(first[among], minlength=len(kept)) + np.bincount(second[among], minlength=len(kept))
        ends = kept & ~congested & (joined <= 1)
        if not ends.any():
            return kept & ~congested
        kept[ends] = False
