"""`vigie simulate` as a field engineer uses it: one sensor, a clean end, a broker that goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

ONE = ["--only", "W06-W1", "--every", "0.1"]  # a gate tells of passages, too, whenever the world moves on
CATALOGUE = """
sites = [{id = "W07", name = "Gate", basin = "west"}]
sensors = [{id = "W07-G9", site = "W07", kind = "gate"}]
"""


@pytest.fixture(scope="module")
def quiet(new_home, start_vigie) -> Iterator[Any]:
    """Without simulators of its own, with receipts at once."""
    running = start_vigie(new_home(), "--no-simulators", VIGIE_INGEST_RECEIPT_S="0.1")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def broker(quiet) -> str:
    return str(quiet.vigie("broker", "url").stdout.strip())


@pytest.fixture(scope="module")
def rows(quiet) -> Callable[[str], list[tuple[Any, ...]]]:
    url = quiet.database_url

    def ask(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(url) as conn:
            return conn.execute(query.encode()).fetchall()

    return ask


class Field:
    """A running `vigie simulate` away from the stack's home: it has the broker and nothing else."""

    def __init__(self, argv: list[str], environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(line.rstrip("\n") for line in self.process.stderr)

    def end(self, number: signal.Signals | None = None) -> tuple[int, dict[str, int]]:
        """Its exit status and counts."""
        if number is not None:
            self.process.send_signal(number)
        assert self.process.stdout is not None
        counts = json.loads(self.process.stdout.read() or "{}")
        status = self.process.wait(60)
        self._reader.join(10)
        self.process.stdout.close()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return status, counts


@pytest.fixture
def field(broker, vigie_environ, vigie_command) -> Iterator[Callable[..., Field]]:
    started: list[Field] = []

    def start(*words: str) -> Field:
        environ = vigie_environ({"VIGIE_BROKER_URL": broker})
        one = Field([*vigie_command, "simulate", "--catalogue", "shipped", "--json", *words], environ)
        started.append(one)
        return one

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()


@pytest.mark.parametrize(
    "words", [[], ["--format", "senml"], ["--mqtt", "3.1.1"], ["--qos", "0"], ["--mqtt", "3.1.1", "--qos", "0"]]
)
def test_a_single_sensor_says_what_was_set_and_every_reading_is_receipted(field, rows, words: list[str]) -> None:
    before = rows("select count(*) from wind where sensor = 'W06-W1'")[0][0]
    status, counts = field(*ONE, "--set", "direction_deg=40", "--set", "gust_ms=null", "--count", "5", *words).end()
    assert status == 0
    assert counts == {"published": 5, "accepted": 5, "receipted": 5, "repeated": 0, "dropped": 0}
    stored = rows("select direction_deg, gust_ms, quality from wind where sensor = 'W06-W1' order by received_at")
    assert stored[before:] == 5 * [(40.0, None, 0)]


def test_ctrl_c_waits_for_the_receipts_and_ends_well(field, rows, quiet) -> None:
    running = field(*ONE, "--set", "direction_deg=55")
    quiet.until(lambda: rows("select 1 from wind where direction_deg = 55 limit 1"), "a reading")
    status, counts = running.end(signal.SIGINT)
    assert status == 0
    assert counts["receipted"] == counts["published"] > 0


def test_what_is_never_receipted_is_named_and_the_end_says_so(field, tmp_path: Path) -> None:
    (tmp_path / "port.toml").write_text(CATALOGUE)
    words = ["--catalogue", str(tmp_path / "port.toml"), "--every", "0.1", "--count", "3", "--patience", "1"]
    running = field(*words)
    status, counts = running.end()
    assert status == 1
    assert counts["receipted"] == 0
    assert any("waiting at most 1 s for 3 receipts" in line for line in running.said)
    assert running.said[-1].startswith("vigie: 3 readings were not receipted: 3 of W07-G9; ")


def test_a_second_ctrl_c_does_not_wait(field, tmp_path: Path, quiet) -> None:
    (tmp_path / "port.toml").write_text(CATALOGUE)
    words = ["--catalogue", str(tmp_path / "port.toml"), "--every", "0.1", "--count", "2", "--patience", "600"]
    running = field(*words)
    quiet.until(lambda: any("waiting at most 600 s" in line for line in running.said), "the end")
    status, _ = running.end(signal.SIGINT)
    assert status == 1
    assert "2 readings were not receipted" in running.said[-1]


def test_a_broker_that_is_killed_and_comes_back_gets_everything(field, rows, quiet) -> None:
    running = field(*ONE, "--set", "direction_deg=77")
    stored = "select count(*) from wind where direction_deg = 77"
    quiet.until(lambda: rows(stored)[0][0] > 3, "some readings")
    after = len(quiet.lines)
    os.kill(broker_process(quiet.home), signal.SIGKILL)
    quiet.wait_for("broker: subscribed", after=after)
    quiet.until(lambda: any("broker reached" in line for line in running.said), "the sender is back")
    known = rows(stored)[0][0]
    quiet.until(lambda: rows(stored)[0][0] > known, "it goes on")
    status, counts = running.end(signal.SIGINT)
    assert status == 0, running.said
    assert counts["receipted"] == counts["published"] == rows(stored)[0][0]
    assert sum("broker lost" in line for line in running.said) == 1


def broker_process(home: Path) -> int:
    """The broker of a home, by its command line."""
    for entry in Path("/proc").glob("[0-9]*"):
        words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0") if entry.exists() else []
        if Path(words[0] if words else "").name == "mosquitto" and any(str(home) in word for word in words):
            return int(entry.name)
    raise AssertionError("no broker")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--broker", "mqtt://127.0.0.1:1"], "no broker at 127.0.0.1:1: "),
        (["--user", "nobody"], "leave one of them out"),
        (["--only", "W07-G1", "--set", "queue=4"], "there is no field 'queue'; the kind gate has queue_trucks"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(field, words: list[str], told: str) -> None:
    running = field(*words)
    assert running.end()[0] == 1
    lines = [line for line in running.said if "broker lost" not in line]
    assert len(lines) == 1
    assert lines[0].startswith("vigie: ")
    assert told in lines[0]
