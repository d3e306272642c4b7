"""A server as a child process: started, watched, stopped, restarted, and cleared away when orphaned.

A child dies with its supervisor where the machine has `setpriv`; where one has outlived it all the same,
the next start finds it by its command line and ends it first.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from deploy.embedded.account import Account, spawn, which
from deploy.embedded.errors import EmbeddedError

POLL_S = 0.02
_LOG_LINES_TOLD = 2
_LOG_ROTATED_BYTES = 10_000_000


class Server(Protocol):
    """What a child needs to know of the server that it runs."""

    name: str
    account: Account
    log: Path
    stop_signal: signal.Signals

    def command(self) -> Sequence[str | Path]:
        """Give the command that runs the server in the foreground."""
        ...

    def is_ours(self, argv: list[str]) -> bool:
        """Recognise a process of this very server by its command line."""
        ...

    async def prepare(self) -> None:
        """Make the server's files ready, when none of its processes runs."""
        ...

    def is_ready(self, pid: int) -> bool:
        """Say whether the server with this process id accepts connections."""
        ...


class Child:
    """One server process and its successors after restarts."""

    _STOP_S = 15.0
    _READY_S = 120.0  # A large database recovers from a crash before it accepts connections.

    def __init__(self, server: Server) -> None:
        self._server = server
        self._process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        """Name the server, as in messages: 'database' or 'broker'."""
        return self._server.name

    @property
    def pid(self) -> int:
        """Give the process id of the current process."""
        return self._running().pid

    async def start(self) -> None:
        """Start the server and return when it accepts connections.

        Raises EmbeddedError with the server's last words when it does not come up.
        """
        await clear_orphans(self._server)
        await self._server.prepare()
        self._process = await self._launch()
        try:
            async with asyncio.timeout(self._READY_S):
                await self._wait_ready(self._process)
        except TimeoutError:
            await self.stop()
            raise EmbeddedError(self._obituary(f"was not ready within {self._READY_S:.0f} s")) from None
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Wait until the current process has ended; give its exit code, negative for a signal."""
        return await self._running().wait()

    async def restart(self) -> None:
        """Stop what is left of the server and start it again, with the same port and password."""
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """End the server cleanly, or by force when it does not listen."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(self._server.stop_signal)
        try:
            async with asyncio.timeout(self._STOP_S):
                await process.wait()
        except BaseException as exc:
            self.kill()
            if not isinstance(exc, TimeoutError):
                raise
            await process.wait()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, for instance SIGUSR1, on which the broker saves at once."""
        self._running().send_signal(number)

    def kill(self) -> None:
        """Kill the process without any chance to clean up."""
        if self._running().returncode is None:
            self._running().kill()

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise EmbeddedError(f"the {self.name} has not been started")
        return self._process

    async def _launch(self) -> asyncio.subprocess.Process:
        log = self._server.log
        if log.exists() and log.stat().st_size > _LOG_ROTATED_BYTES:
            log.replace(log.with_name(log.name + ".1"))
        fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            return await spawn(
                mortal(self._server.command(), self._server.stop_signal), self._server.account, stdout=fd, stderr=fd
            )
        finally:
            os.close(fd)

    async def _wait_ready(self, process: asyncio.subprocess.Process) -> None:
        while not self._server.is_ready(process.pid):
            if process.returncode is not None:
                raise EmbeddedError(self._obituary(f"ended at once with code {process.returncode}"))
            await asyncio.sleep(POLL_S)

    def _obituary(self, what: str) -> str:
        log = self._server.log
        lines = [line for line in _tail(log).splitlines() if line.strip()]
        return f"the {self.name} {what}: {' / '.join(lines[-_LOG_LINES_TOLD:])} (see {log})"


def mortal(command: Sequence[str | Path], number: signal.Signals) -> list[str | Path]:
    """Have a command receive a signal when its parent dies, where the machine has `setpriv`."""
    # A changed user id would clear the request, so setpriv runs after the change.
    setpriv = which("setpriv")
    if setpriv is None:
        return [*command]
    return [setpriv, "--pdeathsig", number.name.removeprefix("SIG"), "--", *command]


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2_000))
        return file.read().decode(errors="replace")


def processes_of(server: Server) -> list[int]:
    """Find the running processes of a server, whoever their parent is."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            argv = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if entry.stat().st_uid == server.account.uid and server.is_ours(argv):
                found.append(int(entry.name))
        except OSError:
            continue  # It ended while we looked.
    return found


async def clear_orphans(server: Server) -> None:
    """End what a killed supervisor or a killed server left running: politely, firmly, by force."""
    for number, patience_s in ((server.stop_signal, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 3.0)):
        for pid in processes_of(server):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if await _gone_within(server, patience_s):
            return
    raise EmbeddedError(f"an old {server.name} does not end: process {processes_of(server)[0]}")


async def _gone_within(server: Server, patience_s: float) -> bool:
    try:
        async with asyncio.timeout(patience_s):
            while processes_of(server):  # noqa: ASYNC110  no event tells of the end of another's child
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return False
    return True
