"""`vigie record`: a range of time of the own database, as a recording."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.week import SLOT_S, Week
from sensors.catalogue import Catalogue, Sensor
from sensors.errors import OperatorError
from sensors.kind import Kind, Kinds
from sensors.level import DISTRUSTED
from service.free_speeds import free_speeds
from service.selection import select
from simulators.carriageway import along_the_road
from simulators.raster import Grid, Raster
from simulators.recorder import FreeSpeed, Station, free_speed_in_range, make_recording
from simulators.recording import LARGEST_BYTES, MEASURED, Recording, save_recording
from simulators.replay import Neighbour, UsualSpeed
from store.catalogue import load_catalogue
from store.database import Connection, connected
from store.ranges import Range, extent_of, neighbours_of, read_columns, usual_speeds_of

_READ_S = 6 * 3600
"""Of the range at once: a quarter of a day of 1,000 sensors at 30 s is 0.7 million readings, some 100 MB."""


class RecordError(OperatorError):
    """A range that cannot be recorded."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Steps that end in [start, end); sites and sensors narrow each other, empty is all. No step: the sensors' own."""

    start: datetime
    end: datetime
    sites: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()
    kind: str = "traffic"
    step_s: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording holds: T times, N stations, and how many pairs of them have a value."""

    times: int
    stations: int
    readings: int
    step_s: int


async def record(
    database_url: str, kinds: Kinds, wanted: Wanted, path: Path, *, say: Callable[[str], None]
) -> Recorded:
    """Write a recording to `path`; raises `RecordError`, `RecordingError`, `SelectionError`, `DatabaseUnavailable`."""
    require_range(wanted.start, wanted.end)
    kind = _kind(kinds, wanted.kind)
    async with connected(database_url, name="record") as conn:
        catalogue = await load_catalogue(conn)
        sensors = _sensors(catalogue, kind, wanted)
        grid = _grid(wanted, kind, sensors)
        raster = await _read(conn, kind, sensors, grid)
        if not any(np.isfinite(array).any() for array in raster.arrays.values()):
            raise RecordError(await _nothing(conn, kind, sensors, wanted))
        free = await _free(conn, kind, sensors, raster)
        recording = await _made(conn, catalogue, sensors, raster, free)
    _say_origins([sensor.id for sensor in sensors], free, say)
    await asyncio.to_thread(save_recording, path, recording)
    present = np.logical_or.reduce([np.isfinite(array) for array in recording.measured().values()])
    return Recorded(len(recording.time), len(recording.station), int(present.sum()), grid.step_s)


def require_range(start: datetime, end: datetime) -> None:
    """Raise `RecordError` for a range that is none."""
    if not start < end:
        raise RecordError(f"--from {start.isoformat()} is not before --to {end.isoformat()}: swap them")
    if start.microsecond:
        raise RecordError(f"--from {start.isoformat()} has a fraction: give whole seconds")


def _kind(kinds: Kinds, name: str) -> Kind:
    if name not in kinds:
        raise RecordError(f"there is no kind {name!r}: choose one of {', '.join(kinds)}")
    if not set(MEASURED) & set(kinds[name].field_names):
        raise RecordError(
            f"a recording holds road traffic, and {name} has none of {', '.join(MEASURED)}: "
            "'vigie replay --from --to' plays a range of every kind"
        )
    return kinds[name]


def _sensors(catalogue: Catalogue, kind: Kind, wanted: Wanted) -> list[Sensor]:
    chosen = select(catalogue, sites=wanted.sites, things=wanted.sensors).sensors
    for sensor in chosen:
        if sensor.id in wanted.sensors and sensor.kind != kind.name:
            raise RecordError(f"{sensor.id} is of the kind {sensor.kind}: leave it out, or say --kind {sensor.kind}")
    sensors = [sensor for sensor in chosen if sensor.kind == kind.name]
    if not sensors:
        raise RecordError(f"no sensor of the kind {kind.name} at {', '.join(wanted.sites)}: name other sites")
    return sensors


def _grid(wanted: Wanted, kind: Kind, sensors: Sequence[Sensor]) -> Grid:
    """The sensors' own step by default, the shortest where they differ: then nothing is averaged away."""
    period_s = min(sensor.period_s or kind.period_s for sensor in sensors)
    step_s = wanted.step_s or max(1, round(period_s))
    count = ceil((wanted.end - wanted.start) / timedelta(seconds=step_s))
    size = count * len(sensors) * len(MEASURED) * np.dtype(np.float32).itemsize
    if size > LARGEST_BYTES:
        raise RecordError(
            f"{count} times of {len(sensors)} stations are {size} bytes, and a recording has at most {LARGEST_BYTES}: "
            "take a shorter range, fewer sites or a longer --step"
        )
    return Grid(int(wanted.start.timestamp()), step_s, count)


async def _read(conn: Connection, kind: Kind, sensors: Sequence[Sensor], grid: Grid) -> Raster:
    names = [sensor.id for sensor in sensors]
    fields = [name for name in MEASURED if name in kind.field_names]
    places = [kind.field_names.index(name) for name in fields]
    raster = Raster(grid, names, fields)
    for start, end in _pieces(grid):
        columns = await read_columns(conn, Range(kind, names, start, end))
        trusted = (columns.quality & int(DISTRUSTED)) == 0
        raster.fill(columns.thing, columns.time_us, columns.values[:, places], trusted)
    return raster


def _pieces(grid: Grid) -> Iterator[tuple[datetime, datetime]]:
    """Spans of whole steps, which end at their times: each is open at its start and closed at its end."""
    tick, rows = timedelta(microseconds=1), max(1, _READ_S // grid.step_s)
    first = datetime.fromtimestamp(grid.start_s - grid.step_s, UTC) + tick
    for row in range(0, grid.count, rows):
        steps = min(rows, grid.count - row)
        yield first + timedelta(seconds=row * grid.step_s), first + timedelta(seconds=(row + steps) * grid.step_s)


async def _nothing(conn: Connection, kind: Kind, sensors: Sequence[Sensor], wanted: Wanted) -> str:
    found = await extent_of(conn, kind, [sensor.id for sensor in sensors])
    there = (
        f"there are some from {_written(found[0])} to {_written(found[1])}" if found else "there are none at all yet"
    )
    return (
        f"no readings of {len(sensors)} sensors ({kind.name}) between {_written(wanted.start)} and "
        f"{_written(wanted.end)}: {there}"
    )


def _written(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


async def _made(
    conn: Connection, catalogue: Catalogue, sensors: Sequence[Sensor], raster: Raster, free: Mapping[str, FreeSpeed]
) -> Recording:
    names = [sensor.id for sensor in sensors]
    near = {Neighbour(*row) for row in await neighbours_of(conn, names)} | set(along_the_road(catalogue, sensors))
    usual = [UsualSpeed(*row) for row in await usual_speeds_of(conn, names)]
    stations = [Station(sensor, catalogue.site_by_id[sensor.site]) for sensor in sensors]
    return make_recording(raster, stations, free, neighbours=near, usual_speeds=usual, of_week=_of_week)


def _of_week(timezone: str, time: NDArray[np.int64]) -> NDArray[np.int64]:
    """As the analytics count the week: a public holiday is a Sunday."""
    return Week(timezone).slots(time * 1_000_000) * SLOT_S + time % SLOT_S


async def _free(conn: Connection, kind: Kind, sensors: Sequence[Sensor], raster: Raster) -> dict[str, FreeSpeed]:
    known, speeds = await free_speeds(conn, kind, sensors), raster.arrays.get("speed_kmh")
    for column, sensor in enumerate(sensors):
        if sensor.id not in known:
            found = free_speed_in_range(None if speeds is None else speeds[:, column])
            known |= {} if found is None else {sensor.id: found}
    return known


def _say_origins(names: Sequence[str], free: Mapping[str, FreeSpeed], say: Callable[[str], None]) -> None:
    if left := [name for name in names if name not in free]:
        say(f"left out, because nothing gives their free speed: {', '.join(left)}")
    if guessed := [name for name in names if name in free and free[name].origin == "range"]:
        say(f"free speed taken from the range itself, which is too low if it is one jam: {', '.join(guessed)}")
