"""Who drives to and past the port on an ordinary day, and by which way: read from `simulators/demand.toml`.

A place that the file does not name sends nobody; at a junction that it does not name traffic spreads over the lanes.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from importlib import resources

import msgspec

END = "end"
"""In a turn, the share that has arrived."""


class Road(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one lane of a road carries, in cars an hour."""

    road: str
    capacity_veh_h: float = 1500


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place where vehicles come onto the roads; `morning` is its part of the mean morning peak."""

    site: str
    cars_day: float = 0
    lorries_day: float = 0
    morning: float = 1.0


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"section": "from"}):
    """Where the vehicles of a section (FROM-TO in site ids) drive on to: shares by section, or `end`."""

    section: str
    cars: dict[str, float]
    lorries: dict[str, float] = {}


class Ban(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section on which only the share `kept` of the lorries drives; the others take the section `detour`."""

    section: str
    detour: str
    kept: float


class Bottleneck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a section that lets fewer vehicles pass than its lanes carry, in cars an hour on all lanes."""

    section: str
    capacity_veh_h: float


class GateDemand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lorries that come to the gates of a site on a working day, and the shares of where they come from."""

    site: str
    lorries_day: float
    origins: dict[str, float]


class Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Who comes on an ordinary day, which way they drive, and where it gets narrow."""

    roads: tuple[Road, ...]
    origins: tuple[Origin, ...] = ()
    turns: tuple[Turn, ...] = ()
    bans: tuple[Ban, ...] = ()
    bottlenecks: tuple[Bottleneck, ...] = ()
    gates: tuple[GateDemand, ...] = ()
    no_shows: float = 0.035

    def road(self, name: str | None) -> Road:
        return self._roads.get(name or "") or Road(name or "")

    @cached_property
    def _roads(self) -> dict[str, Road]:
        return {road.road: road for road in self.roads}

    @cached_property
    def gate_by_site(self) -> dict[str, GateDemand]:
        return {gate.site: gate for gate in self.gates}


def shipped_demand() -> Demand:
    """The ordinary day of Marseille-Fos."""
    text = (resources.files("simulators") / "demand.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Demand)
