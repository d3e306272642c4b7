"""The history of one sensor or corridor, never more than a chart can show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime

from api.context import Context, InContext
from api.documented import ONE
from api.models.readings import Readings
from api.problems import Problem, bad_parameter, unknown_thing
from api.routes.catalogue import ThingId
from api.shapes import corridor_kind, readings_out
from sensors.catalogue import Catalogue
from sensors.kind import Kind
from store.api_rows import STEP_S, ReadingsQuery, Resolution

router = APIRouter(prefix="/v1", tags=["readings"])

MAX_POINTS = 2000
_DEFAULT_RANGE = timedelta(hours=6)
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_MAX_RANGE = timedelta(days=800)
"""Longer than the history that is kept; a bound on what one request can make the database read."""


def _plausible(instant: datetime) -> datetime:
    """Far from the ends of the calendar, where adding an hour is an error."""
    if not _EARLIEST <= instant <= _LATEST:
        raise ValueError("Input should be a time between 1970 and 2200")
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]
From = Annotated[
    Instant | None,
    Query(alias="from", description="RFC 3339 with offset; 6 hours before `to`", examples=["2026-03-02T00:00:00Z"]),
]
To = Annotated[
    Instant | None,
    Query(description="RFC 3339 with offset, not included; now", examples=["2026-03-03T00:00:00Z"]),
]


Asked = Annotated[Literal["auto", "raw", "5min", "1h", "1d"], Query(description="auto: the finest that fits")]
KindName = Annotated[
    str | None,
    Query(pattern="^[a-z][a-z0-9_]{0,40}$", description="where several kinds share an id", examples=["passage"]),
]


@router.get("/sensors/{sensor}/readings", response_model=Readings, responses=ONE, summary="Show readings over a range")
async def list_readings(
    context: InContext,
    sensor: ThingId,
    *,
    start: From = None,
    to: To = None,
    resolution: Asked = "auto",
    kind: KindName = None,
) -> Response:
    """Readings in [from, to) as columns, at most 2,000 points, at the resolution that the reply names.

    For a site whose clock is that of a recording, `to` is its latest reading when not given.
    """
    catalogue = await context.installed.with_thing(sensor)
    chosen, period_s = _kind(context, catalogue, sensor, kind)
    start, end = await _range(context, catalogue, sensor, start, to)
    fitting = _auto(end - start, period_s) if resolution == "auto" else resolution
    query = ReadingsQuery(sensor, chosen, start, end, fitting, MAX_POINTS)
    table = await context.source.readings(query)
    body = readings_out(query, table, step_s=period_s).model_dump_json(by_alias=True)
    return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})


def _kind(context: Context, catalogue: Catalogue, thing: str, wanted: str | None) -> tuple[Kind, float]:
    """The kind of readings asked for and their usual distance in seconds."""
    names, period_s = _published(context, catalogue, thing)
    if wanted is not None and wanted not in names:
        raise bad_parameter("kind", wanted, f"{thing} publishes {', '.join(names)}")
    kind = context.kinds[wanted or names[0]]
    return kind, kind.period_s if kind.name != names[0] or period_s is None else period_s


def _published(context: Context, catalogue: Catalogue, thing: str) -> tuple[tuple[str, ...], float | None]:
    """The kinds under this id, its own first, and its own period where it has one."""
    if thing in catalogue.corridor_by_id:
        kind = corridor_kind(context.kinds)
        return (kind.name,) if kind else (), None
    sensor = catalogue.sensor_by_id.get(thing)
    if sensor is None:
        raise unknown_thing(thing)
    names = context.kinds.published_by(sensor.kind)
    if not names:
        corridors = [corridor.id for corridor in catalogue.corridors if corridor.reader == thing]
        raise _no_readings(thing, corridors)
    return tuple(sorted(names, key=lambda name: name != sensor.kind)), sensor.period_s


def _no_readings(thing: str, corridors: list[str]) -> Problem:
    where = f"ask for those of its corridors: {', '.join(corridors)}." if corridors else "its kind is not defined here."
    return Problem(404, "no-readings", f"{thing} has no readings under its own id; {where}")


async def _range(
    context: Context, catalogue: Catalogue, thing: str, start: datetime | None, to: datetime | None
) -> tuple[datetime, datetime]:
    end = to or await _latest(context, catalogue, thing)
    start = start or end - _DEFAULT_RANGE
    if start >= end:
        raise bad_parameter("from", start.isoformat(), f"a time before `to`, which is {end.isoformat()}")
    if end - start > _MAX_RANGE:
        raise bad_parameter("from", start.isoformat(), f"at most {_MAX_RANGE.days} days before `to`")
    return start.astimezone(UTC), end.astimezone(UTC)


async def _latest(context: Context, catalogue: Catalogue, thing: str) -> datetime:
    """Now by the clock of the site: a recording's time stands still where its readings end."""
    sensor = catalogue.sensor_by_id.get(thing)
    if sensor is not None and catalogue.site_by_id[sensor.site].clock == "recording":
        rows = await context.source.states([thing])
        if rows and rows[0].time is not None:
            return rows[0].time + timedelta(microseconds=1)
    return context.now()


def _auto(length: timedelta, period_s: float) -> Resolution:
    """The finest resolution that fits; events have no period and are shown one by one."""
    seconds = length.total_seconds()
    if period_s <= 0 or seconds / period_s <= MAX_POINTS:
        return "raw"
    return next((name for name, step in STEP_S.items() if seconds / step <= MAX_POINTS - 1), "1d")
