"""What is installed: sites, sensors, corridors and kinds, as JSON and, where it has a place, as GeoJSON."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response

from api import geojson
from api.context import InContext
from api.documented import LISTED, ONE, geojson_too
from api.models.base import ID_PATTERN
from api.models.catalogue import Corridors, KindsOut, SensorDetail, Sensors, Sites
from api.problems import unknown_thing
from api.shapes import clock_out, corridors_out, kind_out, receipt_out, sensor_out, site_out

router = APIRouter(prefix="/v1", tags=["catalogue"])

Format = Annotated[Literal["json", "geojson"] | None, Query(description="`geojson` asks for GeoJSON (RFC 7946)")]
Accept = Annotated[str | None, Header(include_in_schema=False)]
ThingId = Annotated[str, Path(pattern=ID_PATTERN, description="id of a sensor or corridor", examples=["W07-G1"])]


def _wants_geojson(wanted: str | None, accept: str | None) -> bool:
    return wanted == "geojson" or (wanted is None and geojson.MEDIA_TYPE in (accept or ""))


@router.get("/sites", response_model=Sites, responses=LISTED | geojson_too(Sites), summary="List the sites")
async def list_sites(context: InContext, format: Format = None, accept: Accept = None) -> Sites | Response:  # noqa: A002
    """The places that have sensors. `Accept: application/geo+json` or `?format=geojson` gives points."""
    catalogue = await context.installed.catalogue()
    items = [site_out(site) for site in catalogue.sites]
    return geojson.points(items) if _wants_geojson(format, accept) else Sites(items=items)


@router.get("/sensors", response_model=Sensors, responses=LISTED | geojson_too(Sensors), summary="List the sensors")
async def list_sensors(context: InContext, format: Format = None, accept: Accept = None) -> Sensors | Response:  # noqa: A002
    """Every sensor that is installed. `Accept: application/geo+json` or `?format=geojson` gives points."""
    catalogue = await context.installed.catalogue()
    items = [sensor_out(sensor, catalogue, context.kinds) for sensor in catalogue.sensors]
    return geojson.points(items) if _wants_geojson(format, accept) else Sensors(items=items)


@router.get("/sensors/{sensor}", responses=ONE, summary="Show one sensor")
async def show_sensor(context: InContext, sensor: ThingId) -> SensorDetail:
    """One sensor with its place, configuration and kinds of readings, the error of its clock, what of it is stored."""
    catalogue = await context.installed.with_thing(sensor)
    found = catalogue.sensor_by_id.get(sensor)
    if found is None:
        raise unknown_thing(sensor)
    shown = sensor_out(found, catalogue, context.kinds)
    things = [sensor, *shown.corridors]
    clock = await context.source.clock(things)
    receipts = [receipt_out(row) for row in await context.source.standings(things)]
    return SensorDetail(**shown.model_dump(), clock=clock_out(clock) if clock else None, receipts=receipts)


@router.get("/corridors", responses=LISTED, summary="List the corridors")
async def list_corridors(context: InContext) -> Corridors:
    """The pairs of Bluetooth readers. A corridor's id has readings and a state, like a sensor's."""
    return Corridors(items=corridors_out(await context.installed.catalogue()))


@router.get("/kinds", responses=LISTED, summary="List the kinds of sensor")
async def list_kinds(context: InContext) -> KindsOut:
    """What each kind measures: fields with units and labels, texts, period, and how its level is judged."""
    return KindsOut(items=[kind_out(kind) for kind in context.kinds.values()])
