"""`vigie analyse`: readings into levels, situations and alarms; the upkeep of the database."""

from __future__ import annotations

import argparse

from service.alarm_desk import rules_of, run_alarms
from service.analyst import run_analysis
from service.commands.common import kinds_of
from service.endpoints import find_endpoints
from service.parts import Part, keep_all_running
from service.quarantining import keep_bounded
from service.settings import Settings
from service.upkeep import run_upkeep


def add_analyse(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=run_analyse)


async def run_analyse(settings: Settings, _: argparse.Namespace) -> None:
    url, kinds, rules = find_endpoints(settings).database_url, kinds_of(settings), rules_of(settings)
    await keep_all_running(
        [
            Part("analyse", lambda: run_analysis(url, kinds)),
            Part("alarms", lambda: run_alarms(url, rules)),
            Part("upkeep", lambda: run_upkeep(url, kinds, settings)),
            Part("quarantine", lambda: keep_bounded(url, settings.quarantine_mb)),
        ]
    )
