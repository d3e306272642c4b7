"""One home's database and broker as child processes: the way in to this package.

The stack starts, restarts and stops its children. It does not watch them: whoever supervises waits for
a child's end, says so by name, and restarts it.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.embedded.account import Account, require_reach, unprivileged_account
from deploy.embedded.broker import MAX_PACKET_BYTES, Broker
from deploy.embedded.child import Child
from deploy.embedded.database import Database
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.home import Home, Kept, StackUrls, default_home
from deploy.embedded.programs import choose_mosquitto, choose_postgres

__all__ = [
    "MAX_PACKET_BYTES",
    "Child",
    "EmbeddedError",
    "EmbeddedStack",
    "StackUrls",
    "default_home",
    "running_stack",
]


class EmbeddedStack:
    """Own one home's database and broker as child processes.

    Entering fetches the programs when they are not there yet, starts what is asked for and returns when
    it accepts connections; leaving stops it cleanly, the broker first. Not `durable` the database does not
    wait for the disk: for what is thrown away. Raises EmbeddedError with one
    line that says what to do.
    """

    urls: StackUrls
    children: tuple[Child, ...]

    def __init__(
        self,
        home: Path,
        *,
        say: Callable[[str], None],
        cache: Path | None = None,
        database: bool = True,
        broker: bool = True,
        durable: bool = True,
    ) -> None:
        self._home = Home(home)
        self._cache = (cache or self._home.folder / "cache").absolute()
        self._say = say
        self._wanted = (database, broker)
        self._durable = durable
        self._cleanup = AsyncExitStack()
        self.children = ()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as cleanup:
            await self._start(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._cleanup.aclose()

    async def _start(self, cleanup: AsyncExitStack) -> None:
        account = await unprivileged_account(self._say)
        for folder in (self._home.folder, self._cache):
            await require_reach(folder, account)
        self._home.prepare(account)
        cleanup.callback(self._home.leave)
        self._home.open_cache(self._cache, account)
        kept = self._home.keep()
        database_url, reader_url = ("", "")
        if self._wanted[0]:
            database_url, reader_url = await self._start_database(cleanup, kept, account)
        broker_url = await self._start_broker(cleanup, kept, account) if self._wanted[1] else ""
        self.urls = StackUrls(database_url, broker_url, reader_url)
        self._home.announce(self.urls)

    async def _start_database(self, cleanup: AsyncExitStack, kept: Kept, account: Account) -> tuple[str, str]:
        programs = await choose_postgres(self._home.database, self._cache, account, self._say)
        database = Database(self._home, kept, account, programs, self._say, durable=self._durable)
        await self._start_child(cleanup, Child(database))
        return database.url, database.reader_url

    async def _start_broker(self, cleanup: AsyncExitStack, kept: Kept, account: Account) -> str:
        mosquitto = await choose_mosquitto(self._cache, account, self._say)
        broker = Broker(self._home, kept, account, mosquitto)
        await self._start_child(cleanup, Child(broker))
        return broker.url

    async def _start_child(self, cleanup: AsyncExitStack, child: Child) -> None:
        await child.start()
        cleanup.push_async_callback(child.stop)
        self.children = (*self.children, child)


def running_stack(home: Path) -> StackUrls | None:
    """Give the URLs of the stack that a living process runs on this home, None when there is none.

    Raises EmbeddedError when there is one that this user may not know.
    """
    return Home(home).running()
