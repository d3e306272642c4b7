"""`vigie score` on the command line: what can be asked, and how the figures are told."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from sensors.errors import OperatorError
from service.access import key_for
from service.commands.common import kinds_of, note, tell
from service.endpoints import cache_folder
from service.options import above_zero, count, moment
from service.score.conductor import Options, score_all
from service.score.one import Question, score_one
from service.score.past import WEEKS
from service.score.report import as_lines, as_markdown
from service.score.systems import BASELINE, VIGIE, System
from service.score.tally import Figures, table
from service.server import page_url
from service.settings import Settings
from service.staging import scenarios_of


class ScoreError(OperatorError):
    """What was asked cannot be scored."""


def add_score(score: argparse.ArgumentParser) -> None:
    what = score.add_mutually_exclusive_group(required=True)
    what.add_argument("--truth", type=Path, metavar="FILE", help="compare a truth with what a running system says")
    what.add_argument("--all", action="store_true", help="play every scenario through the whole chain, and compare")
    what.add_argument("--days", type=_days, metavar="N", help="play so many ordinary days with faults that creep")
    score.add_argument("--url", metavar="URL", help="with --truth: the system (default: that of the setting http)")
    score.add_argument("--from", dest="since", type=moment, metavar="TIME", help="with --truth: only from then on")
    score.add_argument("--to", dest="until", type=moment, metavar="TIME", help="with --truth: only until then")
    score.add_argument("--scenario", action="append", default=[], metavar="NAME", help="only this one; again for more")
    score.add_argument("--scenarios", type=Path, metavar="DIR", help="beside the shipped ones, those of a folder")
    score.add_argument("--seeds", type=count, default=1, metavar="N", help="how many ports (1)")
    score.add_argument("--first-seed", type=int, default=1, metavar="S", help="the first of them (1)")
    score.add_argument(
        "--system",
        type=_system,
        default=VIGIE,
        metavar="NAME",
        help=f"{VIGIE}, {BASELINE}, or the command line of another",
    )
    score.add_argument("--compare", action="store_true", help=f"score the {BASELINE} beside it, on the same readings")
    score.add_argument("--keep", type=Path, metavar="DIR", help="keep the truth of each run, and what was said")
    score.add_argument("--weeks", type=int, default=WEEKS, help=argparse.SUPPRESS)  # for tests that cannot wait
    told = score.add_mutually_exclusive_group()
    told.add_argument("--json", action="store_true", help="print a list with one object per scenario, the last of all")
    told.add_argument("--markdown", action="store_true", help="print a table for the documentation")
    score.set_defaults(run=run_score)


async def run_score(settings: Settings, arguments: argparse.Namespace) -> None:
    _check(arguments)
    if arguments.truth is not None:
        url = arguments.url or page_url(settings)
        key = key_for(url, settings)
        question = Question(truth=arguments.truth, url=url, key=key, since=arguments.since, until=arguments.until)
        _tell({VIGIE: [await score_one(question)]}, arguments)
        return
    options = Options(
        scenarios=scenarios_of(settings, arguments.scenarios),
        only=tuple(arguments.scenario),
        systems=_systems(arguments),
        seeds=range(arguments.first_seed, arguments.first_seed + arguments.seeds),
        cache=cache_folder(settings),
        say=note,
        days=arguments.days,
        keep=arguments.keep,
        weeks=arguments.weeks,
    )
    scored = await score_all(kinds_of(settings), options)
    unseen = sum(tally.unseen for _, tally in next(iter(scored.values())))
    note(f"{unseen} events that no sensor could see are left out")
    _tell({name: table(tallies) for name, tallies in scored.items()}, arguments)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that would be passed over in silence."""
    of_truth = {"--url": arguments.url, "--from": arguments.since, "--to": arguments.until}
    given = [name for name, value in of_truth.items() if value is not None]
    if given and arguments.truth is None:
        raise ScoreError(f"{given[0]} belongs to --truth FILE: what is played is scored as a whole")
    if arguments.days is not None and arguments.scenario:
        raise ScoreError("--scenario belongs to --all: ordinary days have none")


def _systems(arguments: argparse.Namespace) -> tuple[System, ...]:
    names = [arguments.system, *([BASELINE] if arguments.compare else [])]
    return tuple(System(name) for name in dict.fromkeys(names))


def _tell(scored: Mapping[str, Sequence[Figures]], arguments: argparse.Namespace) -> None:
    if arguments.json:
        found = next(iter(scored.values())) if len(scored) == 1 else scored
        tell(msgspec.json.encode(found).decode())
    elif arguments.markdown:
        tell("\n".join(as_markdown(scored)))
    else:
        for name, rows in scored.items():
            tell("\n".join([f"{name}:", *as_lines(rows)]))


def _system(text: str) -> str:
    try:
        parts = shlex.split(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text} is not a command line: {exc}") from exc
    if not parts:
        raise argparse.ArgumentTypeError("an empty name; expected a system or a command line")
    return text


def _days(text: str) -> float:
    number = above_zero(text)
    if number > 14:  # noqa: PLR2004  the truth of more does not fit into memory
        raise argparse.ArgumentTypeError(f"{text} is more than 14")
    return number
