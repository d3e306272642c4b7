"""How far lorries keep a ban: those on the stretch against those that would drive there without it. Counts only.

What would drive there without the ban nobody measured, or somebody did before it and says so. Otherwise the lorries on
the stretch and those on its detour together stand for it: who takes the detour for other reasons, or a third way, makes
the ban look better or worse than it is.

Counts are of whole lanes over whole intervals; they are extended to the time that was not measured, and nothing is said
of a road of which less than `COVERED` of the time was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sensors.catalogue import Ban, Catalogue, Sensor
from sensors.roads import RoadGraph

DAY_S = 86_400.0

COVERED = 0.75
"""Share of the expected readings under which an aggregate is unknown (domain section 3, Berlin's rule)."""

Origin = Literal["given", "detour"]


@dataclass(frozen=True, slots=True)
class Counted:
    """What one loop counted: the readings of a span, vehicles and lorries in them."""

    readings: int
    vehicles: float
    lorries: float


@dataclass(frozen=True, slots=True)
class Lane:
    """A loop, the section that it watches, and the seconds between its readings."""

    sensor: Sensor
    section: str
    period_s: float


@dataclass(frozen=True, slots=True)
class Point:
    """The lanes of one direction at a site together, a day; None where too little was measured.

    hgv_share: lorries among the vehicles, 0..1. coverage: of the lane that was measured least.
    """

    site: str
    direction: str | None
    section: str
    sensors: tuple[str, ...]
    coverage: float
    vehicles_day: float | None
    lorries_day: float | None

    @property
    def hgv_share(self) -> float | None:
        known = self.vehicles_day and self.lorries_day is not None
        return (self.lorries_day or 0.0) / (self.vehicles_day or 1.0) if known else None


@dataclass(frozen=True, slots=True)
class Kept:
    """Lorries a day on the stretch, on the detour, and without the ban; `change` is the first over the last, less 1.

    met: whether they are as many fewer as was wanted. None where nobody can say.
    """

    lorries_day: float | None
    detour_day: float | None
    baseline_day: float | None
    origin: Origin
    change: float | None
    met: bool | None


def lanes_of(ban: Ban, catalogue: Catalogue, period_s: float) -> list[Lane]:
    """The loops on the stretch and its detour, and the others at the ends of the stretch; `period_s` is the kind's."""
    graph, sections = RoadGraph(catalogue), {section.id: section for section in catalogue.sections}
    stretch = [sections[name] for name in ban.stretch if name in sections]
    ends = {site for section in stretch for site in (section.from_site, section.to_site)}
    roads = {section.road for section in stretch}
    found = []
    for sensor in catalogue.sensors:
        watched = graph.watched(sensor) if sensor.kind == "traffic" else None
        if watched is None:
            continue
        near = sensor.site in ends and sensor.road in roads
        if near or watched.section.id in (*ban.stretch, *ban.detour):
            found.append(Lane(sensor, watched.section.id, sensor.period_s or period_s))
    return found


def points(lanes: Iterable[Lane], counted: Mapping[str, Counted], span_s: float) -> list[Point]:
    """Add up lanes by site and section, over a span of `span_s` seconds."""
    by_place: dict[tuple[str, str], list[Lane]] = {}
    for lane in lanes:
        by_place.setdefault((lane.sensor.site, lane.section), []).append(lane)
    return [_point(here, counted, span_s) for here in by_place.values()]


def _point(lanes: Sequence[Lane], counted: Mapping[str, Counted], span_s: float) -> Point:
    nothing = Counted(0, 0.0, 0.0)
    found = [(counted.get(lane.sensor.id, nothing), lane.period_s) for lane in lanes]
    coverage = min(min(one.readings * period_s / span_s, 1.0) for one, period_s in found)
    known = coverage >= COVERED
    days = [max(one.readings * period_s, 1e-9) / DAY_S for one, period_s in found]
    return Point(
        site=lanes[0].sensor.site,
        direction=lanes[0].sensor.direction,
        section=lanes[0].section,
        sensors=tuple(lane.sensor.id for lane in lanes),
        coverage=coverage,
        vehicles_day=sum(one.vehicles / day for (one, _), day in zip(found, days, strict=True)) if known else None,
        lorries_day=sum(one.lorries / day for (one, _), day in zip(found, days, strict=True)) if known else None,
    )


def kept(ban: Ban, found: Iterable[Point], given_day: float | None = None) -> Kept:
    """Compare the stretch with `given_day` lorries a day before the ban, or else with stretch and detour together."""
    here = list(found)
    stretch, detour = _sum(here, ban.stretch), _sum(here, ban.detour)
    together = None if stretch is None or detour is None else stretch + detour
    baseline = together if given_day is None else given_day
    change = stretch / baseline - 1 if stretch is not None and baseline else None
    return Kept(
        lorries_day=stretch,
        detour_day=detour,
        baseline_day=baseline,
        origin="detour" if given_day is None else "given",
        change=change,
        met=None if change is None else change <= -ban.objective,
    )


def _sum(found: Sequence[Point], sections: Sequence[str]) -> float | None:
    """Lorries a day on all of these sections; None where one is not known."""
    by_section = {point.section: point.lorries_day for point in found}
    counts = [by_section.get(section) for section in sections]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
