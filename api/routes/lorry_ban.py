"""How far lorries keep a ban. Counts only: no vehicle is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from analytics.lorry_ban import Counted, Kept, Lane, Point, kept, lanes_of, points
from api.context import InContext
from api.documented import LISTED
from api.models.lorry_ban import BanDay, BanOut, BanPoint, BansOut
from api.problems import bad_parameter
from api.routes.readings import Instant
from sensors.catalogue import Ban, Catalogue
from store.lorries import LorryDay, lorry_days

router = APIRouter(prefix="/v1", tags=["readings"])

_TRAFFIC = "traffic"
_DAY = timedelta(days=1)
_DEFAULT, _LONGEST = timedelta(days=7), timedelta(days=31)
From = Annotated[Instant | None, Query(alias="from", description="RFC 3339 with offset; 7 days before `to`")]
To = Annotated[Instant | None, Query(description="RFC 3339 with offset, not included; now")]
Baseline = Annotated[
    float | None,
    Query(gt=0, le=100_000, description="lorries a day on the stretch before the ban; instead of those on the detour"),
]


@router.get("/lorry-ban", responses=LISTED, summary="Show how far lorries keep a ban")
async def show_lorry_ban(
    context: InContext, start: From = None, to: To = None, baseline_day: Baseline = None
) -> BansOut:
    """Lorries and their share on the stretch of each ban and around it, against the baseline and the objective."""
    end = (to or context.now()).astimezone(UTC)
    begin = (start or end - _DEFAULT).astimezone(UTC)
    if not timedelta() < end - begin <= _LONGEST:
        raise bad_parameter("from", begin.isoformat(), f"before `to`, by at most {_LONGEST.days} days")
    catalogue = await context.installed.catalogue()
    items = []
    for ban in catalogue.bans if _TRAFFIC in context.kinds else ():
        lanes = lanes_of(ban, catalogue, context.kinds[_TRAFFIC].period_s)
        names = [lane.sensor.id for lane in lanes]
        rows = await context.operations.read(partial(lorry_days, sensors=names, start=begin, end=end))
        items.append(_ban(_Asked(ban, lanes, begin, end, baseline_day), rows, catalogue))
    return BansOut.model_validate({"from": begin, "to": end, "items": items})


@dataclass(frozen=True, slots=True)
class _Asked:
    """A ban with the loops that count for it, the range, and the baseline if one was given."""

    ban: Ban
    lanes: Sequence[Lane]
    start: datetime
    end: datetime
    given_day: float | None

    def points(self, rows: Iterable[LorryDay], start: datetime, end: datetime) -> list[Point]:
        """What was counted in a part of the range."""
        seconds = (min(end, self.end) - max(start, self.start)).total_seconds()
        return points(self.lanes, _added(rows), seconds)

    def kept(self, here: Iterable[Point]) -> Kept:
        return kept(self.ban, here, self.given_day)


def _ban(asked: _Asked, rows: Iterable[LorryDay], catalogue: Catalogue) -> BanOut:
    ordered = sorted(rows, key=lambda row: row.day)
    here = asked.points(ordered, asked.start, asked.end)
    found = asked.kept(here)
    return BanOut(
        ban=asked.ban.id,
        name=asked.ban.name,
        objective=-asked.ban.objective,
        lorries_day=_rounded(found.lorries_day),
        detour_day=_rounded(found.detour_day),
        baseline_day=_rounded(found.baseline_day),
        baseline_origin=found.origin,
        change=_share(found.change),
        objective_met=found.met,
        points=[_point(asked.ban, point, catalogue) for point in here],
        days=[_day(day, asked.kept(asked.points(group, day, day + _DAY))) for day, group in _by_day(ordered)],
    )


def _by_day(ordered: Iterable[LorryDay]) -> Iterator[tuple[datetime, list[LorryDay]]]:
    yield from ((day, list(group)) for day, group in groupby(ordered, key=lambda row: row.day))


def _added(rows: Iterable[LorryDay]) -> Mapping[str, Counted]:
    found: dict[str, Counted] = {}
    for row in rows:
        before = found.get(row.sensor, Counted(0, 0.0, 0.0))
        found[row.sensor] = Counted(
            before.readings + row.readings, before.vehicles + row.vehicles, before.lorries + row.lorries
        )
    return found


def _day(day: datetime, found: Kept) -> BanDay:
    return BanDay(
        day=day,
        lorries_day=_rounded(found.lorries_day),
        detour_day=_rounded(found.detour_day),
        change=_share(found.change),
    )


def _point(ban: Ban, point: Point, catalogue: Catalogue) -> BanPoint:
    return BanPoint(
        site=point.site,
        name=catalogue.site_by_id[point.site].name,
        direction=point.direction,
        on=_where(ban, point),
        sensors=list(point.sensors),
        coverage=round(point.coverage, 3),
        vehicles_day=_rounded(point.vehicles_day),
        lorries_day=_rounded(point.lorries_day),
        hgv_share=_share(point.hgv_share),
    )


def _where(ban: Ban, point: Point) -> Literal["stretch", "detour", "beside"]:
    if point.section in ban.stretch:
        return "stretch"
    return "detour" if point.section in ban.detour else "beside"


def _rounded(count: float | None) -> float | None:
    return None if count is None else round(count, 1)


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
