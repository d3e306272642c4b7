"""The parts as processes of their own, against servers named by their URLs: what several machines would run."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_S = 120.0


class Parts:
    """Commands started together in one environment; their output is shared."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, *arguments: str, key: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", name, *arguments],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.processes[key or name] = process
        return process

    def stop(self) -> dict[str, int]:
        """End them, who sends first: it waits until what it sent is vouched for."""
        if (sender := self.processes.get("simulate")) is not None:
            sender.send_signal(signal.SIGTERM)
            sender.wait(30)
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        statuses = {}
        for name, process in self.processes.items():
            try:
                statuses[name] = process.wait(30)
            finally:
                process.kill()
                assert process.stdout is not None
                process.stdout.close()
        return statuses


@pytest.fixture
def parts(database_url: str, broker_url: str, vigie_environ, run_vigie, tmp_path: Path) -> Iterator[Parts]:
    urls = {"VIGIE_DATABASE_URL": database_url, "VIGIE_BROKER_URL": broker_url, "VIGIE_HOME": str(tmp_path)}
    migrated = run_vigie("db", "migrate", **urls)
    assert migrated.returncode == 0, migrated.stderr
    running = Parts(vigie_environ(urls))
    yield running
    running.stop()


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if found := condition():
                return found
        time.sleep(0.05)
    pytest.fail(f"not within {PATIENCE_S:.0f} s: {what}")


def test_the_parts_work_apart_and_a_second_ingestor_takes_over(parts: Parts, tmp_path: Path) -> None:
    first = parts.start("ingest")
    parts.start("analyse")
    serve = parts.start("serve", "--http", "127.0.0.1:0")
    assert serve.stdout is not None
    url = re.search(r"http://\S+:\d+", serve.stdout.readline()).group(0)  # type: ignore[union-attr]
    until(lambda: httpx.get(f"{url}/readyz").is_success, "everything is ready")
    bearer = {"authorization": f"Bearer {(tmp_path / 'access.key').read_text().strip()}"}
    parts.start("simulate")

    def newest() -> str:
        return max(state["time"] or "" for state in httpx.get(f"{url}/v1/states", headers=bearer).json()["items"])

    until(newest, "readings are analysed")
    parts.start("ingest", key="second ingest")
    first.kill()
    killed_at = datetime.now(UTC).isoformat()
    until(lambda: newest() > killed_at, "the second ingestor goes on where the first was killed")
    del parts.processes["ingest"]
    first.stdout.close()  # type: ignore[union-attr]
    first.wait()
    statuses = parts.stop()
    # 1 says that readings have no receipt: those of the ingestor that was killed are asked for after 20 s only.
    assert statuses.pop("simulate") in {0, 1}
    assert set(statuses.values()) == {0}


def test_migrating_twice_says_that_there_is_nothing_to_do(parts: Parts, run_vigie) -> None:
    urls = {name: parts.environ[name] for name in ("VIGIE_DATABASE_URL", "VIGIE_BROKER_URL")}
    again = run_vigie("db", "migrate", **urls)
    assert again.stdout == "nothing to do\n"
