"""`vigie rules`: the rules of alarms."""

from __future__ import annotations

import argparse
from pathlib import Path

from analytics.alarms.rulebook import load_rules
from service.alarm_desk import rules_of
from service.commands.common import common_options, tell
from service.settings import Settings


def add_rules(rules: argparse.ArgumentParser) -> None:
    actions = rules.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", parents=[common_options()], help="refuse an alarm without its response")
    check.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a TOML file: docs/alarms.md (default: those in use)"
    )
    check.set_defaults(run=run_rules_check)


async def run_rules_check(settings: Settings, arguments: argparse.Namespace) -> None:
    path = arguments.file or settings.rules_file
    rules = load_rules(arguments.file) if arguments.file else rules_of(settings)
    tell(f"{path or 'the shipped rules'}: {len(rules.alarm)} alarms, each with its response in French and English")
