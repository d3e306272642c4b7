"""The parts as deploy/compose.yaml runs them: processes of their own, each with the command, the environment and the
secrets that the file gives it, at the broker's own configuration with TLS and its lists of who may what."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from compose_spec import PyCompose

from deploy.container.secrets import make_secrets
from deploy.embedded.account import unprivileged_account
from deploy.embedded.programs import choose_mosquitto
from service.doctor.examine import CHECKS

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = PyCompose.from_yaml(TEXT).to_dict()["services"]
VIGIE = [sys.executable, "-m", "service"]
PATIENCE_S = 120.0


class Composed:
    """What containers find at the places of the file, in a folder of ours; their output is shared."""

    def __init__(self, folder: Path, database_url: str, mosquitto: Path) -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self.port = free_port()
        make_secrets(self.secrets, ["127.0.0.1"])
        self._place("database_url", database_url)
        for name in ("broker_url", "sensors_broker_url"):
            self._place(name, self._here((self.secrets / name).read_text()))
        self.broker = self._start_broker(mosquitto)
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def _place(self, secret: str, value: str) -> None:
        (self.secrets / secret).unlink()
        (self.secrets / secret).write_text(value)

    def _here(self, text: str) -> str:
        return text.replace("/run/secrets", str(self.secrets)).replace("@broker:8883", f"@127.0.0.1:{self.port}")

    def _start_broker(self, mosquitto: Path) -> subprocess.Popen[str]:
        text = self._here((DEPLOY / "container" / "mosquitto.conf").read_text("utf-8"))
        text = text.replace("listener 8883", f"listener {self.port} 127.0.0.1")
        text = text.replace("/mosquitto/config", str(DEPLOY / "container"))
        text = text.replace("/mosquitto/data", str(self.folder))
        config = self.folder / "mosquitto.conf"
        config.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
        return subprocess.Popen([mosquitto, "-c", config], stderr=subprocess.DEVNULL, text=True)

    def environ(self, service: str) -> dict[str, str]:
        """Of the file, at our places; and what no container has of ours."""
        given = {name: self._here(str(value)) for name, value in SERVICES[service]["environment"].items()}
        moved = {"VIGIE_HTTP": "127.0.0.1:0", "VIGIE_HOME": str(self.folder)}
        own = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
        return own | given | {name: value for name, value in moved.items() if name in given}

    def run(self, service: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = self.environ(service)
        return subprocess.run([*VIGIE, *arguments], env=environ, capture_output=True, text=True, check=False)

    def start(self, service: str, key: str = "") -> subprocess.Popen[str]:
        command = [*VIGIE, *SERVICES[service]["command"]]
        process = subprocess.Popen(
            command, env=self.environ(service), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.processes[key or service] = process
        return process

    def health(self, service: str) -> subprocess.CompletedProcess[str]:
        """Ask a container's health check."""
        _, program, *arguments = SERVICES[service]["healthcheck"]["test"]
        assert program == "vigie"
        return self.run(service, *arguments)

    def stop(self) -> dict[str, int]:
        """End them, who sends first: it waits until what it sent is vouched for."""
        if (sender := self.processes.get("simulators")) is not None:
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
        self.processes.clear()
        return statuses


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _mosquitto(cache: Path) -> Path:
    return await choose_mosquitto(cache, await unprivileged_account(print), print)


@pytest.fixture
def composed(database_url: str, program_cache: Path, tmp_path: Path) -> Iterator[Composed]:
    running = Composed(tmp_path, database_url, asyncio.run(_mosquitto(program_cache)))
    yield running
    running.stop()
    running.broker.terminate()
    running.broker.wait(30)


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if found := condition():
                return found
        time.sleep(0.05)
    pytest.fail(f"not within {PATIENCE_S:.0f} s: {what}")


def test_the_parts_of_compose_work_together_and_a_second_ingestor_takes_over(
    composed: Composed, database_url: str
) -> None:
    migrated = composed.run("migrate", *SERVICES["migrate"]["command"])
    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert composed.run("migrate", *SERVICES["migrate"]["command"]).stdout == "nothing to do\n"
    first = composed.start("ingest")
    composed.start("analyse")
    serve = composed.start("serve")
    assert serve.stdout is not None
    url = re.search(r"http://\S+:\d+", serve.stdout.readline()).group(0)  # type: ignore[union-attr]
    until(lambda: httpx.get(f"{url}/readyz").is_success, "everything is ready")
    assert httpx.get(f"{url}/metrics").is_success, "open, as the file says"
    key = composed.run("tools", "keys", "create", "--name", "IT", "--scope", "read").stdout.strip()
    bearer = {"authorization": f"Bearer {key}"}
    composed.start("simulators")

    def newest() -> str:
        return max(state["time"] or "" for state in httpx.get(f"{url}/v1/states", headers=bearer).json()["items"])

    until(newest, "readings are analysed")
    for service in ("ingest", "analyse"):
        until(lambda service=service: composed.health(service).returncode == 0, f"{service} calls itself healthy")
    check_the_doctor(composed)

    composed.start("ingest", key="second ingest")
    first.kill()
    killed_at = datetime.now(UTC).isoformat()
    until(lambda: newest() > killed_at, "the second ingestor goes on where the first was killed")
    del composed.processes["ingest"]
    first.stdout.close()  # type: ignore[union-attr]
    first.wait()
    statuses = composed.stop()
    # 1 says that readings have no receipt: those of the ingestor that was killed are asked for after 20 s only.
    assert statuses.pop("simulators") in {0, 1}
    assert set(statuses.values()) == {0}
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select sum(quarantined + conflicts) from account").fetchone() == (0,)
    ill = composed.health("ingest")
    assert (ill.returncode, "vigie ingest" in ill.stdout) == (1, True)


def check_the_doctor(composed: Composed) -> None:
    """`vigie doctor` as the container `tools` has it finds every check done and nothing wrong."""
    command, option, _ = SERVICES["tools"]["command"]
    done = composed.run("tools", command, option, str(composed.folder), "--json")
    found = {finding["check"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert set(found) == set(CHECKS)
    assert {check for check, finding in found.items() if finding["state"] == "wrong"} == set()
    assert (done.returncode, done.stderr, found["certificate"]["state"]) == (0, "", "well")
