"""What the picture of each fault shows: at which sensor, and how it is drawn over the time of arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from sensors.fault import Fault
from simulators.drawing import COLOURS, GREY, Axis, Line
from simulators.profile import PORT_TIME

MIDNIGHT_S: Final = datetime(2026, 3, 3, tzinfo=PORT_TIME).timestamp()  # a Tuesday
HOUR_S: Final = 3600.0

Readings = dict[str, Any]


class Heard(NamedTuple):
    """One message on the topic of a sensor, when it came, in hours of the day."""

    at_h: float
    payload: bytes

    @property
    def reading(self) -> Readings:
        found: Readings = msgspec.json.decode(self.payload)
        return found

    @property
    def told_h(self) -> float:
        return hours_of(datetime.fromisoformat(self.reading["time"]).timestamp())


Day = Mapping[str, Sequence[Heard]]
"""What came on the topic of each sensor and corridor."""
Lines = Callable[[Day], list[Line]]


def hours_of(at_s: float) -> float:
    """The time of day, beyond 24 on the days that follow."""
    return (at_s - MIDNIGHT_S) / HOUR_S


_NONE: Final = Axis(0, 1, 1)
_MORNING: Final = Axis(7, 12, 5, "hour")
_DAYS: Final = Axis(0, 120, 5, "hour")
_QUARTER: Final = Axis(7.9, 8.15, 5, names=("07:54", "07:57", "08:00", "08:03", "08:06", "08:09"))
_MINUTES: Final = Axis(8 - 2 / 60, 8 + 4 / 60, 6, names=("07:58", "07:59", "08:00", "08:01", "08:02", "08:03", "08:04"))
_NUMBERS: Final = Axis(160, 200, 4)


@dataclass(frozen=True, slots=True)
class Sight:
    """One fault at one sensor: the axes and lines of its picture, or its payloads where there is nothing to draw."""

    what: Fault
    where: str
    title: str
    up: Axis = _NONE
    lines: Lines | None = None
    hours: Axis = _MORNING
    size: float | None = None


def values(where: str, *fields: str, other: str = "", scale: float = 1.0) -> Lines:
    """The fields of a sensor over the time of arrival; of another one in grey."""

    def lines(day: Day) -> list[Line]:
        seen = [Line(f"{other} beside it", *_series(day[other], fields[0]), points=True, colour=GREY)] if other else []
        for number, field in enumerate(fields):
            x, y = _series(day[where], field)
            shrunk = scale if number else 1.0
            name = f"{field} x {scale:g}" if shrunk != 1 else field
            seen.append(Line(name, x, [value * shrunk for value in y], points=True, colour=COLOURS[number]))
        return seen

    return lines


def off(where: str, unit_s: float, name: str) -> Lines:
    """By how much the told time is ahead of the arrival."""

    def lines(day: Day) -> list[Line]:
        heard = day[where]
        x, y = [one.at_h for one in heard], [(one.told_h - one.at_h) * HOUR_S / unit_s for one in heard]
        return [Line(name, x, y, points=True)]

    return lines


def told(where: str) -> Lines:
    """The told time over the time of arrival."""

    def lines(day: Day) -> list[Line]:
        return [Line("time told", [one.at_h for one in day[where]], [one.told_h for one in day[where]], points=True)]

    return lines


def numbers(where: str, *, joined: bool = False) -> Lines:
    """The number of each message over the time of arrival."""

    def lines(day: Day) -> list[Line]:
        x, y = [one.at_h for one in day[where]], [float(one.reading["seq"]) for one in day[where]]
        dots = Line("seq", x, y, points=True)
        return [Line("", x, y, colour=GREY), dots] if joined else [dots]

    return lines


def hourly(where: str, field: str) -> Lines:
    """Means of an hour, over days."""

    def lines(day: Day) -> list[Line]:
        by_hour = defaultdict(list)
        for x, y in zip(*_series(day[where], field), strict=True):
            by_hour[int(x)].append(y)
        means = [sum(some) / len(some) for some in by_hour.values()]
        return [Line(f"{field}, means of an hour", [hour + 0.5 for hour in by_hour], means)]

    return lines


def rows(*names: str) -> Lines:
    """A dot for each message, a row for each sensor, the first one on top."""

    def lines(day: Day) -> list[Line]:
        dots = [(one.at_h, float(len(names) - row)) for row, name in enumerate(names) for one in day[name]]
        return [Line("one dot a message", [x for x, _ in dots], [y for _, y in dots], points=True)]

    return lines


def in_rows(*names: str) -> Axis:
    return Axis(0, len(names) + 1, len(names) + 1, names=["", *reversed(names), ""])


def _series(heard: Sequence[Heard], field: str) -> tuple[list[float], list[float]]:
    seen = [(one.at_h, one.reading.get(field)) for one in heard]
    return [x for x, y in seen if y is not None], [float(y) for _, y in seen if y is not None]


_SITE = ("W03-F1", "W03-F2", "W03-F3", "W03-F4", "W01-W03", "W01-F1", "W07-G1")
_BASINS = ("E01-G1", "E02-Y1", "E05-F1", "E06-E05", "E10-F2", "W01-F1", "W07-G1")
_TOPICS = ("W02-F1", "W02-F2")

SIGHTS: Final = (
    Sight(Fault.SILENT, "W16-F1", "no data", Axis(0, 140, 7), values("W16-F1", "speed_kmh")),
    Sight(Fault.SITE_DOWN, "W03", "no data from all of a site", in_rows(*_SITE), rows(*_SITE)),
    Sight(Fault.NETWORK_DOWN, "east", "no data from all of a basin", in_rows(*_BASINS), rows(*_BASINS)),
    Sight(Fault.INSUFFICIENT, "W16-F2", "40 % of the samples", Axis(0, 140, 7), values("W16-F2", "speed_kmh")),
    Sight(
        Fault.STUCK, "W18-F2", "the same value for hours, to the digit", Axis(0, 140, 7), values("W18-F2", "speed_kmh")
    ),
    Sight(
        Fault.LOCKED_ON,
        "W12-F1",
        "occupied all the time, while the other lane flows",
        Axis(0, 100, 5),
        values("W12-F1", "occupancy_pct", other="W12-F2"),
    ),
    Sight(
        Fault.CARD_OFF,
        "W12-F3",
        "nothing counted by day, while the other lane counts",
        Axis(0, 25, 5),
        values("W12-F3", "count", other="W12-F4"),
    ),
    Sight(Fault.CHATTER, "W19-F1", "impossible counts", Axis(0, 80, 4), values("W19-F1", "count")),
    Sight(
        Fault.MISMATCH,
        "W15-F3",
        "occupancy without flow",
        Axis(0, 40, 4),
        values("W15-F3", "occupancy_pct", "flow_veh_h", scale=0.01),
    ),
    Sight(Fault.SPIKE, "W04-F1", "single readings leap", Axis(0, 160, 4), values("W04-F1", "speed_kmh")),
    Sight(Fault.SENTINEL, "W13-F1", "-99 for not measured", Axis(-100, 100, 4), values("W13-F1", "speed_kmh")),
    Sight(Fault.UNIT_SWAPPED, "W17-F1", "miles for kilometres", Axis(0, 140, 7), values("W17-F1", "speed_kmh")),
    Sight(
        Fault.LANE_SWAPPED,
        "W15-F1",
        "the other lane's readings",
        Axis(0, 140, 7),
        values("W15-F1", "speed_kmh", other="W15-F2"),
    ),
    Sight(
        Fault.DIRECTION_SWAPPED,
        "W01-F2",
        "north for south: the readings of the other direction",
        Axis(0, 140, 7),
        values("W01-F2", "speed_kmh", other="W01-F1"),
    ),
    Sight(
        Fault.IDENTITY_SWAPPED,
        "W02-F1",
        "publishes as another sensor",
        in_rows(*_TOPICS),
        rows(*_TOPICS),
        hours=_MINUTES,
    ),
    Sight(Fault.CLOCK_OFFSET, "W10-F1", "hours wrong", Axis(-4, 4, 4), off("W10-F1", HOUR_S, "told - arrival, h")),
    Sight(Fault.DAYLIGHT_SAVING, "W10-F2", "an hour wrong", Axis(-2, 2, 4), off("W10-F2", HOUR_S, "told - arrival, h")),
    Sight(Fault.FUTURE, "W04-F2", "future timestamps", Axis(-10, 40, 5), off("W04-F2", 60, "told - arrival, min")),
    Sight(
        Fault.DUPLICATE,
        "W11-F1",
        "each message twice",
        Axis(175, 190, 3),
        numbers("W11-F1"),
        hours=_MINUTES,
    ),
    Sight(
        Fault.OUT_OF_ORDER,
        "W11-F2",
        "later ones overtake earlier ones",
        _NUMBERS,
        numbers("W11-F2", joined=True),
        hours=_QUARTER,
    ),
    Sight(Fault.LATE_BATCH, "W14-F1", "hours of data in one burst", Axis(7, 12, 5), told("W14-F1")),
    Sight(Fault.COUNTER_RESET, "W14-F2", "seq restarts", Axis(0, 800, 4), numbers("W14-F2")),
    Sight(Fault.STALE_RETAINED, "W18-F1", "an old message again", Axis(7, 12, 5), told("W18-F1")),
    Sight(Fault.TRUNCATED, "W01-F3", "the end is missing"),
    Sight(Fault.INVALID, "W01-F4", "no JSON"),
    Sight(Fault.WRONG_TYPE, "W13-F2", "texts for numbers"),
    Sight(Fault.OVERSIZED, "W19-F2", "more than can be taken"),
)

DAYS: Final = (
    Sight(Fault.DRIFT, "W18-F2", "5 % a day", Axis(0, 140, 7), hourly("W18-F2", "speed_kmh"), _DAYS, 0.05),
    Sight(
        Fault.CLOCK_DRIFT, "W18-F1", "30 s a day", Axis(-60, 180, 4), off("W18-F1", 1, "told - arrival, s"), _DAYS, 30.0
    ),
)
"""These need days to show."""
