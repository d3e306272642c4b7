"""`vigie demo` on the command line."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from datetime import datetime
from typing import Final

from api.server import CannotListenError, bind
from service.commands.common import kinds_of, tell
from service.demo.play import Options, demo
from service.endpoints import cache_folder
from service.options import above_zero
from service.score.past import WEEK_START
from service.score.plan import chosen
from service.score.stage import recorded_port
from service.server import parse_address
from service.settings import Settings
from service.staging import scenarios_of
from simulators.profile import PORT_TIME
from simulators.scenario import Drawn, draw
from simulators.scenario_file import Scenario

SCENARIO: Final = "monday-0730"
MINUTES: Final = 3.0


def add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenario", default=SCENARIO, metavar="NAME", help=f"what is played ({SCENARIO}): vigie scenarios"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which run of it (1)")
    parser.add_argument(
        "--minutes", type=above_zero, default=MINUTES, metavar="N", help=f"how long it takes ({MINUTES:g})"
    )
    parser.add_argument(
        "--http", metavar="HOST:PORT", help="where the page answers (127.0.0.1:8090, else any free port)"
    )
    parser.add_argument("--stay", action="store_true", help="keep the page at the end, until Ctrl-C")
    parser.set_defaults(run=run_demo)


async def run_demo(settings: Settings, arguments: argparse.Namespace) -> None:
    scenario = chosen(scenarios_of(settings), [arguments.scenario])[arguments.scenario]
    drawn = draw(scenario, recorded_port(), seed=arguments.seed, week_start_s=WEEK_START.timestamp())
    tell("\n".join(_introduced(scenario, drawn)))
    options = Options(
        drawn=drawn,
        minutes=arguments.minutes,
        http=settings.http if arguments.http else _free(settings.http),
        stay=arguments.stay,
        cache=cache_folder(settings),
        out=sys.stdout,
        say=tell,
    )
    await demo(kinds_of(settings), options)


def _introduced(scenario: Scenario, drawn: Drawn) -> list[str]:
    start, end = (datetime.fromtimestamp(at_s, PORT_TIME) for at_s in (drawn.start_s, drawn.end_s))
    return [scenario.title.en, scenario.about.en, f"{start:%A} {start:%H:%M} to {end:%H:%M}, seed {drawn.seed}"]


def _free(http: str) -> str:
    """The usual address, or any port where somebody uses it: beside a running `vigie up` a demo is welcome."""
    host, port = parse_address(http)
    with suppress(CannotListenError):
        bind(host, port).close()
        return http
    return f"{host}:0"
