"""A whole Vigie as its users start it: the `vigie` command in a process of its own, reached over HTTP."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.stack import default_home

VIGIE = [sys.executable, "-m", "service"]
PATIENCE_S = 120.0


CACHE = os.environ.get("VIGIE_TEST_CACHE") or str(default_home(os.environ, os.geteuid() == 0) / "cache")


def _environ(given: dict[str, str]) -> dict[str, str]:
    """Our own environment, logs that can be parsed, and one download for all homes."""
    return {**os.environ, "VIGIE_LOG_FORMAT": "json", "VIGIE_CACHE_DIR": CACHE, **given}


def _run_vigie(*arguments: str | Path, timeout: float = PATIENCE_S, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*VIGIE, *map(str, arguments)],
        env=_environ(environ),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class RunningVigie:
    """`vigie up`, or `vigie demo`, in a folder of its own; its lines are kept for assertions."""

    def __init__(self, home: Path, *options: str, command: str = "up", **environ: str) -> None:
        self.home = home
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [*VIGIE, command, "--home", str(home), "--http", "127.0.0.1:0", *options],
            env=_environ(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.sign_in = self.wait_for(r"(http://127\.0\.0\.1:\d+/sign-in\S+)").group(1)
        self.url = self.sign_in.partition("/sign-in")[0]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, pattern: str, *, after: int = 0, timeout: float = PATIENCE_S) -> re.Match[str]:
        """Wait until a line from number `after` on matches."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for line in self.lines[after:]:
                    if found := re.search(pattern, line):
                        return found
                ended = not self._reader.is_alive()
                if ended or not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    said = "\n".join(self.lines[-30:])
                    pytest.fail(f"vigie up {'ended' if ended else 'went on'} without saying {pattern!r}:\n{said}")

    def get(self, path: str) -> Any:
        answer = httpx.get(self.url + path, headers=self.bearer, timeout=PATIENCE_S)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    @property
    def bearer(self) -> dict[str, str]:
        """The headers of this machine, which may read."""
        return {"authorization": f"Bearer {(self.home / 'access.key').read_text().strip()}"}

    @functools.cached_property
    def session(self) -> dict[str, str]:
        """The cookie of a browser that opened the printed link, as playwright takes it."""
        answer = httpx.get(self.sign_in, timeout=PATIENCE_S)
        return {"name": "vigie_session", "value": answer.cookies["vigie_session"], "url": self.url}

    @property
    def ready(self) -> bool:
        return httpx.get(self.url + "/readyz", timeout=PATIENCE_S).status_code == httpx.codes.OK

    def until(self, condition: Callable[[], Any], what: str, timeout: float = PATIENCE_S) -> Any:
        """Poll a condition of the outside world until it is true; a refused connection counts as not yet."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if value := condition():
                    return value
            time.sleep(0.05)
        pytest.fail(f"not within {timeout:.0f} s: {what}\n" + "\n".join(self.lines[-30:]))

    def vigie(self, *arguments: str | Path, timeout: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
        """Run another vigie command against this stack."""
        return _run_vigie(*arguments, "--home", self.home, timeout=timeout)

    @property
    def database_url(self) -> str:
        return self.vigie("db", "url").stdout.strip()

    def stop(self) -> tuple[int, float]:
        """Ctrl-C; returns the exit status and how long it took."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(60)
        finally:
            self.process.kill()
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status, time.monotonic() - started


@pytest.fixture(scope="session")
def run_vigie() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run one vigie command to its end; environment variables as keywords."""
    return _run_vigie


@pytest.fixture(scope="session")
def vigie_environ() -> Callable[[dict[str, str]], dict[str, str]]:
    """The environment of a vigie command with variables of the test's own."""
    return _environ


@pytest.fixture(scope="session")
def vigie_command() -> list[str]:
    """What to put before the name of a command."""
    return VIGIE


@pytest.fixture(scope="session")
def start_vigie() -> Callable[..., RunningVigie]:
    """Start `vigie up` in a home, with options; the test stops it."""
    return RunningVigie


@pytest.fixture(scope="session")
def new_home() -> Iterator[Callable[[], Path]]:
    """Make folders that the account of the database can reach, also when the tests run as root."""
    made: list[Path] = []

    def make() -> Path:
        folder = Path(tempfile.mkdtemp(prefix="vigie-e2e-"))
        folder.chmod(0o755)
        made.append(folder)
        return folder / "home"

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def live(new_home: Callable[[], Path]) -> Iterator[RunningVigie]:
    """One running Vigie with simulators, shared by the tests that only look at it."""
    running = RunningVigie(new_home())
    yield running
    running.stop()


@pytest.fixture(scope="session")
def live_url(live: RunningVigie) -> str:
    return live.url


@pytest.fixture(scope="module")
def quiet(new_home: Callable[[], Path]) -> Iterator[RunningVigie]:
    """A running Vigie without simulators, for one module."""
    running = RunningVigie(new_home(), "--no-simulators")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's chromium; a missing one skips, unless VIGIE_TEST_REQUIRE names it."""
    found = shutil.which("chromium")
    if found is None:
        reason = "no chromium on the path: apt-get install chromium"
        if "chromium" in os.environ.get("VIGIE_TEST_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
