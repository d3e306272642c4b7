import json

import pytest

from sensors.catalogue import shipped_catalogue
from sensors.geometry import is_land, shipped_coast


def test_every_sensor_stands_ashore() -> None:
    port = shipped_catalogue()
    for sensor in port.sensors:
        site = port.site_by_id[sensor.site]
        latitude = site.latitude if sensor.latitude is None else sensor.latitude
        longitude = site.longitude if sensor.longitude is None else sensor.longitude
        assert latitude is not None
        assert longitude is not None
        assert is_land(longitude, latitude), sensor.id


@pytest.mark.parametrize(
    ("place", "longitude", "latitude", "land"),
    [
        ("Fos-sur-Mer, the old town", 4.9440, 43.4380, True),
        ("Istres", 4.9870, 43.5150, True),
        ("Marseille, Saint-Charles", 5.3806, 43.3027, True),
        ("If, an island", 5.3256, 43.2800, True),
        ("Gulf of Fos", 4.9300, 43.3900, False),
        ("Étang de Berre, a hole in the land", 5.1000, 43.4600, False),
        ("dock of Graveleau", 4.8310, 43.4240, False),
        ("open sea off Marseille", 5.2000, 43.2500, False),
        ("Paris, outside the outline", 2.3500, 48.8600, False),
    ],
)
def test_land_and_water_are_told_apart(place: str, longitude: float, latitude: float, *, land: bool) -> None:
    assert is_land(longitude, latitude) is land, place


def test_the_outline_is_small_closed_and_attributed() -> None:
    coast = shipped_coast()
    assert len(coast) < 60_000
    (feature,) = json.loads(coast)["features"]
    assert "IGN Admin Express, Licence Ouverte" in feature["properties"]["attribution"]
    west, south, east, north = json.loads(coast)["bbox"]
    for polygon in feature["geometry"]["coordinates"]:
        for ring in polygon:
            assert ring[0] == ring[-1]
            assert all(west <= lon <= east and south <= lat <= north for lon, lat in ring)
            assert all(round(value, 5) == value for point in ring for value in point)
