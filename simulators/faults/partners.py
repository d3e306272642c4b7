"""Which other sensor a sensor can be mistaken for: that of the other lane, the other direction, the next one."""

from __future__ import annotations

from sensors.catalogue import Catalogue, Sensor


def other_lane(catalogue: Catalogue, thing: str) -> str | None:
    """The sensor of another lane of the same road in the same direction."""
    here = catalogue.sensor_by_id.get(thing)
    for one in _on_the_same_road(catalogue, here):
        if here is not None and one.direction == here.direction and one.lane != here.lane:
            return one.id
    return None


def other_direction(catalogue: Catalogue, thing: str) -> str | None:
    """The sensor of the same lane in the opposite direction, or the corridor that leads back."""
    if (corridor := catalogue.corridor_by_id.get(thing)) is not None:
        ways = {(one.from_site, one.to_site): one.id for one in catalogue.corridors}
        return ways.get((corridor.to_site, corridor.from_site))
    here = catalogue.sensor_by_id.get(thing)
    for one in _on_the_same_road(catalogue, here):
        if here is not None and one.direction != here.direction and one.lane == here.lane:
            return one.id
    return None


def next_of_kind(catalogue: Catalogue, thing: str) -> str | None:
    """The next sensor of the same kind, at the same site where there is one; for a corridor the next corridor."""
    if thing in catalogue.corridor_by_id:
        return _after(thing, [corridor.id for corridor in catalogue.corridors])
    here = catalogue.sensor_by_id.get(thing)
    if here is None:
        return None
    alike = [sensor for sensor in catalogue.sensors if sensor.kind == here.kind]
    near = [sensor.id for sensor in alike if sensor.site == here.site]
    return _after(thing, near) or _after(thing, [sensor.id for sensor in alike])


def _on_the_same_road(catalogue: Catalogue, here: Sensor | None) -> list[Sensor]:
    if here is None or here.road is None:
        return []
    return [
        sensor
        for sensor in catalogue.sensors
        if (sensor.site, sensor.road, sensor.kind) == (here.site, here.road, here.kind) and sensor.id != here.id
    ]


def _after(name: str, names: list[str]) -> str | None:
    """The name that follows in the circle, None when there is no other."""
    if len(names) <= 1:
        return None
    return names[(names.index(name) + 1) % len(names)]
