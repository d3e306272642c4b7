"""What the map is drawn on: the coast and the road sections, as GeoJSON that browsers keep."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api import geojson
from api.context import InContext
from api.documented import LISTED, features
from api.kept import IfNoneMatch, entity_tag, kept

router = APIRouter(prefix="/v1/geometry", tags=["map"])


@router.get("/coast", response_class=Response, responses=LISTED | features(), summary="Draw the coast")
async def show_coast(context: InContext, if_none_match: IfNoneMatch = None) -> Response:
    """The outline of the land around the port (IGN Admin Express, Licence Ouverte), kept by browsers for a day."""
    return _drawn(context.coast, if_none_match, "public, max-age=86400")


@router.get("/sections", response_class=Response, responses=LISTED | features(), summary="Draw the roads")
async def show_sections(context: InContext, if_none_match: IfNoneMatch = None) -> Response:
    """The directed road sections between sites, as straight lines, with what they can store."""
    body = geojson.lines(await context.installed.catalogue())
    return _drawn(body, if_none_match, "no-cache")


def _drawn(body: bytes, if_none_match: str | None, policy: str) -> Response:
    return kept(body, entity_tag(body), if_none_match, media_type=geojson.MEDIA_TYPE, policy=policy)
