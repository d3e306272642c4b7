"""What health needs to know of every thing beforehand: its kind's columns, its period, its place, who stands near it.

Read from catalogue and kinds alone. A thing's number is its place in `Things.ids`; -1 is nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.near import Near
from analytics.settings import Thing
from analytics.table import Float32, Index
from sensors.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Things:
    """The things of one group. Arrays have one entry a thing.

    period_s: NaN for events, which nobody expects. free_kmh: NaN where not configured. lane, opposite: the sensor of
    the other lane, of the other direction (or the corridor back). upstream, downstream: the next sensors on its way.
    corridor: all whose vehicles pass it.
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
            site=site,
            basin=basin_of_site[site],
            basin_of_site=basin_of_site,
            sites=sites,
            basins=basins,
        )

    def __len__(self) -> int:
        return len(self.things)
