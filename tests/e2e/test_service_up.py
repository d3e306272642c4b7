"""What `vigie up` promises: it says where to look, recovers by name, ends at once, and goes on with the same data."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest


def children(pid: int) -> dict[int, str]:
    """Process ids and command lines of the direct children of a process."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child): Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ") for child in found}


def child(running, word: str) -> int | None:
    return next((pid for pid, line in children(running.process.pid).items() if word in line), None)


def newest(running) -> str:
    return max(state["time"] or "" for state in running.get("/v1/states")["items"])


@pytest.fixture(scope="module")
def port(new_home: Callable[[], Path], start_vigie) -> Iterator:
    running = start_vigie(new_home())
    yield running
    running.stop()


def all_speak(running) -> bool:
    states = {state["sensor"]: state for state in running.get("/v1/states")["items"]}
    sensors = running.get("/v1/sensors")["items"]
    return len(sensors) == 90 and all(states.get(sensor["id"], {}).get("time") for sensor in sensors)


def test_ninety_sensors_speak(port) -> None:
    port.until(lambda: all_speak(port), "all 90 sensors have a state")


@pytest.mark.parametrize(
    ("name", "word"), [("database", "postgres"), ("broker", "mosquitto"), ("simulators", "simulate")]
)
def test_a_killed_child_is_reported_by_name_and_the_service_recovers(port, name: str, word: str) -> None:
    port.until(lambda: port.ready, "ready before the kill")
    seen, pid = len(port.lines), port.until(lambda: child(port, word), f"{name} runs")
    os.kill(pid, signal.SIGKILL)
    said = json.loads(port.wait_for(rf'.*"part": "{name}".*', after=seen).group(0))
    assert "SIGKILL" in said["reason"]
    port.until(lambda: child(port, word) not in {None, pid}, f"{name} runs again")
    port.until(lambda: port.ready, "ready after the kill")
    before = newest(port)
    port.until(lambda: port.ready and newest(port) > before, "readings flow again")


def test_ctrl_c_ends_everything_within_5_s_and_a_second_start_continues(new_home, start_vigie) -> None:
    home = new_home()
    first = start_vigie(home)
    first.until(lambda: all_speak(first), "all 90 sensors have a state")
    with psycopg.connect(first.database_url) as conn:
        before = {row[0] for row in conn.execute("select sensor || time || speed_kmh from traffic")}
    family = children(first.process.pid)
    with httpx.stream("GET", first.url + "/v1/alerts/stream", headers=first.bearer, timeout=30) as stream:
        assert stream.status_code == 200
        status, took = first.stop()
    assert (status, took < 5) == (0, True), (status, took, first.lines[-10:])
    assert not [
        pid for pid in family if Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_text()
    ]

    second = start_vigie(home, "--no-simulators")
    with psycopg.connect(second.database_url) as conn:
        after = {row[0] for row in conn.execute("select sensor || time || speed_kmh from traffic")}
    second.stop()
    assert before <= after
    assert before
    assert not [line for line in second.lines if "download" in line]


def test_it_starts_without_the_grafana_that_it_was_to_fill_and_ends_by_itself_when_told(new_home, start_vigie) -> None:
    options = ("--no-simulators", "--for", "1", "--grafana", "http://127.0.0.1:1")
    running = start_vigie(new_home(), *options, VIGIE_GRAFANA_TOKEN="glsa_none")
    running.wait_for("Grafana has not got the dashboards: ")
    running.wait_for("everything has ended")
    assert running.stop()[0] == 0


def test_a_second_start_on_the_same_home_is_refused_by_the_pid_of_the_first(port, run_vigie) -> None:
    refused = run_vigie("up", "--home", port.home, "--http", "127.0.0.1:0")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert str(port.process.pid) in refused.stderr
