"""The operator's page, and what it is told about where it is shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.context import InContext
from api.documented import OTHER
from api.models.service import PageSettings

router = APIRouter()

_INDEX = "index.html"


@router.get("/v1/settings", tags=["service"], responses=OTHER, summary="What the page is told")
async def show_settings(context: InContext) -> PageSettings:
    """Title, language and time zone for screens. Times in the API are UTC whatever it says."""
    settings = context.settings
    return PageSettings(title=settings.title, language=settings.language, timezone=settings.timezone)


@router.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def show_file(context: InContext, path: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """A file of the page; everything that no other route knows ends here too."""
    asset = context.assets.get(path or _INDEX)
    if asset is None:
        raise HTTPException(404)
    headers = {"etag": asset.etag, "cache-control": "no-cache"}
    if if_none_match is not None and asset.etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)
