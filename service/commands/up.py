"""`vigie up`: everything on one machine."""

from __future__ import annotations

import argparse

from service.commands.common import add_http, kinds_of, tell
from service.options import above_zero
from service.settings import Settings
from service.staging import add_stage, stage_of
from service.up import Options, up


def add_up(parser: argparse.ArgumentParser) -> None:
    add_http(parser)
    parser.add_argument("--no-simulators", action="store_true", help="wait for real sensors, or a replay")
    parser.add_argument("--seed", type=int, dest="simulate_seed", metavar="N", help="another port, the same each time")
    add_stage(parser)
    parser.add_argument(
        "--grafana", metavar="URL", help="push the dashboards there at start, with the setting grafana_token"
    )
    parser.add_argument("--for", dest="for_s", type=above_zero, metavar="SECONDS", help="end by itself after SECONDS")
    parser.set_defaults(run=run_up)


async def run_up(settings: Settings, arguments: argparse.Namespace) -> None:
    options = Options(
        simulators=not arguments.no_simulators,
        for_s=arguments.for_s,
        config=arguments.config,
        say=tell,
        stage=stage_of(arguments),
        grafana=arguments.grafana,
    )
    await up(settings, kinds_of(settings), options)
