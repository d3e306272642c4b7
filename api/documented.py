"""The answers that operations have in common, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from api import geojson, problems

Responses = dict[int | str, dict[str, Any]]

_PROBLEM = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

_FEATURES = {geojson.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/FeatureCollection"}}}


def problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": _PROBLEM}


OTHER: Responses = {"default": problem("Any other error")}
AWAY: Responses = {503: problem("The database cannot be reached; Retry-After says when to try again")}
INVALID: Responses = {422: problem("A parameter cannot be used; `errors` names it, its value and what was expected")}
UNKNOWN: Responses = {404: problem("No sensor or corridor has this id")}

LISTED: Responses = INVALID | AWAY | OTHER
ONE: Responses = UNKNOWN | LISTED


STREAM: dict[str, Any] = {
    "description": "Server-sent events; a comment every 15 s keeps the connection open",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "example": 'event: heartbeat\ndata: {"cursor":"1042","data_age_s":2.1}\n\n',
        }
    },
}


SCHEMA: dict[str, Any] = {
    "description": "A JSON Schema, draft 2020-12",
    "content": {"application/schema+json": {"schema": {"type": "object"}, "example": {"type": "object"}}},
}


UNCHANGED: Responses = {304: {"description": "Unchanged since that ETag"}}


def geojson_too(model: type[BaseModel]) -> Responses:
    """200 as `model` or, when asked for, as GeoJSON."""
    return {200: {"model": model, "description": "JSON, or GeoJSON when asked for", "content": _FEATURES}}


def features() -> Responses:
    """200 as GeoJSON, 304 for who has it already."""
    return {200: {"description": "GeoJSON", "content": _FEATURES}} | UNCHANGED
