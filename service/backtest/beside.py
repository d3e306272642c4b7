"""Backtests for the API: `vigie backtest` in a process of its own at low priority, one at a time.

Neither the analysis nor the API waits for it, whatever it computes. What came out is kept in memory, for the last ten.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from api.backtests import Asked, BacktestRunningError, Job
from deploy.embedded.child import mortal
from service.endpoints import Endpoints
from service.scratch import own_environ
from service.settings import Settings

KEPT = 10
"""Results that are kept, some 100 kB each."""

LONGEST_S = 1800.0
"""Until one is given up: a week of the port takes some minutes. Shorter: a slow machine gets no answer; longer: one
that hangs keeps others away."""

LOW_PRIORITY = 10


class Beside:
    """Takes what is asked, and runs it while `run` does."""

    def __init__(self, environ: Mapping[str, str], now: Callable[[], datetime]) -> None:
        self._environ, self._now = environ, now
        self._jobs: dict[str, Job] = {}
        self._count = 0
        self._waiting: asyncio.Queue[str] = asyncio.Queue(maxsize=1)

    @property
    def _busy(self) -> bool:
        return any(job.state == "running" for job in self._jobs.values())

    def start(self, asked: Asked, at: datetime) -> Job:
        if self._busy:
            raise BacktestRunningError
        self._count += 1
        job = Job(f"b{self._count}", asked, at)
        self._jobs[job.id] = job
        for old in list(self._jobs)[:-KEPT]:
            del self._jobs[old]
        self._waiting.put_nowait(job.id)
        return job

    def find(self, name: str) -> Job | None:
        return self._jobs.get(name)

    async def run(self) -> None:
        """Run what is asked for until cancelled."""
        while True:
            name = await self._waiting.get()
            job = over = self._jobs[name]
            try:
                over = await self._done(job)
            except OSError as exc:
                over = replace(job, state="failed", error=f"its process could not be run: {exc.strerror}")
            except asyncio.CancelledError:
                over = replace(job, state="failed", error="the service was stopped meanwhile")
                raise
            finally:
                self._jobs[name] = replace(over, finished_at=self._now())

    async def _done(self, job: Job) -> Job:
        with TemporaryDirectory(prefix="vigie-backtest-") as folder:
            settings = Path(folder) / "try.json"
            settings.write_bytes(msgspec.json.encode(job.asked.settings))
            code, out, err = await self._process(_command(job.asked, settings))
        if code == 0:
            return replace(job, state="done", result=msgspec.json.decode(out))
        return replace(job, state="failed", error=_why(code, err))

    async def _process(self, argv: list[str | Path]) -> tuple[int | None, bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            *mortal(argv, signal.SIGKILL),
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            os.setpriority(os.PRIO_PROCESS, process.pid, LOW_PRIORITY)
            async with asyncio.timeout(LONGEST_S):
                out, err = await process.communicate()
        except TimeoutError:
            return None, b"", b""
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode, out, err


def backtests_of(settings: Settings, endpoints: Endpoints, now: Callable[[], datetime]) -> Beside:
    """Whoever runs them for an installation: with its kinds and its rules."""
    given = {name: value for name in ("kinds_dir", "rules_file") if (value := getattr(settings, name))}
    return Beside(own_environ(endpoints, **given), now)


def _command(asked: Asked, settings: Path) -> list[str | Path]:
    # -P: a folder called `service` where the service was started must not be taken for ours.
    start, end = asked.start.isoformat(), asked.end.isoformat()
    command: list[str | Path] = [sys.executable, "-P", "-m", "service", "backtest", "--json", "--from", start]
    return [*command, "--to", end, "--operators", str(asked.operators), "--settings", settings]


def _why(code: int | None, err: bytes) -> str:
    if code is None:
        return f"it took longer than {LONGEST_S:.0f} s: ask for a shorter range"
    told = [line for line in err.decode(errors="replace").splitlines() if line.startswith("vigie: ")]
    return told[-1].removeprefix("vigie: ") if told else f"its process ended with {code}; the log has more"
