"""How much the port is used: vehicles and lorries by hour and weekday, read from `simulators/demand.toml`.

Profiles are shares of a day's volume; a road or gate that the file does not name gets the default of its kind.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec

PORT_TIME = ZoneInfo("Europe/Paris")
"""The day of the port is that of its people."""

# Percent of a day in each hour from midnight. Shapes of French national roads near ports (engineering knowledge):
# cars peak at 07-09 and 16-18; lorries follow the gates, which open at 06:00 and close at 21:00.
_CARS = (
    0.7,
    0.4,
    0.3,
    0.4,
    1.1,
    3.2,
    6.0,
    8.2,
    8.0,
    5.6,
    4.8,
    4.9,
    5.4,
    5.2,
    5.2,
    6.0,
    7.6,
    8.2,
    6.7,
    4.3,
    2.9,
    2.2,
    1.6,
    1.1,
)
_CARS_WEEKEND = (
    1.7,
    1.1,
    0.8,
    0.7,
    0.8,
    1.4,
    2.2,
    3.0,
    4.2,
    5.6,
    6.7,
    7.0,
    6.4,
    6.0,
    6.4,
    6.8,
    7.2,
    7.4,
    6.9,
    5.6,
    4.2,
    3.2,
    2.6,
    2.1,
)
_LORRIES = (
    0.7,
    0.6,
    0.6,
    1.1,
    2.6,
    5.4,
    7.2,
    7.2,
    7.2,
    7.0,
    6.8,
    6.2,
    5.4,
    6.2,
    6.8,
    6.6,
    6.0,
    5.0,
    4.0,
    2.9,
    1.9,
    1.1,
    0.8,
    0.7,
)
_GATES = (
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.8,
    8.6,
    8.4,
    7.6,
    7.4,
    7.2,
    6.8,
    5.6,
    6.6,
    7.4,
    7.4,
    7.0,
    6.0,
    5.0,
    4.0,
    2.6,
    0.0,
    0.0,
    0.0,
)
# Monday to Sunday, against a mean working day.
_CARS_WEEK = (0.98, 1.0, 1.0, 1.02, 1.05, 0.75, 0.6)
_LORRIES_WEEK = (1.0, 1.04, 1.04, 1.02, 0.95, 0.25, 0.07)
_GATES_WEEK = (1.04, 1.02, 1.0, 1.0, 0.96, 0.35, 0.1)

OPENS_H = 6.0
CLOSES_H = 21.0


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One direction of a road, its sites in the order of travel."""

    direction: str
    sites: tuple[str, ...]
    morning: float = 1.0


class Road(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Volume and capacity of one lane of a road."""

    road: str
    vehicles_day: float = 5000
    lorry_share: float = 0.2
    capacity_veh_h: float = 1500
    ways: tuple[Way, ...] = ()

    def way(self, direction: str | None) -> Way:
        return next((way for way in self.ways if way.direction == direction), Way(direction or "", ()))


class Ban(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sites of a road where only the share `kept` of the lorries drives."""

    road: str
    sites: tuple[str, ...]
    kept: float


class Bottleneck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place that lets fewer vehicles pass than the road before it."""

    road: str
    direction: str
    site: str
    capacity_veh_h: float


class Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes on an ordinary day, and where it gets narrow."""

    roads: tuple[Road, ...]
    bans: tuple[Ban, ...] = ()
    bottlenecks: tuple[Bottleneck, ...] = ()
    gates: dict[str, float] = {}

    def road(self, name: str | None) -> Road:
        return next((road for road in self.roads if road.road == name), Road(name or ""))

    def lorry_share(self, road: str | None, site: str) -> float:
        kept = [ban.kept for ban in self.bans if ban.road == road and site in ban.sites]
        return self.road(road).lorry_share * min(kept, default=1.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """The end of one step of the world: Unix seconds, and what the port's clocks and calendars say."""

    at_s: float
    hour: float
    weekday: int
    day: int

    @property
    def open(self) -> bool:
        """Whether the gates are open."""
        return OPENS_H <= self.hour < CLOSES_H

    def cars(self) -> float:
        """Share of a working day's cars in one hour from now."""
        return _share(_CARS if self.weekday < 5 else _CARS_WEEKEND, self.hour) * _CARS_WEEK[self.weekday]  # noqa: PLR2004  Saturday

    def lorries(self) -> float:
        return _share(_LORRIES, self.hour) * _LORRIES_WEEK[self.weekday]

    def gates(self) -> float:
        """Share of a working day's lorries that come to a gate in one hour from now."""
        return _share(_GATES, self.hour) * _GATES_WEEK[self.weekday]

    def morning(self) -> float:
        """1 in the morning, 0 in the evening: which direction is the busy one."""
        return min(max((15.0 - self.hour) / 5.0, 0.0), 1.0)


def moment(at_s: float) -> Moment:
    local = datetime.fromtimestamp(at_s, PORT_TIME)
    return Moment(at_s, local.hour + local.minute / 60 + local.second / 3600, local.weekday(), local.toordinal())


def last_midnight(at_s: float) -> float:
    """Unix seconds of the port's last midnight."""
    local = datetime.fromtimestamp(at_s, PORT_TIME)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def shipped_demand() -> Demand:
    """The ordinary day of Marseille-Fos."""
    text = (resources.files("simulators") / "demand.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Demand)


def _share(profile: tuple[float, ...], hour: float) -> float:
    """Interpolate between the middles of the hours, round the clock."""
    before, part = divmod(hour - 0.5, 1.0)
    here, there = profile[int(before) % 24], profile[(int(before) + 1) % 24]
    return (here + (there - here) * part) / 100
