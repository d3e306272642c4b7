"""A scored system as a process: it is told where the broker is, and says at which URL it answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from deploy.embedded.child import mortal
from sensors.errors import OperatorError

STARTED_S: Final = 60.0
"""How long a system may take until it says its URL."""
_STOP_S: Final = 10.0
_LAST_WORDS: Final = 3
_URL: Final = re.compile(r"https?://[^\s/]+")


class SystemEndedError(OperatorError):
    """A scored system that ended, or never answered; the message has its last words."""


class SystemProcess:
    """One running process; get one from `running`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.url = ""
        self._process = process
        self._log = log

    @classmethod
    @asynccontextmanager
    async def running(
        cls, name: str, argv: Sequence[str | Path], environ: Mapping[str, str], log: Path
    ) -> AsyncIterator[SystemProcess]:
        """Start it, wait for its URL on standard output; it has ended when the block does."""
        system = cls(name, await _started(name, argv, environ, log), log)
        try:
            system.url = await system._said_url()
            reading = asyncio.create_task(system._drain(), name=f"output of {name}")
            try:
                yield system
            finally:
                reading.cancel()
        finally:
            await system._end()

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raise `SystemEndedError` when it has ended by itself."""
        if self._process.returncode is not None:
            raise SystemEndedError(f"{self.name} ended by itself with {self._process.returncode}: {self._words()}")

    async def _said_url(self) -> str:
        try:
            async with asyncio.timeout(STARTED_S):
                return await self._url_on_output()
        except TimeoutError as exc:
            raise SystemEndedError(
                f"{self.name} has not said its URL within {STARTED_S:.0f} s: {self._words()}"
            ) from exc

    async def _url_on_output(self) -> str:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if found := _URL.search(line.decode(errors="replace")):
                return found[0]
        await self._process.wait()
        self.check()
        raise SystemEndedError(f"{self.name} closed its output before it said its URL: {self._words()}")

    async def _drain(self) -> None:
        """Read on, so that it never waits for us."""
        assert self._process.stdout is not None
        async for _ in self._process.stdout:
            pass

    async def _end(self) -> None:
        """End it and whatever it has started."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _STOP_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    def _words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-_LAST_WORDS:]
        return " / ".join(lines) or "it said nothing"


async def _started(
    name: str, argv: Sequence[str | Path], environ: Mapping[str, str], log: Path
) -> asyncio.subprocess.Process:
    with log.open("ab") as errors:
        try:
            return await asyncio.create_subprocess_exec(
                *mortal(argv, signal.SIGKILL),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=dict(environ),
                start_new_session=True,
            )
        except OSError as exc:
            raise SystemEndedError(f"{name} cannot be started: {exc.strerror}") from exc
