"""Wiring of the HTTP side: the app on a pool of connections, and ingest's counters where it runs in this process."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from api.app import create_app
from api.server import serve
from api.settings import ApiSettings
from sensors.errors import OperatorError
from sensors.kind import Kinds
from service.access import ensure_local_key
from service.backtest.beside import Beside
from service.garbage import leave_out_what_stays
from service.settings import Settings
from store.api_queries import DatabaseSource
from store.database import Pool

CONNECTIONS = 4
"""Of the API to the database: more serve no reader sooner on two cores, each costs the server 5 MB."""


OTHER_FILES = 1000
"""Open files beside the event streams: answers under way, the database, the broker, files of the page."""


class AddressError(OperatorError):
    """An address that is none."""


def parse_address(text: str) -> tuple[str, int]:
    """Read HOST:PORT, [HOST]:PORT or :PORT; port 0 takes any that is free."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) >= 1 << 16:
        raise AddressError(f"--http {text!r} is not an address: write HOST:PORT, such as 127.0.0.1:8090")
    return host.strip("[]") or "127.0.0.1", int(port)


def page_url(settings: Settings) -> str:
    """Where the service of these settings answers, without a slash at the end."""
    host, port = parse_address(settings.http)
    if not port:
        raise AddressError(f"the setting http is {settings.http!r}, any free port: name the service with --url")
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def run_server(
    database_url: str,
    kinds: Kinds,
    http: str,
    *,
    api: ApiSettings,
    registry: CollectorRegistry,
    ready: Callable[[str], None],
    backtests: Beside,
    home: Path,
) -> None:
    """Serve at the address `http` until cancelled; `ready` gets the URL of the page once it answers.

    `home` is the folder that gets the key of this machine.
    """
    _allow_open_files(api.max_streams + OTHER_FILES)
    await ensure_local_key(home, database_url)
    async with Pool(database_url, name="api", size=CONNECTIONS) as pool, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(backtests.run(), name="backtests")
        source = DatabaseSource(pool, database_url)
        app = create_app(source, kinds, settings=api, registry=registry, backtester=backtests)
        await serve(app, *parse_address(http), partial(_ready, ready))
        running.cancel()


def _ready(tell: Callable[[str], None], url: str) -> None:
    leave_out_what_stays()
    tell(url)


def _allow_open_files(wanted: int) -> None:
    """Have at least so many, where the machine allows it: the usual 1,024 are fewer than the streams there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
