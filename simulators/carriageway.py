"""Which road sensors stand next to each other, by the road graph: upstream and downstream, never across the road."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sensors.catalogue import Catalogue, Section, Sensor
from sensors.roads import RoadGraph
from simulators.demand import Demand, shipped_demand
from simulators.replay import Neighbour

CLOSENESS = 1.0
"""Of stations with none between them, as for those of a recording with `position_km`."""


class _Place(NamedTuple):
    """A stretch of a section: its beginning, or its end."""

    section: str
    at_end: bool


def along_the_road(
    catalogue: Catalogue, sensors: Sequence[Sensor], demand: Demand | None = None
) -> Iterator[Neighbour]:
    """Every pair of `sensors` with none of them between: lanes of one place, the next ones downstream; both ways round.

    Sensors off the roads of the catalogue have no neighbours.
    """
    roads = RoadGraph(catalogue)
    standing: defaultdict[_Place, list[str]] = defaultdict(list)
    for sensor in sensors:
        if watched := roads.watched(sensor):
            standing[_Place(watched.section.id, watched.at_end)].append(sensor.id)
    downstream = _Downstream(catalogue.sections, demand or shipped_demand(), set(standing))
    for place, here in standing.items():
        yield from (Neighbour(one, other, CLOSENESS) for one in here for other in here if one != other)
        for following in sorted(downstream.next_watched(place)):
            for one in here:
                for other in standing[following]:
                    yield Neighbour(one, other, CLOSENESS)
                    yield Neighbour(other, one, CLOSENESS)


class _Downstream:
    """Sections in the direction of travel, and which of their stretches somebody watches."""

    def __init__(self, sections: Sequence[Section], demand: Demand, watched: set[_Place]) -> None:
        self._watched = watched
        self._turns = {turn.section: turn.cars.keys() | turn.lorries.keys() for turn in demand.turns}
        self._by_id = {section.id: section for section in sections}
        self._from: defaultdict[str, list[Section]] = defaultdict(list)
        for section in sections:
            self._from[section.from_site].append(section)

    def next_watched(self, place: _Place) -> set[_Place]:
        """The first watched places downstream, by every way that somebody takes."""
        if not place.at_end and (end := _Place(place.section, at_end=True)) in self._watched:
            return {end}
        found, seen, todo = set[_Place](), {place.section}, self._onwards(place.section)
        while todo:
            section = todo.pop()
            if section in seen:
                continue
            seen.add(section)
            stands = [at for at in (_Place(section, at_end=False), _Place(section, at_end=True)) if at in self._watched]
            found.update(stands[:1])
            todo += [] if stands else self._onwards(section)
        return found

    def _onwards(self, section: str) -> list[str]:
        """Where the demand says that traffic turns; where it does not say, everywhere but back."""
        came = self._by_id[section]
        ahead = [on.id for on in self._from[came.to_site] if on.to_site != came.from_site]
        return [on for on in ahead if on in self._turns.get(section, ahead)]
