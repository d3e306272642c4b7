"""Child processes as parts: their end is told by name, and starting the part again starts a new process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.child import Child, mortal
from sensors.errors import OperatorError
from service.parts import Part

_STOP_S = 3.0


class ChildEndedError(OperatorError):
    """A child process ended that should run for ever."""


def server_part(child: Child) -> Part:
    """Keep a server of the embedded stack running; it is started already."""
    ended = False

    async def run() -> None:
        nonlocal ended
        if ended:
            await child.restart()
        ended = True
        raise ChildEndedError(_obituary(await child.wait()))

    return Part(child.name, run)


def command_part(name: str, argv: Sequence[str | Path]) -> Part:
    """Keep one of our own commands running as a process of its own, which ends with us."""

    async def run() -> None:
        process = await asyncio.create_subprocess_exec(
            *mortal(argv, signal.SIGTERM), stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        try:
            raise ChildEndedError(_obituary(await process.wait()))
        finally:
            await _end(process)

    return Part(name, run)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _obituary(code: int) -> str:
    return f"its process was ended by {signal.Signals(-code).name}" if code < 0 else f"its process ended with {code}"
