"""Recordings of road traffic: `.npz` files of numpy arrays, T times by N stations, checked before anything uses them.

Owns the format: which arrays there are, their shapes and types. A file is read without pickle, so it can carry nothing
but numbers and names; whatever is not a recording is refused whole, in one line that names file, array and expectation.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensors.errors import OperatorError

MEASURED = ("speed_kmh", "flow_veh_h", "occupancy_pct")
"""Arrays of readings; a recording has at least one. Names are those of the fields of the kind `traffic`."""

LARGEST_BYTES = 4 << 30
"""Unpacked size that is refused: a month of 30-s data of 200 stations in every array is 0.7 GB."""

_SHAPES: Mapping[str, tuple[str, type[np.generic]]] = {
    "time": ("T", np.int64),
    "station": ("N", np.str_),
    "free_speed_kmh": ("N", np.float32),
    "free_speed_origin": ("N", np.str_),
    "speed_kmh": ("TN", np.float32),
    "flow_veh_h": ("TN", np.float32),
    "occupancy_pct": ("TN", np.float32),
    "usual_speed_kmh": ("TN", np.float32),
    "adjacency": ("NN", np.float32),
    "position_km": ("N", np.float64),
    "latitude": ("N", np.float64),
    "longitude": ("N", np.float64),
    "truth": ("TN", np.int8),
    "unexpected": ("TN", np.int8),
}
_REQUIRED = ("time", "station", "free_speed_kmh")


class RecordingError(OperatorError):
    """A file that cannot be used as a recording; the message is one line and names the file."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recording:
    """Readings of N stations at T times. Measured arrays are T,N float32 with NaN for missing; None is an absent array.

    `time` is Unix seconds UTC, strictly increasing. `truth` is 1 congested, 0 free, -1 slowed (do not care).
    """

    time: NDArray[np.int64]
    station: NDArray[np.str_]
    free_speed_kmh: NDArray[np.float32]
    free_speed_origin: NDArray[np.str_] | None = None
    speed_kmh: NDArray[np.float32] | None = None
    flow_veh_h: NDArray[np.float32] | None = None
    occupancy_pct: NDArray[np.float32] | None = None
    usual_speed_kmh: NDArray[np.float32] | None = None
    adjacency: NDArray[np.float32] | None = None
    position_km: NDArray[np.float64] | None = None
    latitude: NDArray[np.float64] | None = None
    longitude: NDArray[np.float64] | None = None
    truth: NDArray[np.int8] | None = None
    unexpected: NDArray[np.int8] | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that are there, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in named.items() if array is not None}

    def measured(self) -> dict[str, NDArray[np.float32]]:
        """The arrays of readings that are there, by the field of the kind `traffic`."""
        arrays = self.arrays()
        return {name: arrays[name] for name in MEASURED if name in arrays}

    @property
    def interval_s(self) -> float:
        """The median step between two times; 0 for a single one."""
        return float(np.median(np.diff(self.time))) if len(self.time) > 1 else 0.0


def load_recording(path: Path) -> Recording:
    """Read and check a recording; raises `RecordingError`. Arrays that the format does not know are ignored."""
    arrays = _read(path)
    for problem in _problems(arrays):
        raise RecordingError(f"{path}: {problem}")
    return Recording(**{name: arrays[name] for name in _SHAPES if name in arrays})


def save_recording(path: Path, recording: Recording) -> None:
    """Write a recording, compressed, all of it or nothing; a file that is there is replaced.

    Raises `RecordingError` for a recording that `load_recording` would refuse, and where it cannot be written.
    """
    arrays = recording.arrays()
    for problem in [*_problems(arrays), *_size_problems(arrays)]:
        raise RecordingError(f"{path}: {problem}")
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("xb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as exc:
        raise RecordingError(f"{path}: cannot be written: {exc.strerror or exc}") from exc
    finally:
        part.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        _check_size(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if name in _SHAPES}
    except OSError as exc:
        raise RecordingError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    except zipfile.BadZipFile as exc:
        raise RecordingError(
            f"{path}: not a recording: expected an .npz of numpy arrays, found no zip archive"
        ) from exc
    except (ValueError, EOFError, KeyError, NotImplementedError, zlib.error) as exc:
        detail = " ".join(str(exc).split()) or type(exc).__name__
        raise RecordingError(f"{path}: not a recording: expected an .npz of numpy arrays: {detail}") from exc


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > LARGEST_BYTES:
        raise RecordingError(f"{path}: {size} bytes unpacked; a recording has at most {LARGEST_BYTES}")


def _size_problems(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    size = sum(array.nbytes for array in arrays.values())
    return [f"{size} bytes unpacked; a recording has at most {LARGEST_BYTES}"] if size > LARGEST_BYTES else []


def _problems(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """What is wrong, most fundamental first; later checks rely on the earlier ones."""
    missing = [name for name in _REQUIRED if name not in arrays]
    if missing:
        found = ", ".join(arrays) or "none of the format's arrays"
        return [f"the array {missing[0]!r} is missing; found {found}"]
    if not any(name in arrays for name in MEASURED):
        return [f"no readings: expected one of {', '.join(MEASURED)}, found {', '.join(arrays)}"]
    return _shape_problems(arrays) or _value_problems(arrays)


def _shape_problems(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    length = {"T": arrays["time"].size, "N": arrays["station"].size}
    problems = []
    for name, array in arrays.items():
        axes, dtype = _SHAPES[name]
        shape = tuple(length[axis] for axis in axes)
        if array.shape != shape:
            problems.append(f"{name} has shape {array.shape}, expected {','.join(axes)} = {shape}")
        if not np.issubdtype(array.dtype, dtype):
            problems.append(f"{name} has type {array.dtype}, expected {dtype.__name__.rstrip('_')}")
    return problems


def _value_problems(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    time, station, free = arrays["time"], arrays["station"], arrays["free_speed_kmh"]
    if not time.size or not station.size:
        return [f"it is empty: {time.size} times, {station.size} stations"]
    problems = []
    late = np.flatnonzero(np.diff(time) <= 0)
    if late.size:
        before, after = time[late[0]], time[late[0] + 1]
        problems.append(f"time does not increase: {after} follows {before} at index {late[0] + 1}")
    names, counts = np.unique(station, return_counts=True)
    if counts.max() > 1:
        problems.append(f"the station {str(names[counts.argmax()])!r} is there {counts.max()} times, expected once")
    bad = np.flatnonzero(~(np.isfinite(free) & (free > 0)))
    if bad.size:
        problems.append(f"free_speed_kmh of {str(station[bad[0]])!r} is {free[bad[0]]}, expected a positive number")
    return problems
