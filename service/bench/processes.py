"""The processes of a benchmark as their conductor sees them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from deploy.embedded.account import Account, run, spawn
from deploy.embedded.child import mortal
from sensors.broker_url import parse_broker_url
from sensors.errors import OperatorError
from service.bench.wire import GO, Done, Work
from service.endpoints import Endpoints

_PREPARED_S = 120.0
_SUBSCRIBED = b"broker: subscribed"
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_LINE_BYTES = 1 << 20
_T = TypeVar("_T")


class BenchFailed(OperatorError):  # noqa: N818  ends the measurement
    """A process of the benchmark did not do its part."""


class Helper:
    """A module of `service.bench` in a process of its own: prepared, started with others, asked how it went."""

    def __init__(self, module: str, process: asyncio.subprocess.Process) -> None:
        self._module = module
        self._process = process

    @classmethod
    @asynccontextmanager
    async def prepared(cls, module: str, work: Work) -> AsyncIterator[Helper]:
        """Start it and return when it has everything ready."""
        argv = mortal([sys.executable, "-P", "-m", f"service.bench.{module}"], signal.SIGKILL)
        process = await _start(argv, {})
        try:
            helper = cls(module, process)
            helper._write(work)
            async with asyncio.timeout(_PREPARED_S):
                await helper._read(str)
            yield helper
        finally:
            await _end(process)

    def go(self) -> None:
        self._write(GO)

    async def done(self) -> Done:
        return await self._read(Done)

    def _write(self, value: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(value) + b"\n")

    async def _read(self, type_: type[_T]) -> _T:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise BenchFailed(f"the benchmark's {self._module} ended early; its last words are above")
        return msgspec.json.decode(line, type=type_)


class IngestProcess:
    """`vigie ingest` as it ships, against the servers of a benchmark."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def subscribed(cls, endpoints: Endpoints, settings: Mapping[str, str]) -> AsyncIterator[IngestProcess]:
        """Start it and return when it holds its subscription; `settings` are names and values of the environment."""
        urls = {"VIGIE_DATABASE_URL": endpoints.database_url, "VIGIE_BROKER_URL": endpoints.broker_url}
        argv = mortal([sys.executable, "-P", "-m", "service", "ingest"], signal.SIGKILL)
        process = await _start(argv, {**urls, "VIGIE_LOG_FORMAT": "json", **settings}, stderr=asyncio.subprocess.PIPE)
        try:
            assert process.stderr is not None
            async with asyncio.timeout(_PREPARED_S):
                await _line_with(process.stderr, _SUBSCRIBED)
            reading = asyncio.create_task(_pass_on(process.stderr), name="bench ingest log")
            yield cls(process)
            process.terminate()
            await process.wait()
            await reading
        finally:
            await _end(process)

    @property
    def cpu_s(self) -> float:
        """CPU time so far, in user and kernel, of all its threads."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / _TICKS_PER_S


@dataclass(frozen=True, slots=True)
class Discarder:
    """mosquitto_sub, which reads at the speed of the broker and keeps nothing."""

    program: Path
    account: Account
    broker_url: str
    window: int
    client_id: str = "bench-broker-only"

    async def subscribe(self) -> None:
        """Make its persistent session and leave."""
        done = await run([*self._command(), "-E"], self.account)
        if done.code:
            raise BenchFailed(f"mosquitto_sub: {done.stderr.strip()}")

    async def read(self, messages: int) -> float:
        """Read that many; the time on the monotonic clock when it had them all."""
        command = [*self._command(), "-C", str(messages)]
        discard = asyncio.subprocess.DEVNULL
        process = await spawn(command, self.account, stdout=discard, stderr=discard)
        try:
            code = await process.wait()
            ended = time.monotonic()
        finally:
            await _end(process)
        if code:
            raise BenchFailed(f"mosquitto_sub ended with {code}")
        return ended

    def _command(self) -> list[str | Path]:
        at = parse_broker_url(self.broker_url)
        where = ["-h", at.host, "-p", str(at.port), "-u", at.user or "", "-P", at.password or ""]
        session = ["-V", "5", "-i", self.client_id, "-c", "-x", "3600", "-q", "1", "-t", "vigie/1/readings/#"]
        return [self.program, *where, *session, "-D", "connect", "receive-maximum", str(self.window)]


async def _start(
    argv: list[str | Path], environ: Mapping[str, str], stderr: int | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *argv,
        env={**os.environ, **environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        limit=_LINE_BYTES,
    )


async def _line_with(stream: asyncio.StreamReader, words: bytes) -> None:
    seen: list[bytes] = []
    while line := await stream.readline():
        if words in line:
            return
        seen.append(line)
    raise BenchFailed("vigie ingest ended early: " + b" ".join(seen[-3:]).decode(errors="replace").strip())


async def _pass_on(stream: asyncio.StreamReader) -> None:
    """Keep reading its log, so that it never waits for us; what is a warning is shown."""
    async for line in stream:
        if b'"info"' not in line:
            sys.stderr.write(line.decode(errors="replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
