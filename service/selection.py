"""Which things of the catalogue a command is about: by site, by id, by kind; what does not exist is named."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sensors.catalogue import Catalogue, Corridor, Sensor
from sensors.errors import OperatorError

_SHOWN = 12


class SelectionError(OperatorError):
    """A site or a sensor that does not exist, or nothing that is left."""


@dataclass(frozen=True, slots=True)
class Selected:
    """Sensors and corridors in the order of the catalogue."""

    sensors: tuple[Sensor, ...]
    corridors: tuple[Corridor, ...]

    @property
    def sites(self) -> set[str]:
        return {sensor.site for sensor in self.sensors} | {corridor.to_site for corridor in self.corridors}


def select(catalogue: Catalogue, *, sites: Sequence[str] = (), things: Sequence[str] = ()) -> Selected:
    """What stands at one of `sites` and, where `things` are named, is one of them; neither: the whole port.

    A corridor belongs to the site of its end, where its reader publishes; naming the reader names its corridors too.
    The sites of recordings are only taken where they are named. Raises `SelectionError`.
    """
    _require(sites, "site", catalogue.site_by_id)
    _require(things, "sensor", [*catalogue.sensor_by_id, *catalogue.corridor_by_id])
    named, at = set(things), set(sites) or _default_sites(catalogue, things)
    sensors = tuple(s for s in catalogue.sensors if s.site in at and (not named or s.id in named))
    corridors = tuple(
        c for c in catalogue.corridors if c.to_site in at and (not named or not named.isdisjoint((c.id, c.reader)))
    )
    if not sensors and not corridors:
        raise SelectionError(f"nothing of {_listed(things)} stands at {_listed(sites)}: leave one of the two out")
    return Selected(sensors, corridors)


def _default_sites(catalogue: Catalogue, things: Collection[str]) -> set[str]:
    if things:
        return set(catalogue.site_by_id)
    return {site.id for site in catalogue.sites if site.clock == "wall"}


def _require(names: Iterable[str], what: str, known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise SelectionError(f"there is no {what} {name!r}{_nearest(name, known)}")


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {_listed(sorted(known))}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
