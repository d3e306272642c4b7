"""What the map is drawn on: the coast and the road sections, as GeoJSON that browsers keep."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response

from api import geojson
from api.context import InContext
from api.documented import LISTED, features

router = APIRouter(prefix="/v1/geometry", tags=["map"])

IfNoneMatch = Annotated[str | None, Header(include_in_schema=False)]


@router.get("/coast", response_class=Response, responses=LISTED | features(), summary="Draw the coast")
async def show_coast(context: InContext, if_none_match: IfNoneMatch = None) -> Response:
    """The outline of the land around the port (IGN Admin Express, Licence Ouverte), kept by browsers for a day."""
    return _kept(context.coast, if_none_match, "public, max-age=86400")


@router.get("/sections", response_class=Response, responses=LISTED | features(), summary="Draw the roads")
async def show_sections(context: InContext, if_none_match: IfNoneMatch = None) -> Response:
    """The directed road sections between sites, as straight lines, with what they can store."""
    body = geojson.lines(await context.installed.catalogue())
    return _kept(body, if_none_match, "no-cache")


def _kept(body: bytes, if_none_match: str | None, policy: str) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"etag": tag, "cache-control": policy}
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=geojson.MEDIA_TYPE, headers=headers)
