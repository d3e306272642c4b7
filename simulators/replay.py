"""The pure part of a replay: what a recording registers, and the messages it becomes, in order of time.

A recording gets a site of its own, named after its file, whose clock is the recording's. Repeating a replay gives the
same bytes: `boot` is the recording's first second and `seq` counts a station's readings, so nothing changes twice.
Registration and the wait for the last commit need a database and are done by whoever wires this.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Corridor, Sensor, Site
from sensors.payload import PayloadCodec
from sensors.topics import is_topic_level, reading_topic
from simulators.message import Message
from simulators.recording import Recording, RecordingError

KIND = "traffic"
WEEK_S = 7 * 86_400
MONDAY_S = 4 * 86_400
"""The first Monday after 1970-01-01, a Thursday: where weeks are counted from."""


class Neighbour(NamedTuple):
    """`neighbour` is near `sensor` on the road; closeness is 0..1."""

    sensor: str
    neighbour: str
    closeness: float


class UsualSpeed(NamedTuple):
    """What is usual from `start_s` (second of the ISO week, UTC) on, every `interval_s`; NaN where nothing is known."""

    sensor: str
    interval_s: int
    start_s: int
    speed_kmh: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """What must be registered before a replay. `sensors` are in the order of the recording's stations."""

    site: Site
    sensors: tuple[Sensor, ...]
    neighbours: tuple[Neighbour, ...]
    usual_speeds: tuple[UsualSpeed, ...]
    corridors: tuple[Corridor, ...] = ()


def site_id(path: Path) -> str:
    """The site of a recording: its file name without the ending, in lower case, other signs than a-z 0-9 . _ as -."""
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).lstrip("._-")[:64]
    if not is_topic_level(name):
        raise RecordingError(f"{path}: the file name gives no site; use letters and digits, such as monday-0730.npz")
    return name


def plan_replay(recording: Recording, site: str, *, taken: Collection[str] = ()) -> Plan:
    """Name and describe everything a recording registers under `site`.

    A sensor is called as its station, unless that cannot be part of a topic or is in `taken` (the ids of other sites):
    then `<site>.<station>`, with - for what a topic does not allow.
    """
    ids = tuple(_sensor_id(str(name), site, taken) for name in recording.station)
    if len(set(ids)) != len(ids):
        raise RecordingError(f"{site}: two stations give the same sensor id; rename one of them in the recording")
    return Plan(
        site=_site(recording, site),
        sensors=tuple(_sensor(recording, column, sensor, site) for column, sensor in enumerate(ids)),
        neighbours=tuple(_neighbours(recording, ids)),
        usual_speeds=tuple(_usual_speeds(recording, ids)),
    )


def count_readings(recording: Recording) -> int:
    """How many messages a replay publishes."""
    return int(_present(recording).sum())


def replay_messages(recording: Recording, plan: Plan, codec: PayloadCodec) -> Iterator[Message]:
    """Every reading with a finite value, in order of time; missing values are left out, never sent as null."""
    topics = [reading_topic(sensor.site, sensor.id, KIND) for sensor in plan.sensors]
    present, boot = _present(recording), int(recording.time[0])
    columns, sent = recording.measured(), [0] * len(topics)
    for step, second in enumerate(recording.time.tolist()):
        time = datetime.fromtimestamp(second, UTC)
        row = {name: array[step] for name, array in columns.items()}
        for station in np.flatnonzero(present[step]).tolist():
            # A float32 becomes a double exactly, and JSON keeps a double exactly: the value returns bit for bit.
            values = {name: float(array[station]) for name, array in row.items() if np.isfinite(array[station])}
            yield Message(second, topics[station], codec.encode(time, values, boot=boot, seq=sent[station]))
            sent[station] += 1


def _present(recording: Recording) -> NDArray[np.bool_]:
    """Where there is anything to publish: T,N."""
    present = np.zeros((len(recording.time), len(recording.station)), np.bool_)
    for array in recording.measured().values():
        present |= np.isfinite(array)
    return present


def _sensor_id(station: str, site: str, taken: Collection[str]) -> str:
    if is_topic_level(station) and station not in taken:
        return station
    name = f"{site}.{re.sub(r'[^A-Za-z0-9_.:-]', '-', station)}"
    if not is_topic_level(name):
        raise RecordingError(f"{site}: the station {station!r} gives the sensor id {name!r}; expected 64 signs at most")
    return name


def _site(recording: Recording, site: str) -> Site:
    latitude, longitude = (_mean(array) for array in (recording.latitude, recording.longitude))
    return Site(
        id=site,
        name=site,
        basin="recording",
        latitude=latitude,
        longitude=longitude,
        clock="recording",
        timezone="UTC",
    )


def _sensor(recording: Recording, column: int, sensor: str, site: str) -> Sensor:
    return Sensor(
        id=sensor,
        site=site,
        kind=KIND,
        name=str(recording.station[column]),
        latitude=_at(recording.latitude, column),
        longitude=_at(recording.longitude, column),
        position_km=_at(recording.position_km, column),
        period_s=_period_s(recording, column),
        free_speed_kmh=float(recording.free_speed_kmh[column]),
    )


def _period_s(recording: Recording, column: int) -> float | None:
    """The station's own median interval: one that reports every 10 min is not silent in between."""
    times = recording.time[np.any([np.isfinite(array[:, column]) for array in recording.measured().values()], axis=0)]
    return float(np.median(np.diff(times))) if len(times) > 1 else None


def _mean(array: NDArray[np.float64] | None) -> float | None:
    return None if array is None or not np.isfinite(array).any() else float(np.nanmean(array))


def _at(array: NDArray[np.float64] | None, column: int) -> float | None:
    return None if array is None or not np.isfinite(array[column]) else float(array[column])


def _neighbours(recording: Recording, ids: tuple[str, ...]) -> Iterator[Neighbour]:
    """Every pair of the adjacency; without one, the next stations along the carriageway, both ways."""
    if recording.adjacency is not None:
        for i, j in np.argwhere(recording.adjacency > 0).tolist():
            if i != j:
                yield Neighbour(ids[i], ids[j], float(recording.adjacency[i, j]))
    elif recording.position_km is not None:
        yield from in_a_row(ids, recording.position_km)


def in_a_row(ids: Sequence[str], position_km: NDArray[np.float64]) -> Iterator[Neighbour]:
    """The next stations along a carriageway, both ways."""
    for i, j in itertools.pairwise(np.argsort(position_km, kind="stable").tolist()):
        yield from (Neighbour(ids[i], ids[j], 1.0), Neighbour(ids[j], ids[i], 1.0))


def _usual_speeds(recording: Recording, ids: tuple[str, ...]) -> Iterator[UsualSpeed]:
    """The first week of the usual speeds on a regular grid: later weeks say the same again."""
    interval = round(recording.interval_s)
    if recording.usual_speed_kmh is None or not interval:
        return
    slot = np.round((recording.time - recording.time[0]) / interval).astype(np.int64)
    first_week = slot < WEEK_S // interval
    grid = np.full((int(slot[first_week].max()) + 1, len(ids)), np.nan, np.float32)
    grid[slot[first_week]] = recording.usual_speed_kmh[first_week]
    start = (int(recording.time[0]) - MONDAY_S) % WEEK_S
    for column, sensor in enumerate(ids):
        yield UsualSpeed(sensor, interval, start, np.ascontiguousarray(grid[:, column]))
