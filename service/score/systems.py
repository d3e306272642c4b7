"""The systems that can be scored, each behind the same two doors: readings in over MQTT, alerts out over HTTP.

What differs is how one knows that a system is through. Of ours the cursors of analytics are asked; another may count
what it has taken (`GET /v1/taken`), else it is through when its feed has not grown for a while.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec

from sensors.topics import reading_topic
from service.access import FILE, read_key
from service.endpoints import Endpoints
from service.score.client import NoAnswerError, get_json, read_alerts
from service.score.feed import Alert
from service.score.process import SystemProcess
from service.scratch import own_environ
from service.waiting import PATIENCE_S, until, until_analysed
from simulators.publish import Publisher
from store.database import connected
from store.progress import newest_batches, quarantined_of

QUIET_S: Final = 10.0
"""When the feed of a system that does not count has been still for so long, it is through."""

_OF_NOBODY: Final = "score"
"""A site that does not exist: its message goes to the quarantine when all before it are stored."""

_ANY_PORT: Final = "127.0.0.1:0"

BASELINE: Final = "baseline"
VIGIE: Final = "vigie"


@dataclass(frozen=True, slots=True)
class Place:
    """What a system is given for one run. `database_url` is that of ours alone; `files` are told to others."""

    folder: Path
    endpoints: Endpoints
    files: Mapping[str, str] = field(default_factory=dict)


def home_of(place: Place) -> Path:
    """The home folder of ours in a place."""
    return place.folder / "system"


class Running(Protocol):
    """A system while a run lasts."""

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        ...

    @property
    def key(self) -> str | None:
        """The access key that it asks for, if any."""
        ...

    async def through(self, sent: int) -> None:
        """Return when it has made what it makes of the `sent` messages."""
        ...

    async def alerts(self) -> list[Alert]: ...


@dataclass(frozen=True, slots=True)
class System:
    """A system by its name: ours, the baseline, or the command line of another."""

    name: str

    @property
    def is_ours(self) -> bool:
        return self.name == VIGIE

    @asynccontextmanager
    async def running(self, place: Place, http: str = _ANY_PORT) -> AsyncIterator[Running]:
        """Start it for one run; `http` is where ours answers."""
        log = place.folder / "system.log"
        async with SystemProcess.running(self.name, self._argv(place, http), self._environ(place), log) as process:
            yield _Ours(process, place) if self.is_ours else _Other(process)

    def _argv(self, place: Place, http: str) -> list[str | Path]:
        python: list[str | Path] = [sys.executable, "-P", "-m"]
        if self.is_ours:
            return [*python, "service", "up", "--no-simulators", "--home", home_of(place), "--http", http]
        return [*python, "service.score.baseline"] if self.name == BASELINE else [*shlex.split(self.name)]

    def _environ(self, place: Place) -> dict[str, str]:
        if self.is_ours:
            return own_environ(place.endpoints)
        return {**os.environ, "SCORE_BROKER_URL": place.endpoints.broker_url, **place.files}


class _Ours:
    """Vigie itself."""

    def __init__(self, process: SystemProcess, place: Place) -> None:
        self._process, self._place = process, place

    @property
    def url(self) -> str:
        return self._process.url

    @property
    def key(self) -> str | None:
        return read_key(home_of(self._place) / FILE)

    async def through(self, sent: int) -> None:
        """All is stored when a message behind it is; then analytics has to come so far."""
        end = reading_topic(_OF_NOBODY, f"after-{sent}", "traffic")
        async with Publisher(self._place.endpoints.broker_url, "vigie-score-end") as publisher:
            await publisher.publish_all([(end, b"{}")])
        async with connected(self._place.endpoints.database_url, name="score") as conn:

            async def stored() -> tuple[bool, object]:
                self._process.check()
                return await quarantined_of(conn, end) > 0, await newest_batches(conn)

            await until(stored, f"nothing was stored for {PATIENCE_S:.0f} s")
            await until_analysed(conn, f"nothing was analysed for {PATIENCE_S:.0f} s", check=self._process.check)

    async def alerts(self) -> list[Alert]:
        return await read_alerts(self._process.url, key=self.key)


class _Other:
    """Any other system."""

    def __init__(self, process: SystemProcess) -> None:
        self._process = process

    @property
    def url(self) -> str:
        return self._process.url

    @property
    def key(self) -> str | None:
        return None

    async def through(self, sent: int) -> None:
        grew_at, length = time.monotonic(), -1

        async def quiet() -> tuple[bool, object]:
            nonlocal grew_at, length
            self._process.check()
            if (taken := await _taken(self._process.url)) is not None:
                return taken >= sent, taken
            if (found := len(await self.alerts())) != length:
                grew_at, length = time.monotonic(), found
            return time.monotonic() - grew_at >= QUIET_S, length

        await until(quiet, f"{self._process.name} has taken nothing for {PATIENCE_S:.0f} s")

    async def alerts(self) -> list[Alert]:
        return await read_alerts(self._process.url)


class _Taken(msgspec.Struct):
    messages: int


async def _taken(url: str) -> int | None:
    """How many messages a system says it has taken; None when it does not count."""
    with contextlib.suppress(NoAnswerError, msgspec.DecodeError):
        return msgspec.json.decode(await get_json(f"{url}/v1/taken"), type=_Taken).messages
    return None
