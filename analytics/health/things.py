"""What health needs to know of every thing beforehand: its kind's columns, its period, its place, who stands near it.

Read from catalogue and kinds alone. A thing's number is its place in `Things.ids`; -1 is nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analytics.near import Near
from analytics.settings import Thing
from analytics.table import Float32, Index
from sensors.catalogue import Catalogue, Sensor
from sensors.roads import RoadGraph


@dataclass(frozen=True, slots=True)
class Things:
    """The things of one group. Arrays have one entry a thing.

    period_s: NaN for events, which nobody expects. free_kmh: NaN where not configured. lane, opposite: the sensor of
    the other lane, of the other direction (or the corridor back). upstream, downstream: the next sensors on its way.
    corridor: all whose vehicles pass it. on_the_way: by the number of a corridor, the loops on its way.
    site, basin: numbers of `sites`, `basins`; basin_of_site has one entry a site.
    """

    things: tuple[Thing, ...]
    period_s: Float32
    free_kmh: Float32
    lane: Index
    opposite: Index
    upstream: Index
    downstream: Index
    corridor: Index
    on_the_way: Mapping[int, Index]
    site: Index
    basin: Index
    basin_of_site: Index
    sites: tuple[str, ...]
    basins: tuple[str, ...]

    @classmethod
    def of(cls, things: Sequence[Thing], catalogue: Catalogue) -> Things:
        """Gather what is known of `things`."""
        number = {thing.id: place for place, thing in enumerate(things)}
        near = Near(catalogue, number)
        sites = tuple(dict.fromkeys(thing.site for thing in things))
        basin_of = {site.id: site.basin for site in catalogue.sites}
        basins = tuple(dict.fromkeys(basin_of.get(site, site) for site in sites))
        site = np.array([sites.index(thing.site) for thing in things], np.intp)
        basin_of_site = np.array([basins.index(basin_of.get(name, name)) for name in sites], np.intp)
        return cls(
            things=tuple(things),
            period_s=np.array([t.period_s if t.kind.periodic else np.nan for t in things], np.float32),
            free_kmh=np.array([thing.free_speed_kmh for thing in things], np.float32),
            lane=near.each(things, near.lane),
            opposite=near.each(things, near.opposite),
            upstream=near.each(things, lambda name: near.along(name, -1)),
            downstream=near.each(things, lambda name: near.along(name, 1)),
            corridor=near.each(things, near.over),
            on_the_way=_on_the_way(things, catalogue),
            site=site,
            basin=basin_of_site[site],
            basin_of_site=basin_of_site,
            sites=sites,
            basins=basins,
        )

    def __len__(self) -> int:
        return len(self.things)


def _on_the_way(things: Sequence[Thing], catalogue: Catalogue) -> dict[int, Index]:
    """By the number of a corridor, the loops before or behind which its travellers drive."""
    graph, number = RoadGraph(catalogue), {thing.id: place for place, thing in enumerate(things)}
    sections = {number[one.id]: _sections(graph, one) for one in catalogue.sensors if one.id in number}
    found = {}
    for corridor in catalogue.corridors:
        along = {(section.from_site, section.to_site) for section in graph.along(corridor)}
        loops = [place for place, those in sections.items() if those & along]
        if corridor.id in number and loops:
            found[number[corridor.id]] = np.array(loops, np.intp)
    return found


def _sections(graph: RoadGraph, sensor: Sensor) -> set[tuple[str, str]]:
    """From where to where the road leads before and behind a sensor."""
    way = graph.way(sensor)
    return set() if way is None else {pair for pair in pairwise(way.sites) if sensor.site in pair}
