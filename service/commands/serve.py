"""`vigie serve`: the page, the API, and what goes out by itself."""

from __future__ import annotations

import argparse
from functools import partial

from prometheus_client import CollectorRegistry

from service.backtest.beside import backtests_of
from service.clocks import now
from service.commands.common import add_http, kinds_of, tell
from service.endpoints import find_endpoints, home_folder
from service.outgoing import api_settings, outgoing
from service.parts import Part, keep_all_running
from service.server import run_server
from service.settings import Settings


def add_serve(parser: argparse.ArgumentParser) -> None:
    add_http(parser)
    parser.set_defaults(run=run_serve)


async def run_serve(settings: Settings, _: argparse.Namespace) -> None:
    endpoints, kinds, registry = find_endpoints(settings), kinds_of(settings), CollectorRegistry()
    url = endpoints.database_url
    api = api_settings(settings)
    beside = backtests_of(settings, endpoints, now)
    serve = partial(run_server, url, kinds, settings.http, api=api, registry=registry, ready=_answering)
    await keep_all_running(
        [
            Part("serve", partial(serve, backtests=beside, home=home_folder(settings))),
            *outgoing(endpoints, settings, api),
        ]
    )


def _answering(page: str) -> None:
    tell(f"answering at {page}")
