"""Puts the API together: routes, errors, protection, metrics and the two broadcasters. Decides nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.middleware.gzip import GZipMiddleware

from api import openapi, problems
from api.access.caller import Callers
from api.access.door import Door
from api.access.limit import Limiter
from api.assets import read_assets
from api.backtests import Backtests, NoBacktests
from api.board import Board
from api.broadcast import Feed
from api.context import Context, Now
from api.delivery.courier import Courier
from api.delivery.guard import AddressGuard
from api.delivery.post import Poster
from api.installed import Installed
from api.metrics import RequestMetrics, StreamMetrics
from api.present import Present
from api.routes import (
    alarms,
    alerts,
    appointments,
    backtests,
    catalogue,
    deliveries,
    duty,
    faults,
    forecast,
    geometry,
    health,
    lorry_ban,
    outlook,
    page,
    quarantine,
    readings,
    sign_in,
    situations,
    states,
    subscriptions,
    terminals,
)
from api.security import Guard
from api.settings import ApiSettings
from api.source import Source
from api.stream_gzip import StreamGzip
from sensors.geometry import shipped_coast
from sensors.kind import Kinds

_DESCRIPTION = """Congestion of a smart port as its sensors see it: states, readings, and alerts as they come.

Times are RFC 3339 in UTC, every value carries its unit, lists are bounded, every error is `application/problem+json`.
"""


_MODULES = (
    states,
    forecast,
    situations,
    backtests,
    faults,
    alarms,
    duty,
    terminals,
    appointments,
    outlook,
    alerts,
    subscriptions,
    deliveries,
    readings,
    lorry_ban,
    catalogue,
    geometry,
    quarantine,
    health,
    sign_in,
    page,
)
"""In the order in which routes are tried; the page takes everything that is left."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    source: Source,
    kinds: Kinds,
    *,
    settings: ApiSettings | None = None,
    registry: CollectorRegistry | None = None,
    now: Now = _utc_now,
    backtester: Backtests | None = None,
) -> FastAPI:
    """Build the app on a source of data, which stays the caller's. Serve it inside `broadcasting`."""
    settings = settings or ApiSettings()
    context = _context(source, kinds, settings, registry or CollectorRegistry(), now, backtester or NoBacktests())
    app = FastAPI(
        title="Vigie",
        summary="Telemetry of a smart port",
        description=_DESCRIPTION,
        version=_version(),
        contact=openapi.CONTACT,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=openapi.TAGS,
        docs_url=None,  # its scripts come from a third party
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.context = context
    routes = list(app.routes)
    for module in _MODULES:
        app.include_router(module.router)
        routes += module.router.routes
    problems.install(app, routes)
    openapi.install(app)
    app.add_middleware(StreamGzip)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)  # leaves event streams alone
    app.add_middleware(
        Door, routes=routes, callers=Callers(source.grants), limiter=Limiter(), metrics_open=settings.metrics_open
    )
    app.add_middleware(RequestMetrics, registry=context.registry)
    app.add_middleware(Guard, allowed_hosts=settings.allowed_hosts)
    return app


def _context(  # noqa: PLR0917  each of another type
    source: Source,
    kinds: Kinds,
    settings: ApiSettings,
    registry: CollectorRegistry,
    now: Now,
    backtester: Backtests,
) -> Context:
    installed = Installed(source)
    feed = Feed(source, backlog=settings.stream_backlog, poll_s=settings.poll_s, heartbeat_s=settings.heartbeat_s)
    present = Present(source, kinds)
    board = Board(present, installed, every_s=settings.states_every_s)
    registry.register(StreamMetrics(feed, board))
    return Context(
        source=source,
        operations=source.operations,
        kinds=kinds,
        settings=settings,
        now=now,
        installed=installed,
        feed=feed,
        board=board,
        present=present,
        coast=shipped_coast(),
        assets=read_assets(settings.page),
        registry=registry,
        courier=courier_of(settings),
        backtests=backtester,
    )


def courier_of(settings: ApiSettings) -> Courier:
    """Who carries messages to receivers, by these settings."""
    poster = Poster(AddressGuard(settings.private_networks))
    return Courier(settings.signing_key, poster, settings.mail_server, ZoneInfo(settings.timezone))


@asynccontextmanager
async def broadcasting(app: FastAPI) -> AsyncIterator[None]:
    """Run what feeds the event streams; should it fail, the block is cancelled: a deaf stream looks healthy."""
    context: Context = app.state.context
    async with context.courier.poster, asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(context.feed.run(), name="feed"),
            tasks.create_task(context.feed.beat(), name="heartbeat"),
            tasks.create_task(context.feed.keep_open(), name="keep open"),
            tasks.create_task(context.board.run(), name="board"),
        ]
        yield
        end_streams(app)
        for task in running:
            task.cancel()


def end_streams(app: FastAPI) -> None:
    """End every open event stream at once, and every later one: the service is stopping."""
    context: Context = app.state.context
    context.feed.close()
    context.board.close()


def _operation_id(route: APIRoute) -> str:
    return route.name


def _version() -> str:
    try:
        return version("vigie")
    except PackageNotFoundError:
        return "0"
