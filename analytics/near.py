"""Who stands near whom: the other lane, the other direction, the next on the way, the corridor that leads over it.

From the catalogue alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from analytics.settings import Thing
from analytics.table import Index
from sensors.catalogue import Catalogue, Sensor, Way
from sensors.roads import RoadGraph

NOBODY = -1


class Near:
    """Who stands near whom, by `number` of each id."""

    def __init__(self, catalogue: Catalogue, number: Mapping[str, int]) -> None:
        self._catalogue, self._number = catalogue, number
        self._graph = RoadGraph(catalogue)
        self._on: dict[tuple[str, str, str], list[Sensor]] = {}
        for sensor in catalogue.sensors:
            if sensor.road is not None and sensor.direction is not None:
                self._on.setdefault((sensor.site, sensor.road, sensor.direction), []).append(sensor)
        self._beside: dict[tuple[str, str], list[Sensor]] = {}
        for (site, road, _), sensors in self._on.items():
            self._beside.setdefault((site, road), []).extend(sensors)
        self._over = self._graph.passed_by_all()
        self._back = {(c.from_site, c.to_site): c.id for c in catalogue.corridors}

    def each(self, things: Sequence[Thing], find: Callable[[str], str | None]) -> Index:
        """The number of whom `find` names for each thing."""
        return np.array([self._number.get(find(thing.id) or "", NOBODY) for thing in things], np.intp)

    def lane(self, name: str) -> str | None:
        """The sensor of another lane, same road and direction."""
        here = self._catalogue.sensor_by_id.get(name)
        if here is None:
            return None
        beside = self._on.get((here.site, here.road or "", here.direction or ""), [])
        return next((one.id for one in beside if one.id != name and one.kind == here.kind), None)

    def opposite(self, name: str) -> str | None:
        """The sensor of the same lane in the other direction, or the corridor that leads back."""
        if (corridor := self._catalogue.corridor_by_id.get(name)) is not None:
            return self._back.get((corridor.to_site, corridor.from_site))
        here = self._catalogue.sensor_by_id.get(name)
        if here is None:
            return None
        beside = (one for one in self._beside.get((here.site, here.road or ""), ()) if one.direction != here.direction)
        return next((one.id for one in beside if (one.kind, one.lane) == (here.kind, here.lane)), None)

    def over(self, name: str) -> str | None:
        """The corridor all of whose vehicles pass a sensor: none of its ways avoids the one lane that this watches."""
        here = self._catalogue.sensor_by_id.get(name)
        watched = self._graph.watched(here) if here is not None else None
        if watched is None or watched.section.lanes != 1:
            return None
        return self._over.get(watched.section.id)

    def along(self, name: str, step: int) -> str | None:
        """The next sensor on its way, forwards or backwards (`step` 1 or -1): its first lane.

        Where its road ends, the way goes on along a road that shares the last stretch, or the only one that goes on.
        """
        here = self._catalogue.sensor_by_id.get(name)
        way = self._graph.way(here) if here is not None else None
        if here is None or way is None or here.site not in way.sites:
            return None
        found = (self._on.get(place) for place in self._places(way, here.site, step))
        return next((sensors[0].id for sensors in found if sensors), None)

    def _places(self, way: Way, site: str, step: int) -> Iterator[tuple[str, str, str]]:
        """Sites with road and direction, from behind a site on a way to where it goes on without a choice."""
        sites = way.sites[::step]
        yield from ((place, way.road, way.direction) for place in sites[sites.index(site) + 1 :])
        if len(sites) < 2:  # noqa: PLR2004  a way of one site leads nowhere
            return
        last = (sites[-2], sites[-1])
        for stretch, skipped in ((last, 1), (self._onward(last, step), 0)):
            for other in self._catalogue.ways:
                theirs = other.sites[::step]
                stretches = list(pairwise(theirs))
                if other is not way and stretch in stretches:
                    further = theirs[stretches.index(stretch) + skipped :]
                    yield from ((place, other.road, other.direction) for place in further)

    def _onward(self, last: tuple[str, str], step: int) -> tuple[str, str] | None:
        """The one stretch that goes on where another ends, without turning back; None where there is a choice."""
        came, end = last
        pairs = (pair if step > 0 else (pair[1], pair[0]) for pair in self._graph.sections)
        ahead = [pair for pair in pairs if pair[0] == end and pair[1] != came]
        return ahead[0] if len(ahead) == 1 else None
