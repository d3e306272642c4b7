from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensors.kind import load_kinds
from service.score.stage import recorded_port
from service.score.tally import Tally
from simulators.simulate import messages
from simulators.truth import TruthRecorder, read_truth
from simulators.world import World

Run = Callable[..., "subprocess.CompletedProcess[str]"]
KEYS = list(Tally().figures("nothing"))

LORRIES = """
title = { en = "Lorries", fr = "Camions" }
about = { en = "Lorries stand on RD268.", fr = "Des camions stationnent sur la RD268." }
weekdays = ["monday"]
start = "07:00"
hours = 0.75

[[interventions]]
what = "standing_lorries"
where = "W01-W02"
start_min = 15
for_min = 20
"""


def test_a_scenario_through_the_whole_chain_beside_the_baseline(run_vigie: Run, tmp_path: Path) -> None:
    (tmp_path / "lorries.toml").write_text(LORRIES)
    options = ["--scenarios", tmp_path, "--scenario", "lorries", "--weeks", "0", "--compare", "--json"]
    kept = tmp_path / "kept"
    options += ["--keep", kept]
    done = run_vigie("score", "--all", *options)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    assert set(found) == {"vigie", "baseline"}
    for rows in found.values():
        assert [row["scenario"] for row in rows] == ["lorries", "all"]
        assert [list(row) for row in rows] == [KEYS, KEYS]
        assert rows[0]["events"] > 0
    ours, theirs = found["vigie"][0], found["baseline"][0]
    assert (ours["events"], ours["faults"], ours["sensor_days"]) == (
        theirs["events"],
        theirs["faults"],
        theirs["sensor_days"],
    )
    assert ours["detection_rate"] == 1.0
    assert ours["detect_median_min"] <= 8  # one covered loop alone waits for a witness: docs/detection.md
    assert ours["true_events_muted"] == 0
    names = [f"lorries-1-{faults}.{what}.jsonl" for faults in (0, 10) for what in ("baseline", "truth", "vigie")]
    assert sorted(path.name for path in kept.iterdir()) == sorted(names)
    truth = read_truth(kept / "lorries-1-10.truth.jsonl")
    assert len(truth.faults) == 10


def test_a_run_that_fails_names_its_scenario_and_its_seed(
    run_vigie: Run, tmp_path: Path, new_home: Callable[[], Path]
) -> None:
    folder = new_home().parent
    (tmp_path / "lorries.toml").write_text(LORRIES)
    options = ["--scenarios", tmp_path, "--scenario", "lorries", "--weeks", "0", "--first-seed", "4"]
    done = run_vigie("score", "--all", *options, "--system", "echo what is this", TMPDIR=str(folder))
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "vigie: scenario lorries, seed 4, 0 faults: echo what is this ended by itself with 0: it said nothing"
    )
    assert list(folder.iterdir()) == []


def test_a_truth_is_compared_with_a_running_system(live: Any, tmp_path: Path) -> None:
    port, kinds, start_s = recorded_port(), load_kinds(), 1_741_000_020.0
    recorder = TruthRecorder(port, scenario="night", seed=1, kinds=kinds)
    world = World(port, kinds, 1)
    for _ in messages(
        world, kinds, start_s=start_s, end_s=start_s + 120, seed=1, observe=lambda seen: recorder.observe(seen.view())
    ):
        pass
    truth = tmp_path / "truth.jsonl"
    truth.write_bytes(b"".join(recorder.finish().lines()))
    done = live.vigie("score", "--truth", truth, "--url", live.url, "--json")
    assert done.returncode == 0, done.stderr
    (figures,) = json.loads(done.stdout)
    assert list(figures) == KEYS
    assert (figures["scenario"], figures["events"], figures["false_alarms"]) == ("night", 0, 0)


@pytest.mark.prove
def test_all_scenarios_are_scored_within_twenty_minutes(run_vigie: Run) -> None:
    done = run_vigie("score", "--all", "--json", timeout=20 * 60)
    assert done.returncode == 0, done.stderr
    rows = {row["scenario"]: row for row in json.loads(done.stdout)}
    assert len(rows) == 15
    assert list(rows)[-1] == "all"
    assert rows["all"]["true_events_muted"] == 0
    assert rows["standing-lorries"]["detect_median_min"] <= 2
