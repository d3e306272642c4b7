"""The real broker and the real TimescaleDB, started once for all tests that ask for them.

`VIGIE_TEST_DATABASE_URL` and `VIGIE_TEST_BROKER_URL` name servers to use instead, for instance the Community edition.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import structlog
from psycopg import sql
from psycopg.rows import TupleRow
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from deploy.embedded.stack import EmbeddedStack, default_home

CACHE = Path(os.environ.get("VIGIE_TEST_CACHE") or default_home(os.environ, os.geteuid() == 0) / "cache")
PATIENCE_S = 30.0
TOGETHER = "tests/e2e/page/"
MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made by mkdtemp
ROOM_BYTES = 4 * 2**30
_numbers = itertools.count(1)
EMPTY = sql.Identifier("template0")
"""Not template1: TimescaleDB looks into that from time to time, and nobody may be in it meanwhile."""


def pytest_configure(config: pytest.Config) -> None:
    """Scratch folders lie in memory where it has room: a disk that trims takes seconds to delete each database."""
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)  # for the commands that tests run, too
        tempfile.tempdir = None


def _has_room(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    here = os.statvfs(folder)
    return here.f_bavail * here.f_frsize > ROOM_BYTES and not here.f_flag & os.ST_NOEXEC


class _ByFileOrBrowser(LoadFileScheduling):
    """One file after the other goes to the next free process; those of the page go together, with their browser."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER if file.startswith(TOGETHER) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return _ByFileOrBrowser(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def logs_restored() -> Iterator[None]:
    """A command that runs in this process must not leave the logs of later tests in a stream that is closed by then."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def program_cache() -> Path:
    """Where the embedded programs are kept, so that a run downloads them once at the most."""
    return CACHE


@pytest.fixture(scope="session")
def stack() -> Iterator[EmbeddedStack]:
    """One embedded stack for the whole run, kept by a thread of its own because tests come and go with their loops."""
    folder = Path(tempfile.mkdtemp(prefix="vigie-test-"))
    folder.chmod(0o755)  # the unprivileged account that root hands the servers to must pass through
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="stack")
    thread.start()
    running = EmbeddedStack(folder, say=print, cache=CACHE, durable=False)
    try:
        asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result()
        yield running
        asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        shutil.rmtree(folder)


class Databases:
    """The databases of a run on one server; each is gone after its test."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._templates: dict[str, sql.Identifier] = {}

    @contextmanager
    def new(self, template: sql.Identifier = EMPTY) -> Iterator[str]:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        with self._connected() as conn:
            conn.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), template))
            yield self._url(name)
            _drop(conn, sql.Identifier(name))

    def copy_of(self, what: str, fill: Callable[[str], None]) -> AbstractContextManager[str]:
        """Make a database as `fill` left it; it is called once for each `what`, with the URL of an empty one."""
        if what not in self._templates:
            self._templates[what] = self._template(fill)
        return self.new(self._templates[what])

    def _template(self, fill: Callable[[str], None]) -> sql.Identifier:
        """Nobody may be in a template: TimescaleDB's worker leaves a renamed one and enters no closed one."""
        filled, closed = (f"test_{os.getpid()}_{next(_numbers)}" for _ in range(2))
        with self._connected() as conn:
            conn.execute(sql.SQL("create database {} template {}").format(sql.Identifier(filled), EMPTY))
            fill(self._url(filled))
            close = sql.SQL("alter database {} with is_template true allow_connections false")
            conn.execute(close.format(sql.Identifier(filled)))
            rename = sql.SQL("alter database {} rename to {}")
            conn.execute(rename.format(sql.Identifier(filled), sql.Identifier(closed)))
        return sql.Identifier(closed)

    def close(self) -> None:
        if self._templates:
            with self._connected() as conn:
                for name in self._templates.values():
                    conn.execute(sql.SQL("alter database {} with is_template false").format(name))
                    _drop(conn, name)

    def _connected(self) -> psycopg.Connection[TupleRow]:
        return psycopg.connect(self._server, autocommit=True)

    def _url(self, database: str) -> str:
        return urlsplit(self._server)._replace(path=f"/{database}").geturl()


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    found = Databases(os.environ.get("VIGIE_TEST_DATABASE_URL") or request.getfixturevalue("stack").urls.database_url)
    yield found
    found.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A new empty database, gone after the test."""
    with databases.new() as url:
        yield url


@pytest.fixture(scope="session")
def copy_of(databases: Databases) -> Callable[[str, Callable[[str], None]], AbstractContextManager[str]]:
    """Make databases that are copies of what was filled once: copying takes a tenth of migrating."""
    return databases.copy_of


@pytest.fixture(scope="module")
def module_database_url(databases: Databases) -> Iterator[str]:
    """A new empty database for all tests of a module."""
    with databases.new() as url:
        yield url


def _drop(conn: psycopg.Connection[TupleRow], name: sql.Identifier) -> None:
    """Drop a database; a background worker of TimescaleDB in it, which we may not end, leaves by itself."""
    drop, deadline = sql.SQL("drop database {} with (force)").format(name), time.monotonic() + PATIENCE_S
    while True:
        try:
            conn.execute(drop)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def broker_url(request: pytest.FixtureRequest) -> str:
    """The broker of the run; tests keep apart by their own topics and client ids."""
    return os.environ.get("VIGIE_TEST_BROKER_URL") or str(request.getfixturevalue("stack").urls.broker_url)
