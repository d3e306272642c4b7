"""The pure part of replaying a range of the own database: what it registers, and the messages it becomes.

Everything chosen is registered once more, under a site of its own whose clock is the recording's, so that the history
and the states of the port stay as they are. Repeating a replay gives the same bytes as long as nothing late has come:
`boot` is the first second of the range and `seq` counts what a thing publishes, in order of time.

Texts that are to be forgotten (`forget_days`) are not repeated: the copy would outlive its original.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from sensors.catalogue import Catalogue, Corridor, Sensor, Site
from sensors.kind import Kind, Kinds
from sensors.payload import PayloadCodec
from sensors.topics import is_topic_level, reading_topic
from simulators.message import Message
from simulators.recorder import FreeSpeed
from simulators.recording import RecordingError
from simulators.replay import Neighbour, Plan, UsualSpeed

BASIN: Final = "recording"

Reading = tuple[str, str, datetime, Mapping[str, float | str | None]]
"""Kind, sensor or corridor as the port calls it, when it was measured, its values."""


def plan_rerun(
    site: str,
    catalogue: Catalogue,
    sensors: Sequence[Sensor],
    corridors: Sequence[Corridor],
    *,
    free_speeds: Mapping[str, FreeSpeed],
    neighbours: Iterable[Neighbour] = (),
    usual_speeds: Iterable[UsualSpeed] = (),
) -> Plan:
    """Describe everything that a replay registers; ids are `<site>.<id>`. Raises `RecordingError` for one too long.

    A sensor keeps its place, its period, its limits, and gets as configured the free speed it was judged by. What is
    usual goes by the clock of a site, so it is only copied for sensors in the time zone that most of them have.
    """
    timezone = _timezone(catalogue, sensors)
    readers = {corridor.reader for corridor in corridors}
    known = {sensor.id for sensor in sensors}
    copied = [*sensors, *(s for s in catalogue.sensors if s.id in readers - known)]
    return Plan(
        site=Site(id=site, name=site, basin=BASIN, clock="recording", timezone=timezone),
        sensors=tuple(_sensor(site, sensor, catalogue.site_by_id[sensor.site], free_speeds) for sensor in copied),
        corridors=tuple(_corridor(site, corridor) for corridor in corridors),
        neighbours=tuple(Neighbour(_id(site, a), _id(site, b), near) for a, b, near in neighbours),
        usual_speeds=tuple(
            usual._replace(sensor=_id(site, usual.sensor))
            for usual in usual_speeds
            if _zone_of(catalogue, catalogue.sensor_by_id[usual.sensor]) == timezone
        ),
    )


class RerunMessages:
    """Readings of the port as messages of the replay's site; to be given the readings in order of time."""

    def __init__(self, site: str, kinds: Kinds, boot: int) -> None:
        self._site, self._boot = site, boot
        self._codecs = {name: PayloadCodec(kind) for name, kind in kinds.items()}
        self._forgotten = {name: forgotten_texts(kind) for name, kind in kinds.items()}
        self._sent: Counter[str] = Counter()

    def of(self, readings: Iterable[Reading]) -> Iterator[Message]:
        for kind, thing, time, values in readings:
            kept = {name: value for name, value in values.items() if name not in self._forgotten[kind]}
            payload = self._codecs[kind].encode(time, kept, boot=self._boot, seq=self._sent[thing])
            self._sent[thing] += 1
            yield Message(time.timestamp(), reading_topic(self._site, _id(self._site, thing), kind), payload)


def forgotten_texts(kind: Kind) -> frozenset[str]:
    return frozenset(text.name for text in kind.texts if text.forget_days is not None)


def _zone_of(catalogue: Catalogue, sensor: Sensor) -> str:
    return catalogue.site_by_id[sensor.site].timezone


def _timezone(catalogue: Catalogue, sensors: Sequence[Sensor]) -> str:
    """That of most sensors."""
    zones = Counter(_zone_of(catalogue, sensor) for sensor in sensors)
    return zones.most_common(1)[0][0] if zones else "UTC"


def _id(site: str, thing: str) -> str:
    name = f"{site}.{thing}"
    if not is_topic_level(name):
        raise RecordingError(f"{name!r} cannot be an id, which has 1 to 64 letters, digits and _ . : -: shorten --as")
    return name


def _sensor(site: str, sensor: Sensor, at: Site, free_speeds: Mapping[str, FreeSpeed]) -> Sensor:
    free = free_speeds.get(sensor.id)
    here = sensor if sensor.latitude is not None else at
    return msgspec.structs.replace(
        sensor,
        id=_id(site, sensor.id),
        site=site,
        name=sensor.name or sensor.id,
        latitude=here.latitude,
        longitude=here.longitude,
        free_speed_kmh=sensor.free_speed_kmh if free is None else free.kmh,
    )


def _corridor(site: str, corridor: Corridor) -> Corridor:
    name, reader = _id(site, corridor.id), _id(site, corridor.reader)
    return msgspec.structs.replace(corridor, id=name, from_site=site, to_site=site, reader=reader)
