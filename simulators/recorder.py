"""A recording made of what a database knows of some stations. Pure: whoever wires this reads the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Sensor, Site
from simulators.raster import Raster
from simulators.recording import Recording, RecordingError
from simulators.replay import MONDAY_S, WEEK_S, Neighbour, UsualSpeed, in_a_row

OfWeek = Callable[[str, NDArray[np.int64]], NDArray[np.int64]]
"""Seconds of the week, by the clock of a time zone, of instants (Unix seconds)."""

FREE_QUANTILE = 0.85
"""Of a station's speeds, where nobody knows its free speed: the definition of the format."""


class FreeSpeed(NamedTuple):
    """`configured` in the catalogue, `learnt` by the analytics, or found in the `range` that is recorded."""

    kmh: float
    origin: Literal["configured", "learnt", "range"]


class Station(NamedTuple):
    """A sensor with its site."""

    sensor: Sensor
    site: Site


def free_speed_in_range(speed_kmh: NDArray[np.float32] | None) -> FreeSpeed | None:
    """The 85th percentile of what moved; None where nothing did. Too low where the whole range is one jam."""
    moving = np.empty(0) if speed_kmh is None else speed_kmh[np.isfinite(speed_kmh) & (speed_kmh > 0)]
    return FreeSpeed(float(np.quantile(moving, FREE_QUANTILE)), "range") if moving.size else None


def make_recording(
    raster: Raster,
    stations: Sequence[Station],
    free_speeds: Mapping[str, FreeSpeed],
    *,
    neighbours: Iterable[Neighbour] = (),
    usual_speeds: Iterable[UsualSpeed] = (),
    of_week: OfWeek = lambda _, time: (time - MONDAY_S) % WEEK_S,
) -> Recording:
    """Put together the columns of a raster and what is known of their `stations`; free speeds by the sensor's id.

    What is usual follows the clock of the station's site, told by `of_week`; by default all live in UTC. Left out are
    stations without a free speed, fields that nobody measured, and an adjacency that says no more than the positions
    do. Raises `RecordingError` when no station is left.
    """
    columns = [column for column, station in enumerate(stations) if station.sensor.id in free_speeds]
    if not columns:
        raise RecordingError("no station has a free speed: configure one, or take a range in which vehicles moved")
    kept = [stations[column] for column in columns]
    ids = [station.sensor.id for station in kept]
    time, position_km = raster.grid.times(), _known([station.sensor.position_km for station in kept])
    measured = {name: array[:, columns] for name, array in raster.arrays.items() if np.isfinite(array).any()}
    return Recording(
        time=time,
        station=np.array(_names(kept)),
        free_speed_kmh=np.array([free_speeds[name].kmh for name in ids], np.float32),
        speed_kmh=measured.get("speed_kmh"),
        flow_veh_h=measured.get("flow_veh_h"),
        occupancy_pct=measured.get("occupancy_pct"),
        free_speed_origin=np.array([free_speeds[name].origin for name in ids]),
        usual_speed_kmh=_usual(time, kept, {usual.sensor: usual for usual in usual_speeds}, of_week),
        adjacency=_adjacency(ids, list(neighbours), position_km),
        position_km=position_km,
        latitude=_known([_place(station).latitude for station in kept]),
        longitude=_known([_place(station).longitude for station in kept]),
    )


def _names(stations: Sequence[Station]) -> list[str]:
    """A station of a recording gets back its name, which its id may have had to change; the port's have their ids."""
    names = [station.sensor.name if station.site.clock == "recording" else station.sensor.id for station in stations]
    return names if len(set(names)) == len(names) and all(names) else [station.sensor.id for station in stations]


def _place(station: Station) -> Sensor | Site:
    """Where it stands: of the port's sensors most are known by their site only."""
    known = station.sensor.latitude is not None or station.site.clock == "recording"
    return station.sensor if known else station.site


def _known(values: Sequence[float | None]) -> NDArray[np.float64] | None:
    array = np.array([np.nan if value is None else value for value in values], np.float64)
    return array if np.isfinite(array).any() else None


def _adjacency(
    ids: Sequence[str], near: Sequence[Neighbour], position_km: NDArray[np.float64] | None
) -> NDArray[np.float32] | None:
    following = [] if position_km is None else list(in_a_row(ids, position_km))
    if not near or sorted(near) == sorted(following):
        return None
    column = {name: index for index, name in enumerate(ids)}
    adjacency = np.eye(len(ids), dtype=np.float32)
    for pair in near:
        if pair.sensor in column and pair.neighbour in column:
            adjacency[column[pair.sensor], column[pair.neighbour]] = pair.closeness
    return adjacency


def _usual(
    time: NDArray[np.int64], stations: Sequence[Station], known: Mapping[str, UsualSpeed], of_week: OfWeek
) -> NDArray[np.float32] | None:
    """T,N what is usual at each time of the week, NaN where nobody knows; None where nobody knows anything."""
    usual = np.full((len(time), len(stations)), np.nan, np.float32)
    second = {zone: of_week(zone, time) for zone in {station.site.timezone for station in stations}}
    for column, station in enumerate(stations):
        if found := known.get(station.sensor.id):
            slot = (second[station.site.timezone] - found.start_s) % WEEK_S // found.interval_s
            inside = slot < len(found.speed_kmh)
            usual[inside, column] = found.speed_kmh[slot[inside]]
    return usual if np.isfinite(usual).any() else None
