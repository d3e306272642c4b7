"""The scratch stack of a benchmark: its own broker and database, with the settings that ship, in a folder that goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from deploy.embedded.account import Account, unprivileged_account
from deploy.embedded.packages import Programs, fetch
from deploy.embedded.stack import EmbeddedStack
from sensors.kind import Kinds
from service.bench.processes import Discarder
from service.bench.stream import StreamPlan
from service.clocks import wall_us
from service.endpoints import Endpoints, cache_folder
from service.scratch import scratch_stack
from service.settings import Settings
from store.catalogue import seed
from store.migrate import migrate
from store.scratch import scratch_database

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What every measurement needs."""

    settings: Settings
    kinds: Kinds
    stack: EmbeddedStack
    programs: Programs
    account: Account
    say: Say
    _numbers: count[int]

    @property
    def broker_url(self) -> str:
        return self.stack.urls.broker_url

    def plan(self, messages: int) -> StreamPlan:
        """A new stream that ends now; each is of a boot of its own, so that none repeats another."""
        return StreamPlan(messages, next(self._numbers), wall_us())

    def discarder(self) -> Discarder:
        return Discarder(self.programs.mosquitto_sub, self.account, self.broker_url, self.settings.ingest_window)

    @asynccontextmanager
    async def endpoints(self) -> AsyncIterator[Endpoints]:
        """The broker and a new migrated database with the shipped catalogue, for one measurement."""
        server = self.stack.urls.database_url
        async with scratch_database(server, f"bench_{next(self._numbers)}") as url:
            await migrate(url, self.kinds)
            await seed(url)
            yield Endpoints(url, self.broker_url)


@asynccontextmanager
async def scene(settings: Settings, kinds: Kinds, say: Say) -> AsyncIterator[Scene]:
    """Start the stack; it is stopped and its folder removed when the block ends."""
    cache = cache_folder(settings)
    async with scratch_stack("bench", cache, say) as place:
        account = await unprivileged_account(say)
        programs = await fetch(cache, account, say)
        yield Scene(settings, kinds, place.stack, programs, account, say, count(1))
