from __future__ import annotations

import runpy
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.recording import Recording, RecordingError, load_recording, save_recording

NAB = Path(__file__).parents[1] / "data" / "nab-realtraffic.npz"
Arrays = dict[str, NDArray[Any]]


def small() -> Arrays:
    return {
        "time": np.array([1000, 1300, 1600], np.int64),
        "station": np.array(["a", "b"]),
        "speed_kmh": np.array([[90.5, np.nan], [80.25, 70], [np.nan, np.nan]], np.float32),
        "free_speed_kmh": np.array([100, 90], np.float32),
    }


def change(**arrays: NDArray[Any]) -> Callable[[Arrays], Arrays]:
    return lambda before: {**before, **arrays}


def without(name: str) -> Callable[[Arrays], Arrays]:
    return lambda before: {key: array for key, array in before.items() if key != name}


def test_a_saved_recording_loads_the_same(tmp_path: Path) -> None:
    save_recording(tmp_path / "r.npz", Recording(**small()))
    loaded = load_recording(tmp_path / "r.npz").arrays()
    assert loaded.keys() == small().keys()
    for name, array in small().items():
        np.testing.assert_array_equal(loaded[name], array)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (without("time"), "the array 'time' is missing"),
        (without("station"), "the array 'station' is missing"),
        (without("free_speed_kmh"), "the array 'free_speed_kmh' is missing"),
        (without("speed_kmh"), "no readings: expected one of speed_kmh, flow_veh_h, occupancy_pct"),
        (change(speed_kmh=np.zeros((2, 3), np.float32)), r"speed_kmh has shape \(2, 3\), expected T,N = \(3, 2\)"),
        (change(speed_kmh=np.zeros((3, 2))), "speed_kmh has type float64, expected float32"),
        (change(time=np.array([1.0, 2.0, 3.0])), "time has type float64, expected int64"),
        (change(time=np.array([1000, 1300, 1300])), "time does not increase: 1300 follows 1300 at index 2"),
        (change(time=np.zeros((1, 3), np.int64)), r"time has shape \(1, 3\)"),
        (change(station=np.array(["a", "a"])), "the station 'a' is there 2 times"),
        (change(station=np.array([1, 2])), "station has type int64, expected str"),
        (change(free_speed_kmh=np.array([100, np.nan], np.float32)), "free_speed_kmh of 'b' is nan"),
        (change(adjacency=np.zeros((2, 3), np.float32)), "adjacency has shape"),
        (change(truth=np.zeros((3, 2), np.int64)), "truth has type int64, expected int8"),
        (change(station=np.array(["a", "b"], object)), "Object arrays cannot be loaded"),
    ],
)
def test_what_is_not_a_recording_is_refused_in_one_line(
    tmp_path: Path, broken: Callable[[Arrays], Arrays], told: str
) -> None:
    path = tmp_path / "r.npz"
    np.savez(path, **broken(small()))
    with pytest.raises(RecordingError, match=told) as caught:
        load_recording(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def _text(path: Path) -> None:
    path.write_text("time,speed\n")


def _other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")


def _cut(path: Path) -> None:
    path.write_bytes(NAB.read_bytes()[:9000])


def _damaged(path: Path) -> None:
    raw = bytearray(NAB.read_bytes())
    raw[2000:4000] = bytes(2000)
    path.write_bytes(raw)


@pytest.mark.parametrize("make", [_text, _other_zip, _cut, _damaged, Path.mkdir, Path.absolute])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "r.npz"
    make(path)
    with pytest.raises(RecordingError, match=r"r\.npz: ") as caught:
        load_recording(path)
    assert "\n" not in str(caught.value)


def test_an_empty_recording_is_refused_when_saved(tmp_path: Path) -> None:
    empty = Recording(
        time=np.zeros(0, np.int64),
        station=np.array(["a"]),
        free_speed_kmh=np.ones(1, np.float32),
        speed_kmh=np.zeros((0, 1), np.float32),
    )
    with pytest.raises(RecordingError, match="it is empty: 0 times, 1 stations"):
        save_recording(tmp_path / "r.npz", empty)
    assert not (tmp_path / "r.npz").exists()


def test_the_shipped_recording_has_holes_and_congestion() -> None:
    recording = load_recording(NAB)
    assert recording.speed_kmh is not None
    assert recording.truth is not None
    assert recording.station.tolist() == ["6005", "7578", "t4013"]
    assert np.isnan(recording.speed_kmh).any(axis=0).all()
    assert (recording.truth == 1).any(axis=0).all()


def test_the_shipped_recording_is_what_its_converter_makes() -> None:
    made = runpy.run_path(str(NAB.parent / "make_nab_recording.py"))["make"](NAB.parent / "nab").arrays()
    shipped = load_recording(NAB).arrays()
    assert made.keys() == shipped.keys()
    for name, array in shipped.items():
        np.testing.assert_array_equal(made[name], array)
