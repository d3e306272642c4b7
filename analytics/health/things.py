"""What health needs to know of every thing beforehand: its kind's columns, its period, its place, who stands near it.

Read from catalogue and kinds alone. A thing's number is its place in `Things.ids`; -1 is nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.settings import Thing
from analytics.table import Float32, Index
from sensors.catalogue import Catalogue, Sensor
from sensors.roads import RoadGraph

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Things:
    """The things of one group. Arrays have one entry a thing.

    period_s: NaN for events, which nobody expects. free_kmh: NaN where not configured. lane, opposite: the sensor of
    the other lane, of the other direction (or the corridor back). upstream, downstream: the next sensors on its way.
    site, basin: numbers of `sites`, `basins`.
    """

    things: tuple[Thing, ...]
    period_s: Float32
    free_kmh: Float32
    lane: Index
    opposite: Index
    upstream: Index
    downstream: Index
    site: Index
    basin: Index
    sites: tuple[str, ...]
    basins: tuple[str, ...]

    @classmethod
    def of(cls, things: Sequence[Thing], catalogue: Catalogue) -> Things:
        """Gather what is known of `things`."""
        number = {thing.id: place for place, thing in enumerate(things)}
        near = _Near(catalogue, number)
        sites = tuple(dict.fromkeys(thing.site for thing in things))
        basin_of = {site.id: site.basin for site in catalogue.sites}
        basins = tuple(dict.fromkeys(basin_of.get(site, site) for site in sites))
        site = np.array([sites.index(thing.site) for thing in things], np.intp)
        return cls(
            things=tuple(things),
            period_s=np.array([t.period_s if t.kind.periodic else np.nan for t in things], np.float32),
            free_kmh=np.array([thing.free_speed_kmh for thing in things], np.float32),
            lane=near.each(things, near.lane),
            opposite=near.each(things, near.opposite),
            upstream=near.each(things, lambda name: near.along(name, -1)),
            downstream=near.each(things, lambda name: near.along(name, 1)),
            site=site,
            basin=np.array([basins.index(basin_of.get(sites[s], sites[s])) for s in site], np.intp),
            sites=sites,
            basins=basins,
        )

    def __len__(self) -> int:
        return len(self.things)


class _Near:
    """Who stands near whom."""

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
