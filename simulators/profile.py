"""The port's clock and calendar: how much of a day's traffic falls into each hour, and when the gates are open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

PORT_TIME = ZoneInfo("Europe/Paris")
"""The day of the port is that of its people."""

# Percent of a day in each hour from midnight. Shapes of French national roads near ports (engineering knowledge):
# cars peak at 07-09 and 16-18; lorries follow the gates, which open at 06:00 and close at 21:00.
# fmt: off
_CARS = (
    0.7, 0.4, 0.3, 0.4, 1.1, 3.2, 6.0, 8.2, 8.0, 5.6, 4.8, 4.9,
    5.4, 5.2, 5.2, 6.0, 7.6, 8.2, 6.7, 4.3, 2.9, 2.2, 1.6, 1.1,
)
_CARS_WEEKEND = (
    1.7, 1.1, 0.8, 0.7, 0.8, 1.4, 2.2, 3.0, 4.2, 5.6, 6.7, 7.0,
    6.4, 6.0, 6.4, 6.8, 7.2, 7.4, 6.9, 5.6, 4.2, 3.2, 2.6, 2.1,
)
_LORRIES = (
    0.7, 0.6, 0.6, 1.1, 2.6, 5.4, 7.2, 7.2, 7.2, 7.0, 6.8, 6.2,
    5.4, 6.2, 6.8, 6.6, 6.0, 5.0, 4.0, 2.9, 1.9, 1.1, 0.8, 0.7,
)
# Appointments fill what Eurofos offers, 100 an hour, until the afternoon.
_GATES = (
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.7, 7.7, 7.7, 7.7, 7.7, 7.7,
    7.7, 7.7, 7.7, 7.7, 6.5, 6.0, 5.0, 3.5, 2.0, 0.0, 0.0, 0.0,
)
# fmt: on
# Monday to Sunday, against a mean working day.
_CARS_WEEK = (0.98, 1.0, 1.0, 1.02, 1.05, 0.75, 0.6)
_LORRIES_WEEK = (1.0, 1.04, 1.04, 1.02, 0.95, 0.25, 0.07)
_GATES_WEEK = (1.0, 1.02, 1.0, 1.0, 0.96, 0.35, 0.1)
_SATURDAY = 5

OPENS_H = 6.0
CLOSES_H = 21.0


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
        return _share(_CARS if self.weekday < _SATURDAY else _CARS_WEEKEND, self.hour) * _CARS_WEEK[self.weekday]

    def lorries(self) -> float:
        return _share(_LORRIES, self.hour) * _LORRIES_WEEK[self.weekday]

    def gates(self, lead_s: float = 0.0) -> float:
        """Share of a working day's appointments in one hour from `lead_s` after now."""
        return _GATES[int(self.hour + lead_s / 3600) % 24] * _GATES_WEEK[self.weekday] / 100

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


def _share(profile: tuple[float, ...], hour: float) -> float:
    """Interpolate between the middles of the hours, round the clock."""
    before, part = divmod(hour - 0.5, 1.0)
    here, there = profile[int(before) % 24], profile[(int(before) + 1) % 24]
    return (here + (there - here) * part) / 100
