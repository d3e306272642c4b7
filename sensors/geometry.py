"""The coast of the shipped port: which points are land. Data and licence: `sensors/geometry/README.md`."""

from __future__ import annotations

from functools import cache
from importlib import resources
from itertools import pairwise

import msgspec

Point = tuple[float, float]
"""Longitude and latitude, as GeoJSON orders them."""


class _Land(msgspec.Struct, frozen=True):
    coordinates: tuple[tuple[tuple[Point, ...], ...], ...]


class _Feature(msgspec.Struct, frozen=True):
    geometry: _Land


class _Coast(msgspec.Struct, frozen=True):
    features: tuple[_Feature, ...]


@cache
def shipped_coast() -> bytes:
    """The outline as GeoJSON: land is inside, everything else in its bounding box is water."""
    return (resources.files("sensors") / "geometry" / "coast.geojson").read_bytes()


def is_land(longitude: float, latitude: float) -> bool:
    """Whether a point lies ashore of the shipped outline; a point outside its bounding box is nowhere, so False."""
    return sum(_crossings(ring, longitude, latitude) for ring in _rings()) % 2 == 1


@cache
def _rings() -> tuple[tuple[Point, ...], ...]:
    coast = msgspec.json.decode(shipped_coast(), type=_Coast)
    return tuple(ring for feature in coast.features for polygon in feature.geometry.coordinates for ring in polygon)


def _crossings(ring: tuple[Point, ...], longitude: float, latitude: float) -> int:
    """Count the edges that a ray towards the east crosses: odd over all rings, holes included, means inside."""
    return sum(
        (y1 > latitude) != (y2 > latitude) and longitude < x1 + (latitude - y1) * (x2 - x1) / (y2 - y1)
        for (x1, y1), (x2, y2) in pairwise(ring)
    )
