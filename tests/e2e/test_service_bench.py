from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.prove
def test_bench_ingest_counts_every_message_and_compares_in_one_run(run_vigie: Run) -> None:
    done = run_vigie("bench", "ingest", "--messages", "5000", "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    rates = {"copy_only", "naive", "broker_only", "vigie", "vigie_paho", "broker_drain", "drain"}
    assert rates <= set(found)
    assert min(found[name] for name in rates) > 0
    assert found["vigie_per_broker_only"] == round(found["vigie"] / found["broker_only"], 2)


def test_bench_latency_records_its_figures_with_the_machine(run_vigie: Run, tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    done = run_vigie("bench", "latency", "--sensors", "5", "--seconds", "2", "--json", "--record", str(results))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["readings"] == 10
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]
    text = results.read_text()
    assert f"| p99_ms | {found['p99_ms']:,} |" in text
    assert "Python 3" in text


def test_more_sensors_than_the_port_has_are_refused_in_one_line(run_vigie: Run) -> None:
    done = run_vigie("bench", "latency", "--sensors", "1000")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "vigie: --sensors 1000: the shipped port has 96 sensors and corridors"
    )


@pytest.mark.prove
@pytest.mark.parametrize(
    ("what", "option", "names"),
    [
        ("alerts", "--alarms=10", {"p50_ms", "p99_ms", "max_ms", "onset_p50_s", "onset_p99_s"}),
        ("api", "--seconds=2", {"states_p50_ms", "states_p99_ms", "month_p50_ms", "month_p99_ms"}),
        ("memory", "--seconds=20", {"without_simulators_mb", "largest_process_mb", "database_mb", "service_mb"}),
    ],
)
def test_a_bench_of_the_whole_prints_its_figures(run_vigie: Run, what: str, option: str, names: set[str]) -> None:
    done = run_vigie("bench", what, option, "--json", timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert all(found[name] > 0 for name in names)
