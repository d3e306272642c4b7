"""GeoJSON (RFC 7946) of what has a place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from fastapi.responses import Response
from pydantic import BaseModel

from api.models.catalogue import SensorOut, SiteOut
from sensors.catalogue import Catalogue, Section, Site

MEDIA_TYPE = "application/geo+json"

SCHEMA: dict[str, Any] = {
    "title": "FeatureCollection",
    "description": "GeoJSON of RFC 7946",
    "type": "object",
    "required": ["type", "features"],
    "examples": [
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "id": "W07",
                    "geometry": {"type": "Point", "coordinates": [4.826, 43.4215]},
                    "properties": {"name": "Seayard"},
                }
            ],
        }
    ],
    "properties": {
        "type": {"const": "FeatureCollection"},
        "features": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "geometry", "properties"],
                "properties": {
                    "type": {"const": "Feature"},
                    "id": {"type": "string"},
                    "geometry": {"type": ["object", "null"]},
                    "properties": {"type": ["object", "null"]},
                },
            },
        },
    },
}


def points(items: Sequence[SiteOut] | Sequence[SensorOut]) -> Response:
    """One point per item; one without a position has a null geometry, as the standard wants it."""
    body = collection(_feature(item.id, _point(item.longitude, item.latitude), item) for item in items)
    return Response(body, media_type=MEDIA_TYPE, headers={"vary": "Accept"})


def lines(catalogue: Catalogue) -> bytes:
    """The road sections as straight lines between their sites; those without both positions are left out."""
    ends = ((s, catalogue.site_by_id[s.from_site], catalogue.site_by_id[s.to_site]) for s in catalogue.sections)
    return collection(_line(*end) for end in ends if None not in (end[1].latitude, end[2].latitude))


def collection(features: Iterable[dict[str, Any]]) -> bytes:
    return msgspec.json.encode({"type": "FeatureCollection", "features": list(features)})


def _line(section: Section, start: Site, end: Site) -> dict[str, Any]:
    ends = [[start.longitude, start.latitude], [end.longitude, end.latitude]]
    properties = msgspec.to_builtins(section)
    return {
        "type": "Feature",
        "id": section.id,
        "geometry": {"type": "LineString", "coordinates": ends},
        "properties": properties,
    }


def _point(longitude: float | None, latitude: float | None) -> dict[str, Any] | None:
    if longitude is None or latitude is None:
        return None
    return {"type": "Point", "coordinates": [longitude, latitude]}


def _feature(id_: str, geometry: dict[str, Any] | None, item: BaseModel) -> dict[str, Any]:
    properties = item.model_dump(mode="json", exclude={"latitude", "longitude"})
    return {"type": "Feature", "id": id_, "geometry": geometry, "properties": properties}
