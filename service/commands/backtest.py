"""`vigie backtest`: what other settings would have made of what is stored."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from service.alarm_desk import rules_of
from service.backtest.backtest import Question, as_json, as_lines, backtest
from service.backtest.trial import Trial, as_mapping, read_trial
from service.commands.common import kinds_of, tell
from service.endpoints import find_endpoints
from service.options import count, moment
from service.settings import Settings


def add_backtest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="since", type=moment, required=True, metavar="TIME", help="2026-03-01T12:00:00Z")
    parser.add_argument("--to", dest="until", type=moment, required=True, metavar="TIME", help="not included")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="what is tried, TOML or JSON (default: nothing)")
    parser.add_argument("--operators", type=count, default=1, metavar="N", help="who share the alarms (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run_backtest)


async def run_backtest(settings: Settings, arguments: argparse.Namespace) -> None:
    trial = read_trial(arguments.settings) if arguments.settings else Trial()
    question = Question(arguments.since, arguments.until, trial, arguments.operators)
    url = find_endpoints(settings).database_url
    found = await backtest(url, kinds_of(settings), rules_of(settings), question)
    if arguments.json:
        tell(msgspec.json.encode(as_json(found, as_mapping(trial))).decode())
    else:
        tell("\n".join(as_lines(found)))
