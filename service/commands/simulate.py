"""`vigie simulate`: sensors that stand in for the port's."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from service.commands.common import kinds_of, note, tell_counts
from service.field_broker import tells_password
from service.field_options import add_field
from service.fieldwork import Fieldwork
from service.sending import Sent
from service.settings import Settings
from service.simulation import run_simulation
from service.staging import add_play, add_stage, stage_of


def add_simulate(parser: argparse.ArgumentParser) -> None:
    add_field(parser)
    add_stage(parser)
    add_play(parser)
    parser.set_defaults(run=run_simulate)


async def run_simulate(settings: Settings, arguments: argparse.Namespace) -> None:
    def ended(sent: Sent) -> None:
        if arguments.json or not arguments.quiet:
            tell_counts(asdict(sent), as_json=arguments.json)

    if tells_password(arguments):
        note("the password in --broker can be read by everybody on this machine: --password-file hides it")
    fieldwork, stage = Fieldwork.of(arguments, settings), stage_of(arguments)
    await run_simulation(settings, fieldwork, kinds_of(settings), stage, note=note, ended=ended)
