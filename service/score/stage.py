"""Where runs are played: one scratch stack, a broker that remembers nothing, and for ours a database of the same weeks.

The weeks are loaded once for a seed, into a database that every run gets a copy of. Runs come in order of their start,
so what lies between the weeks and a run's start is loaded once too.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import msgspec

from deploy.embedded.stack import Child
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.kind import Kinds
from service.endpoints import Endpoints
from service.score.loading import load
from service.score.past import WEEK_START, Past, past
from service.score.systems import Place
from service.scratch import ScratchStack, scratch_stack
from simulators.history import HistoryBlock
from store.catalogue import seed as seed_catalogue
from store.database import connected
from store.migrate import migrate
from store.scratch import scratch_database, with_database

Say = Callable[[str], None]


def recorded_port() -> Catalogue:
    """The shipped port with every site under a recording's clock: its time is that of its readings."""
    port = shipped_catalogue()
    sites = tuple(msgspec.structs.replace(site, clock="recording") for site in port.sites)
    return msgspec.structs.replace(port, sites=sites)


@dataclass(frozen=True, slots=True)
class Stage:
    """The stack of one score."""

    scratch: ScratchStack
    kinds: Kinds
    catalogue: Catalogue
    cache: Path
    say: Say
    weeks: int
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @asynccontextmanager
    async def season(self, seed: int, *, database: bool) -> AsyncIterator[Season]:
        """The runs of one seed, with a database that holds its ordinary weeks where one is needed."""
        weeks = await past(self.cache, self.catalogue, self.kinds, seed=seed, say=self.say, weeks=self.weeks)
        if not database:
            yield Season(self, weeks, None)
            return
        server, name = self.scratch.endpoints.database_url, f"weeks_{next(self._numbers)}"
        async with scratch_database(server, name) as url:
            await migrate(url, self.kinds)
            await seed_catalogue(url, self.catalogue)
            season = Season(self, weeks, name)
            if self.weeks:
                self.say(f"seed {seed}: loading {self.weeks} ordinary weeks")
                await season.load(url, weeks.blocks())
            yield season

    @asynccontextmanager
    async def place(self, template: str | None, files: dict[str, str]) -> AsyncIterator[Place]:
        """A folder, a broker that knows nobody, and a copy of a database, for one run."""
        number = next(self._numbers)
        folder = self.scratch.folder / f"run-{number}"
        folder.mkdir()
        await forgetful(self._broker(), self.scratch.folder / "home" / "broker")
        server, broker_url = self.scratch.endpoints.database_url, self.scratch.endpoints.broker_url
        try:
            if template is None:
                yield Place(folder, Endpoints("", broker_url), files)
            else:
                async with scratch_database(server, f"run_{number}", template=template) as url:
                    yield Place(folder, Endpoints(url, broker_url), files)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _broker(self) -> Child:
        return next(child for child in self.scratch.stack.children if child.name == "broker")


class Season:
    """The runs of one seed."""

    def __init__(self, stage: Stage, weeks: Past, template: str | None) -> None:
        self._stage = stage
        self._weeks = weeks
        self._template = template
        self._loaded_s = WEEK_START.timestamp()

    async def load(self, url: str, blocks: Iterable[HistoryBlock]) -> None:
        async with connected(url, name="weeks") as conn:
            await load(conn, self._stage.kinds, self._stage.catalogue, blocks)

    @asynccontextmanager
    async def place(self, start_s: float) -> AsyncIterator[Place]:
        """A place for a run that starts then; the starts of a season never go back."""
        if self._template and start_s > self._loaded_s:
            url = with_database(self._stage.scratch.endpoints.database_url, self._template)
            await self.load(url, self._weeks.lead(self._loaded_s, start_s))
            self._loaded_s = start_s
        async with self._stage.place(self._template, self._files()) as place:
            yield place

    def _files(self) -> dict[str, str]:
        """What other systems are told, beside the address of the broker."""
        catalogue = self._stage.scratch.folder / "catalogue.json"
        if not catalogue.exists():
            catalogue.write_bytes(msgspec.json.encode(self._stage.catalogue))
        return {"SCORE_CATALOGUE": str(catalogue), "SCORE_WEEKS": str(self._weeks.folder)}


@asynccontextmanager
async def stage(kinds: Kinds, cache: Path, say: Say, *, weeks: int) -> AsyncIterator[Stage]:
    """Start the stack; nothing of it is left when the block ends."""
    async with scratch_stack("score", cache, say, durable=False) as scratch:
        yield Stage(scratch, kinds, recorded_port(), cache, say, weeks)


async def forgetful(broker: Child, folder: Path) -> None:
    """Start a broker anew without sessions and retained messages."""
    await broker.stop()
    (folder / "mosquitto.db").unlink(missing_ok=True)
    await broker.start()
