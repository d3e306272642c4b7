"""A scratch installation that may be ill-treated: own folder, own servers with the settings that ship, own ingestors.

Everything in it ends with the block, whatever happened inside, and with this process, however it ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

from deploy.embedded.child import mortal
from deploy.embedded.stack import Child
from sensors.errors import OperatorError
from sensors.kind import Kinds
from service.scratch import ScratchStack, own_environ, scratch_stack
from store.catalogue import seed
from store.migrate import migrate

RECEIPT_S = 2.0
"""Time between two receipts of a sensor, shorter than what ships so that a run does not end in waiting."""
_STOP_S = 5.0
_LAST_WORDS = 3


class ScratchError(OperatorError):
    """A part ended that nobody had killed."""


class IngestorProcess:
    """One `vigie ingest` as a process of its own, started again after each kill."""

    def __init__(self, name: str, environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._environ = environ
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        command = mortal([sys.executable, "-P", "-m", "service", "ingest"], signal.SIGKILL)
        fd = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=fd,
                stderr=fd,
                env=dict(self._environ),
                start_new_session=True,
            )
        finally:
            os.close(fd)

    async def kill(self) -> None:
        """End it without any chance to clean up."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> None:
        """End it in order, or by force when it does not listen."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _STOP_S)
        await self.kill()

    def check(self) -> None:
        """Raise `ScratchError` when it has ended by itself."""
        if self._process is not None and self._process.returncode is not None:
            words = " / ".join(self._log.read_text(errors="replace").splitlines()[-_LAST_WORDS:])
            raise ScratchError(f"{self.name} ended by itself with {self._process.returncode}: {words}")


class Scratch:
    """The servers and ingestors of one scratch installation; get one from `scratch`."""

    def __init__(self, place: ScratchStack, ingestors: Sequence[IngestorProcess]) -> None:
        self.folder = place.folder
        self.endpoints = place.endpoints
        self.ingestors = tuple(ingestors)
        self._children = {child.name: child for child in place.stack.children}

    @property
    def database(self) -> Child:
        return self._children["database"]

    @property
    def broker(self) -> Child:
        return self._children["broker"]

    async def __aenter__(self) -> Self:
        for ingestor in self.ingestors:
            await ingestor.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(ingestor.stop() for ingestor in self.ingestors))


@asynccontextmanager
async def scratch(
    kinds: Kinds, cache: Path, slots: Sequence[Sequence[str]], *, ingestors: int, say: Callable[[str], None]
) -> AsyncIterator[Scratch]:
    """A migrated and seeded installation with `ingestors` processes that share `slots`; nothing of it is left."""
    async with scratch_stack("scratch", cache, say) as place:
        url, folder = place.endpoints.database_url, place.folder
        await migrate(url, kinds)
        await seed(url)
        environ = own_environ(place.endpoints, ingest_slots=json.dumps(slots), ingest_receipt_s=str(RECEIPT_S))
        processes = [
            IngestorProcess(f"ingestor {number}", environ, folder / f"ingestor-{number}.log")
            for number in range(ingestors)
        ]
        async with Scratch(place, processes) as installation:
            yield installation


async def kill_server(child: Child) -> None:
    """SIGKILL a server and wait for its end."""
    child.kill()
    await child.wait()
