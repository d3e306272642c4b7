"""Make `nab-realtraffic.npz` from the CSV files of the folder `nab`: run it from the root of the project.

Speeds are in miles an hour, times those of Minnesota. Each sensor keeps its own times: the recording's times are the
union, and a station has a hole wherever it said nothing.
"""

from __future__ import annotations

import csv
import itertools
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.recording import Recording, save_recording

HERE = Path(__file__).parent
MINNESOTA = ZoneInfo("America/Chicago")
KMH_PER_MPH = 1.609344
STATIONS = ("6005", "7578", "t4013")
STEP_S = 300
SLOTS_OF_MEDIAN = 5
CONGESTED, SLOWED = 0.60, 0.75
LEAST_S = 900

Series = dict[int, float]


def read_series(path: Path) -> Series:
    """Unix seconds and value; of two values of one second the first stays."""
    series: Series = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            local = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=MINNESOTA)
            series.setdefault(int(local.astimezone(UTC).timestamp()), float(row["value"]))
    return series


def column(series: Series, time: NDArray[np.int64], factor: float) -> NDArray[np.float32]:
    values = np.array([series.get(second, np.nan) for second in time.tolist()])
    return (values * factor).astype(np.float32)


def free_speed(speed: NDArray[np.float32]) -> np.float32:
    """85th percentile: the recording is its own usual week."""
    return np.float32(np.nanpercentile(speed, 85))


def truth(time: NDArray[np.int64], speed: NDArray[np.float32], free: np.float32) -> NDArray[np.int8]:
    """1 congested, 0 free, -1 slowed: speed smoothed by a centred median of 25 min, under 60 % of free for 15 min."""
    seen = np.isfinite(speed)
    smooth = np.full(len(speed), np.nan)
    for place in np.flatnonzero(seen):
        near = seen & (np.abs(time - time[place]) <= STEP_S * (SLOTS_OF_MEDIAN // 2))
        smooth[place] = np.median(speed[near])
    low = close_gaps(time, smooth < CONGESTED * free, seen)
    result = np.where(seen & (smooth < SLOWED * free), -1, 0).astype(np.int8)
    for first, last in runs(low):
        if time[last] - time[first] + STEP_S >= LEAST_S:
            result[first : last + 1] = 1
    return result


def close_gaps(time: NDArray[np.int64], low: NDArray[np.bool_], seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Join stretches of low speed that are at most 15 min apart, and let holes inside a stretch belong to it."""
    closed = low & seen
    places = np.flatnonzero(closed)
    for before, after in itertools.pairwise(places):
        if time[after] - time[before] <= LEAST_S + STEP_S:
            closed[before : after + 1] = True
    return closed


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def make(folder: Path) -> Recording:
    speeds = {name: read_series(folder / f"speed_{name}.csv") for name in STATIONS}
    shares = {name: folder / f"occupancy_{name}.csv" for name in STATIONS}
    occupancies = {name: read_series(path) if path.exists() else {} for name, path in shares.items()}
    time = np.array(sorted(set().union(*speeds.values(), *occupancies.values())), np.int64)
    speed = np.stack([column(speeds[name], time, KMH_PER_MPH) for name in STATIONS], axis=1)
    free = np.array([free_speed(speed[:, place]) for place in range(len(STATIONS))], np.float32)
    return Recording(
        time=time,
        station=np.array(list(STATIONS)),
        speed_kmh=speed,
        occupancy_pct=np.stack([column(occupancies[name], time, 1.0) for name in STATIONS], axis=1),
        free_speed_kmh=free,
        truth=np.stack([truth(time, speed[:, place], free[place]) for place in range(len(STATIONS))], axis=1),
    )


if __name__ == "__main__":
    save_recording(HERE / "nab-realtraffic.npz", make(HERE / "nab"))
