"""`vigie record` and `vigie replay` on the command line: what can be asked for, and what is printed."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from sensors.errors import OperatorError
from service.commands.common import kinds_of, note, tell_counts
from service.endpoints import find_endpoints
from service.options import above_zero, count, flat, listed, moment
from service.recorder import Wanted, record
from service.replaying import replay
from service.rerunning import Past, replay_past
from service.settings import Settings

_KIND: Final = "traffic"


class PlaybackError(OperatorError):
    """Options that do not fit together."""


def add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT.npz", help="the file to write: docs/recordings.md")
    _add_range(parser, required=True)
    parser.add_argument("--sensors", **_ids("only these sensors"))
    parser.add_argument("--kind", default=_KIND, metavar="KIND", help=f"a kind of road sensor ({_KIND})")
    parser.add_argument(
        "--step", type=count, dest="step_s", metavar="SECONDS", help="between two times (the sensors' own period)"
    )
    parser.add_argument("--json", action="store_true", help="print the counts as one JSON object")
    parser.set_defaults(run=run_record)


def add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recording", type=Path, nargs="?", metavar="RECORDING", help="an .npz file: docs/recordings.md; or --from --to"
    )
    _add_range(parser, required=False)
    parser.add_argument("--as", dest="name", metavar="SITE", help="site to play a range into (replay-<time of --from>)")
    parser.add_argument(
        "--speed", type=_speed, metavar="N|max", help="N times as fast as it was, or as fast as possible (default)"
    )
    parser.add_argument("--json", action="store_true", help="print the counts as one JSON object")
    parser.set_defaults(run=run_replay)


async def run_record(settings: Settings, arguments: argparse.Namespace) -> None:
    wanted = Wanted(
        start=arguments.start,
        end=arguments.end,
        sites=flat(arguments.sites),
        sensors=flat(arguments.sensors),
        kind=arguments.kind,
        step_s=arguments.step_s,
    )
    done = await record(find_endpoints(settings).database_url, kinds_of(settings), wanted, arguments.out, say=note)
    tell_counts(asdict(done), as_json=arguments.json)


async def run_replay(settings: Settings, arguments: argparse.Namespace) -> None:
    require_one_source(arguments)
    endpoints, kinds = find_endpoints(settings), kinds_of(settings)
    if arguments.recording is not None:
        done = await replay(endpoints, kinds, arguments.recording, speed=arguments.speed, say=note)
    else:
        past = Past(arguments.start, arguments.end, flat(arguments.sites), arguments.name)
        done = await replay_past(endpoints, kinds, past, speed=arguments.speed, say=note)
    tell_counts(asdict(done), as_json=arguments.json)


def require_one_source(arguments: argparse.Namespace) -> None:
    """Raise `PlaybackError` unless either a file or a whole range is named."""
    of_range = {"--from": arguments.start, "--to": arguments.end, "--site": arguments.sites, "--as": arguments.name}
    given = [option for option, value in of_range.items() if value]
    if arguments.recording is not None and given:
        raise PlaybackError(
            f"{arguments.recording} is a recording, and {given[0]} is for a range: leave one of them out"
        )
    if arguments.recording is None and not (arguments.start and arguments.end):
        raise PlaybackError("name a recording, or a range of your own data with --from and --to")


def _add_range(parser: argparse.ArgumentParser, *, required: bool) -> None:
    example = "2026-03-02T07:30:00Z"
    parser.add_argument(
        "--from", dest="start", type=moment, required=required, metavar="TIME", help=f"begin of the range: {example}"
    )
    parser.add_argument("--to", dest="end", type=moment, required=required, metavar="TIME", help="end of the range")
    parser.add_argument("--site", dest="sites", **_ids("only these sites (all of the port)"))


def _ids(help_: str) -> dict[str, Any]:
    return {
        "type": listed,
        "action": "append",
        "default": [],
        "metavar": "ID[,ID...]",
        "help": f"{help_}; may be repeated",
    }


def _speed(text: str) -> float | None:
    return None if text == "max" else above_zero(text)
