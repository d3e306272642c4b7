"""The command line of `vigie`: what can be asked for, in words for a tired person."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple

from service.commands.common import common_options

_ABOUT = """Telemetry of a smart port: sensors in over MQTT, congestion and its alerts out.

  vigie up                     run everything here: broker, database, simulated port, service, page
  vigie replay FILE.npz        send recorded traffic through a running stack and wait until it is analysed
  psql "$(vigie db url)"       look at the data

The parts of `up` also run alone, on one machine or several, against the stack of --home
or the servers named by VIGIE_DATABASE_URL and VIGIE_BROKER_URL.
"""
_END = "Every setting, for the environment or a TOML file (VIGIE_CONFIG): docs/settings.md"


class Command(NamedTuple):
    """options: the function, as MODULE:NAME, that adds the options and what runs; group: it has commands of its own."""

    name: str
    options: str
    help: str
    group: bool = False


COMMANDS: Final = (
    Command("up", "service.commands.up:add_up", "run everything here and print where to look"),
    Command("ingest", "service.commands.ingest:add_ingest", "take readings from the broker into the database"),
    Command("analyse", "service.commands.analyse:add_analyse", "turn readings into levels and alerts; keep house"),
    Command("serve", "service.commands.serve:add_serve", "answer the page and the API"),
    Command("simulate", "service.commands.simulate:add_simulate", "stand in for the port's sensors"),
    Command("demo", "service.demo.command:add_demo", "play a day in minutes, with truth beside verdict"),
    Command("replay", "service.playback:add_replay", "play a recording, or a range of your own data"),
    Command("record", "service.playback:add_record", "store a range of your own data as a recording"),
    Command("evaluate", "service.commands.evaluate:add_evaluate", "score the detectors over recordings"),
    Command("score", "service.scoring:add_score", "score alerts against the truth of simulated runs"),
    Command("backtest", "service.commands.backtest:add_backtest", "try other settings on stored readings"),
    Command("scenarios", "service.scenarios:add_scenarios", "what can happen to the simulated port"),
    Command("chaos", "service.commands.chaos:add_chaos", "prove that nothing is lost: kill parts at random"),
    Command("db", "service.commands.stack:add_db", "the database: migrate, url", group=True),
    Command("broker", "service.commands.stack:add_broker", "the broker: url", group=True),
    Command(
        "bench",
        "service.commands.bench:add_bench",
        "measure: ingest, latency, detect, situations, alerts, api, memory, dashboards",
        group=True,
    ),
    Command("asyncapi", "service.commands.stack:add_asyncapi", "print topics and payloads as AsyncAPI 3"),
    Command(
        "quarantine",
        "service.commands.quarantine:add_quarantine",
        "what could not be used: list, show, reingest",
        group=True,
    ),
    Command("account", "service.commands.account:add_account", "what a day should have brought, to the reading"),
    Command("sensors", "service.commands.sensors:add_sensors", "what is installed: list, add, limits", group=True),
    Command("doctor", "service.commands.doctor:add_doctor", "say what is wrong and what to do"),
    Command("backup", "service.commands.backup:add_backup", "write everything in the database to one file"),
    Command("restore", "service.commands.backup:add_restore", "fill a new database with a backup"),
    Command("alerts", "service.commands.alerts:add_alerts", "the feed on a terminal: tail", group=True),
    Command("keys", "service.commands.keys:add_keys", "who may ask the API: create, link, list, revoke", group=True),
    Command("grafana", "service.commands.grafana:add_grafana", "dashboards for Grafana: build, push", group=True),
    Command("rules", "service.commands.rules:add_rules", "the rules of alarms: check", group=True),
)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse a command line; `run` of the result is the command's function. Leaves with 2 where it is wrong."""
    words = sys.argv[1:] if argv is None else argv
    return build_parser(only=next(iter(words), "")).parse_args(words)


def build_parser(*, only: str | None = None) -> argparse.ArgumentParser:
    """Every command, with the options of all, or of one: to import them all takes a second, one a quarter."""
    parser = argparse.ArgumentParser(
        prog="vigie", description=_ABOUT, epilog=_END, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = common_options()
    for one in COMMANDS:
        command = choices.add_parser(one.name, help=one.help, parents=[] if one.group else [common])
        if only in {None, one.name}:
            module, _, name = one.options.partition(":")
            getattr(import_module(module), name)(command)
    return parser
