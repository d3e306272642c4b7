"""`vigie chaos`: parts are killed at random, and everything is counted."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from service.chaos.director import Options, require_nothing_lost, run_chaos
from service.commands.common import kinds_of, note, tell_counts
from service.endpoints import cache_folder
from service.options import count
from service.settings import Settings


def add_chaos(chaos: argparse.ArgumentParser) -> None:
    chaos.add_argument("--messages", type=count, default=50_000, metavar="N", help="readings to publish (50,000)")
    chaos.add_argument("--kills", type=count, default=5, metavar="K", help="kills of ingestors, broker, database (5)")
    chaos.add_argument("--seed", type=int, default=1, metavar="S", help="which plan of kills (1)")
    chaos.add_argument(
        "--publisher",
        choices=("receipts", "plain"),
        default="receipts",
        help="keep readings until they are receipted (default), or believe the broker",
    )
    chaos.add_argument("--json", action="store_true", help="print the counts as one JSON object")
    chaos.set_defaults(run=run_chaos_command)


async def run_chaos_command(settings: Settings, arguments: argparse.Namespace) -> None:
    options = Options(
        messages=arguments.messages,
        kills=arguments.kills,
        seed=arguments.seed,
        receipts=arguments.publisher == "receipts",
        cache=cache_folder(settings),
        say=note,
    )
    verdict = await run_chaos(kinds_of(settings), options)
    tell_counts(asdict(verdict), as_json=arguments.json)
    require_nothing_lost(verdict, options)
