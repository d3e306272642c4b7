"""The command over a recording small enough to know what it must find."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensors.kind import load_kinds
from service.cli import main
from service.evaluate.disturb import disturbed
from service.evaluate.evaluation import Disturbance, evaluate
from simulators.recording import Recording, save_recording

KINDS = load_kinds()
CALM = Disturbance()
DAY = 288


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight stations, two days at 5 min: a jam of two hours each morning at all of them, and noise."""
    generator = np.random.default_rng(1)
    ratio = np.full((2 * DAY, 8), 0.95)
    truth = np.zeros(ratio.shape, np.int8)
    for first in (100, 100 + DAY):
        ratio[first : first + 24] = 0.3
        truth[first : first + 24] = 1
    speed = 100 * ratio + generator.normal(0, 2, ratio.shape)
    path = tmp_path_factory.mktemp("recordings") / "two-days.npz"
    save_recording(
        path,
        Recording(
            time=1_700_000_000 + 300 * np.arange(2 * DAY),
            station=np.array([f"s{k}" for k in range(8)]),
            free_speed_kmh=np.full(8, 100, np.float32),
            speed_kmh=speed.astype(np.float32),
            truth=truth,
        ),
    )
    return path


@pytest.fixture(scope="module")
def calm(recording: Path) -> Mapping[str, Any]:
    return evaluate(recording, KINDS, CALM)


def test_jams_are_found_and_nothing_else(calm: Mapping[str, Any]) -> None:
    found = calm
    assert (found["recording"], found["events"], found["detection_rate"]) == ("two-days.npz", 16, 1.0)
    assert (found["false_per_station_day"], found["nuisance_per_station_day"], found["f1"]) == (0.0, 0.0, 1.0)
    assert (found["alarms_per_event"], found["delay_median_min"]) == (1.0, 5.0)
    assert found["levels_exact"] == pytest.approx(1 - 8 * 2 * 5 / (2 * DAY * 8), abs=0.01)


def test_faults_of_every_station_open_no_false_alarm(recording: Path) -> None:
    assert evaluate(recording, KINDS, Disturbance(faults=1.0, seed=1))["false_per_station_day"] == 0.0


def test_lost_readings_do_not_cut_an_alarm_in_two(recording: Path) -> None:
    found = evaluate(recording, KINDS, Disturbance(loss=0.2))
    assert (found["detection_rate"], found["alarms_per_event"]) == (1.0, 1.0)


def test_recording_without_truth_gives_null(recording: Path, tmp_path: Path) -> None:
    with np.load(recording) as file:
        np.savez(tmp_path / "bare.npz", **{name: file[name] for name in file.files if name != "truth"})
    found = evaluate(tmp_path / "bare.npz", KINDS, CALM)
    counted = ["situations", "alarm_starts", "max_new_per_10min"]
    ends = ["end_error_median_min", "end_error_constant_min", "end_coverage_80"]
    known = [name for name, value in found.items() if value is not None]
    assert known == ["recording", "levels_exact", *counted, *ends]


def test_command_prints_one_object_a_recording(
    recording: Path, calm: Mapping[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(recording), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [calm]


def test_command_says_in_one_line_what_is_no_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.npz").write_text("no zip")
    assert main(["evaluate", str(tmp_path / "text.npz")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_faults_are_the_four_in_turn_for_twelve_hours() -> None:
    speed = np.random.default_rng(2).uniform(50, 100, (2 * DAY, 8)).astype(np.float32)
    broken = disturbed({"speed_kmh": speed}, 300, faults=0.5, loss=0, seed=3)["speed_kmh"]
    changed = [np.flatnonzero(~(broken[:, k] == speed[:, k])) for k in range(8)]
    spans = {k: (rows[0], rows[-1] + 1) for k, rows in enumerate(changed) if len(rows)}
    assert len(spans) == 4
    kinds = set()
    for station, (first, last) in spans.items():
        inside = broken[first:last, station]
        if np.isnan(inside).all():
            kinds.add("gap")
        elif (inside == 0).all():
            kinds.add("zero")
        elif (inside == broken[first - 1, station]).all():
            kinds.add("frozen")
        else:
            assert 0 < (inside == 0).sum() < 20
            kinds.add("spikes")
            continue
        assert last - first == 144
    assert kinds == {"gap", "zero", "frozen", "spikes"}


def test_same_seed_same_disturbance() -> None:
    speed = np.random.default_rng(4).uniform(50, 100, (300, 8)).astype(np.float32)
    one, again, other = (
        disturbed({"speed_kmh": speed}, 300, faults=0.5, loss=0.3, seed=seed)["speed_kmh"] for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other, equal_nan=True)


def test_loss_is_the_share_asked_for_and_in_all_arrays_alike() -> None:
    ones = np.ones((1000, 20), np.float32)
    lost = disturbed({"speed_kmh": ones, "flow_veh_h": ones}, 300, faults=0, loss=0.2, seed=1)
    assert np.isnan(lost["speed_kmh"]).mean() == pytest.approx(0.2, abs=0.01)
    np.testing.assert_array_equal(np.isnan(lost["speed_kmh"]), np.isnan(lost["flow_veh_h"]))
