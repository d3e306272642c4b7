"""`vigie evaluate`: the detectors over recordings."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import msgspec

from service.commands.common import kinds_of, tell
from service.evaluate.evaluation import Disturbance, as_text, evaluate
from service.settings import Settings


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recordings", type=Path, nargs="+", metavar="RECORDING", help=".npz files: docs/recordings.md")
    parser.add_argument(
        "--faults", type=_percent, default=0.0, metavar="PCT", help="break so many of the stations for 12 h (0)"
    )
    parser.add_argument("--loss", type=_percent, default=0.0, metavar="PCT", help="lose so many of the readings (0)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which stations and readings (1)")
    parser.add_argument("--json", action="store_true", help="print a list with one JSON object per recording")
    parser.set_defaults(run=run_evaluate)


async def run_evaluate(settings: Settings, arguments: argparse.Namespace) -> None:
    kinds, disturbance = kinds_of(settings), Disturbance(arguments.faults, arguments.loss, arguments.seed)
    found = [await asyncio.to_thread(evaluate, path, kinds, disturbance) for path in arguments.recordings]
    tell(msgspec.json.encode(found).decode() if arguments.json else "\n".join(as_text(found)))


def _percent(text: str) -> float:
    """As a share of 1."""
    number = float(text)
    if not 0 <= number <= 100:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 100")
    return number / 100
