"""`vigie simulate --scenario`: with faults through the whole chain, and what was true of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from sensors.fault import Fault
from simulators.truth import Truth, read_truth

SCENARIO = """
title = { en = "Lorries stand on RD268", fr = "Des camions a l'arret sur la RD268" }
about = { en = "For a test.", fr = "Pour un test." }
weekdays = ["tuesday"]
start = "08:00"
hours = 0.3

[[interventions]]
what = "standing_lorries"
where = "W02-W03"
start_min = 3
for_min = 12
"""


@pytest.fixture(scope="module")
def quiet(new_home, start_vigie) -> Iterator[Any]:
    """Without simulators of its own, with receipts at once."""
    running = start_vigie(new_home(), "--no-simulators", VIGIE_INGEST_RECEIPT_S="0.1")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("scenarios")
    (made / "stand.toml").write_text(SCENARIO, "utf-8")
    return made


@pytest.fixture(scope="module")
def played(quiet, run_vigie, folder: Path) -> Truth:
    """The truth of a scenario that was played as fast as possible, with two faults."""
    truth = folder / "truth.jsonl"
    faults = ["--fault", "silent:W04-F1:2m:10m", "--fault", "unit_swapped:W02-F1"]
    options = ["--scenario", "stand", "--seed", "3", "--speed", "max", "--truth", truth, *faults]
    done = run_vigie("simulate", "--home", quiet.home, *options, VIGIE_SCENARIOS_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    assert f"the truth is in {truth}" in done.stderr
    return read_truth(truth)


def rows(quiet, query: str, *values: object) -> list[tuple[datetime, float]]:
    with psycopg.connect(quiet.database_url) as conn:
        return conn.execute(query, values).fetchall()


def test_a_scenario_ends_in_the_present_and_its_truth_is_told_in_that_time(quiet, played: Truth) -> None:
    assert (played.run.scenario, played.run.seed) == ("stand", 3)
    (event,) = [event for event in played.events if event.cause]
    assert event.cause is not None
    assert (event.cause.what, event.cause.where) == ("standing_lorries", "W02-W03")
    (last,) = rows(quiet, "select max(time) from traffic where sensor = 'W02-F1'")
    assert abs((played.run.end - last[0]).total_seconds()) < 60
    standing = rows(
        quiet,
        "select time, occupancy_pct from traffic where sensor = 'W03-F1' and time between %s and %s",
        event.onset,
        event.end or played.run.end,
    )
    assert max(occupancy for _, occupancy in standing) == 100


def test_what_is_stored_has_the_faults_that_the_truth_tells(quiet, played: Truth) -> None:
    silent, swapped = sorted(played.faults, key=lambda fault: fault.what)
    assert (silent.what, silent.where) == (Fault.SILENT, "W04-F1")
    assert (silent.end - silent.start).total_seconds() == 600
    heard = [time for time, _ in rows(quiet, "select time, speed_kmh from traffic where sensor = 'W04-F1'")]
    assert heard
    assert not [time for time in heard if silent.start <= time < silent.end]
    assert (swapped.what, swapped.end) == (Fault.UNIT_SWAPPED, played.run.end)
    before = rows(
        quiet,
        "select time, speed_kmh from traffic where sensor = 'W02-F1' and speed_kmh > 0 and time < %s",
        silent.start,
    )
    assert all(speed < 60 for _, speed in before)  # free speed is 70 km/h, 43 mph


def test_what_is_interrupted_tells_the_truth_until_then(quiet, vigie_environ, folder: Path) -> None:
    truth = folder / "half.jsonl"
    options = ["--scenario", "monday-0730", "--speed", "120", "--truth", truth, "--fault", "stuck:W12-F1:4h:1h"]
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "simulate", "--home", quiet.home, *options],
        env=vigie_environ({}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    counted = "select count(*) from traffic where sensor = 'W12-F1'"
    before = rows(quiet, counted)[0][0]
    quiet.until(lambda: rows(quiet, counted)[0][0] >= before + 5, "readings of the scenario")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    known = read_truth(truth)
    assert 60 <= (known.run.end - known.run.start).total_seconds() < 4 * 3600
    assert known.faults == ()
    assert list(folder.glob(".half*")) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scenario", "monday"], "there is no scenario 'monday'; there are accident-rn568"),
        (["--fault", "stuck:W99-F1"], "there is no sensor 'W99-F1'; there are 104, such as W"),
        (["--fault", "stuck:W07-G1", "--fault", "site_down:W07"], "overlap at W07-G1"),
    ],
)
def test_what_cannot_be_played_is_one_line(quiet, options: list[str], words: str) -> None:
    refused = quiet.vigie("simulate", *options)
    assert refused.returncode == 1
    assert refused.stderr.startswith("vigie: ")
    assert refused.stderr.count("\n") == 1
    assert words in refused.stderr


def test_up_refuses_before_anything_is_started(run_vigie, new_home) -> None:
    home = new_home()
    refused = run_vigie("up", "--home", home, "--http", "127.0.0.1:0", "--scenario", "monday")
    assert refused.returncode == 1
    assert "there is no scenario 'monday'" in refused.stderr
    assert not home.exists()


def test_up_plays_a_scenario_with_faults_in_real_time(start_vigie, new_home) -> None:
    running = start_vigie(new_home(), "--scenario", "monday-0730", "--seed", "3", "--fault", "sentinel:W02-F1")

    def said() -> object:
        answer = httpx.get(running.url + "/v1/sensors/W02-F1/raw", headers=running.bearer, timeout=10)
        return answer.is_success and '"speed_kmh":-99' in answer.text.replace("\\", "")

    try:
        running.until(said, "a reading of a sensor that sends a sentinel")
    finally:
        running.stop()
