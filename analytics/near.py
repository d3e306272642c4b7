"""Who stands near whom: the other lane, the other direction, the next on the way; from the catalogue alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analytics.settings import Thing
from analytics.table import Index
from sensors.catalogue import Catalogue, Sensor
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

    def along(self, name: str, step: int) -> str | None:
        """The next sensor on its way, forwards or backwards: its first lane."""
        here = self._catalogue.sensor_by_id.get(name)
        way = self._graph.way(here) if here is not None else None
        if here is None or way is None or here.site not in way.sites:
            return None
        place = way.sites.index(here.site) + step
        while 0 <= place < len(way.sites):
            if found := self._on.get((way.sites[place], way.road, way.direction)):
                return found[0].id
            place += step
        return None
