"""The command line of `vigie`: what can be asked for, in words for a tired person."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sensors.payload import Reason
from service import commands
from service.demo.command import add_demo
from service.field_options import add_simulate
from service.options import above_zero, count
from service.playback import add_record, add_replay
from service.quarantining import moment
from service.scenarios import add_scenarios
from service.scoring import add_score
from service.staging import add_play, add_stage

_MOST_ENTRIES = 1000
_ABOUT = """Telemetry of a smart port: sensors in over MQTT, congestion and its alerts out.

  vigie up                     run everything here: broker, database, simulated port, service, page
  vigie replay FILE.npz        send recorded traffic through a running stack and wait until it is analysed
  psql "$(vigie db url)"       look at the data

The parts of `up` also run alone, on one machine or several, against the stack of --home
or the servers named by VIGIE_DATABASE_URL and VIGIE_BROKER_URL.
"""
_END = "Every setting, for the environment or a TOML file (VIGIE_CONFIG): docs/settings.md"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse a command line; `run` of the result is the command's function. Leaves with 2 where it is wrong."""
    return build_parser().parse_args(argv)


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser(
        prog="vigie", description=_ABOUT, epilog=_END, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = _common()
    _add_up(choices.add_parser("up", parents=[common], help="run everything here and print where to look"))
    _add_parts(choices, common)
    add_demo(choices.add_parser("demo", parents=[common], help="play a day in minutes, with truth beside verdict"))
    add_replay(choices.add_parser("replay", parents=[common], help="play a recording, or a range of your own data"))
    add_record(choices.add_parser("record", parents=[common], help="store a range of your own data as a recording"))
    _add_evaluate(choices.add_parser("evaluate", parents=[common], help="score the detectors over recordings"))
    add_score(choices.add_parser("score", parents=[common], help="score alerts against the truth of simulated runs"))
    add_scenarios(choices.add_parser("scenarios", parents=[common], help="what can happen to the simulated port"))
    _add_chaos(choices.add_parser("chaos", parents=[common], help="prove that nothing is lost: kill parts at random"))
    _add_db(choices.add_parser("db", help="the database: migrate, url"), common)
    _add_broker(choices.add_parser("broker", help="the broker: url"), common)
    _add_bench(choices.add_parser("bench", help="measure speeds: ingest, latency, detect"), common)
    document = choices.add_parser("asyncapi", parents=[common], help="print topics and payloads as AsyncAPI 3")
    document.set_defaults(run=commands.run_asyncapi)
    _add_quarantine(choices.add_parser("quarantine", help="what could not be used: list, show, reingest"), common)
    _add_account(choices.add_parser("account", parents=[common], help="what a day should have brought, to the reading"))
    _add_sensors(choices.add_parser("sensors", help="what is installed: list, add, limits"), common)
    _add_rules(choices.add_parser("rules", help="the rules of alarms: check"), common)
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--home", metavar="DIR", help="folder of the stack (default: your data folder; as root /var/lib/vigie)"
    )
    common.add_argument("--config", type=Path, metavar="FILE", help="a TOML file of settings")
    return common


def _add_up(up: argparse.ArgumentParser) -> None:
    _add_http(up)
    up.add_argument("--no-simulators", action="store_true", help="wait for real sensors, or a replay")
    up.add_argument("--seed", type=int, dest="simulate_seed", metavar="N", help="another port, the same each time")
    add_stage(up)
    up.add_argument("--for", dest="for_s", type=above_zero, metavar="SECONDS", help="end by itself after SECONDS")
    up.set_defaults(run=commands.run_up)


def _add_http(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--http", metavar="HOST:PORT", help="where page and API answer (default 127.0.0.1:8090; port 0: any free one)"
    )


def _add_parts(choices: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    ingest = choices.add_parser("ingest", parents=[common], help="take readings from the broker into the database")
    ingest.set_defaults(run=commands.run_ingest)
    analyse = choices.add_parser("analyse", parents=[common], help="turn readings into levels and alerts; keep house")
    analyse.set_defaults(run=commands.run_analyse)
    serve = choices.add_parser("serve", parents=[common], help="answer the page and the API")
    _add_http(serve)
    serve.set_defaults(run=commands.run_serve)
    simulate = choices.add_parser("simulate", parents=[common], help="stand in for the port's sensors")
    add_simulate(simulate)
    add_stage(simulate)
    add_play(simulate)
    simulate.set_defaults(run=commands.run_simulate)


def _add_evaluate(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument(
        "recordings", type=Path, nargs="+", metavar="RECORDING", help=".npz files: docs/recordings.md"
    )
    evaluate.add_argument(
        "--faults", type=_percent, default=0.0, metavar="PCT", help="break so many of the stations for 12 h (0)"
    )
    evaluate.add_argument("--loss", type=_percent, default=0.0, metavar="PCT", help="lose so many of the readings (0)")
    evaluate.add_argument("--seed", type=int, default=1, metavar="S", help="which stations and readings (1)")
    evaluate.add_argument("--json", action="store_true", help="print a list with one JSON object per recording")
    evaluate.set_defaults(run=commands.run_evaluate)


def _add_chaos(chaos: argparse.ArgumentParser) -> None:
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
    chaos.set_defaults(run=commands.run_chaos_command)


def _add_db(db: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = db.add_subparsers(dest="action", required=True, metavar="ACTION")
    migrate = actions.add_parser("migrate", parents=[common], help="bring the schema up to this version")
    migrate.set_defaults(run=commands.run_migrate)
    url = actions.add_parser("url", parents=[common], help="print the URL of the database, for psql")
    url.set_defaults(run=commands.run_url)


def _add_broker(broker: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = broker.add_subparsers(dest="action", required=True, metavar="ACTION")
    url = actions.add_parser("url", parents=[common], help="print the URL of the broker, for sensors and mosquitto_pub")
    url.set_defaults(run=commands.run_broker_url)


def _add_quarantine(quarantine: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = quarantine.add_subparsers(dest="action", required=True, metavar="ACTION")
    chosen = [common, _chosen()]
    listing = actions.add_parser("list", parents=chosen, help="the newest entries")
    listing.add_argument("--limit", type=_entries, default=50, metavar="N", help="at most so many (default 50)")
    listing.add_argument("--before", type=int, metavar="ID", help="only entries below this id")
    listing.add_argument("--repaired", action="store_true", default=None, help="only what was re-ingested")
    listing.set_defaults(run=commands.run_quarantine_list)
    show = actions.add_parser("show", parents=[common], help="one entry with its payload")
    show.add_argument("id", type=int, metavar="ID", help="its number in the list")
    show.add_argument("--json", action="store_true", help="print one JSON object")
    show.set_defaults(run=commands.run_quarantine_show)
    again = actions.add_parser("reingest", parents=chosen, help="try entries again, after a repair")
    again.add_argument(
        "ids", nargs="*", type=int, metavar="ID", help="only these; all that the filters leave otherwise"
    )
    again.set_defaults(run=commands.run_quarantine_reingest)


def _chosen() -> argparse.ArgumentParser:
    """The filters over the quarantine."""
    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument("--reason", choices=[reason.value for reason in Reason], help="only entries for this reason")
    chosen.add_argument("--site", metavar="ID", help="only of this site")
    chosen.add_argument("--sensor", metavar="ID", help="only of this sensor or corridor")
    chosen.add_argument("--since", type=moment, metavar="TIME", help="only what came since: 2026-03-01T12:00:00Z")
    chosen.add_argument("--until", type=moment, metavar="TIME", help="only what came before")
    chosen.add_argument("--json", action="store_true", help="print one JSON object")
    return chosen


def _entries(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST_ENTRIES:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and {_MOST_ENTRIES}")
    return number


def _add_account(account: argparse.ArgumentParser) -> None:
    account.add_argument(
        "--day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the day, in UTC (default: today so far)"
    )
    account.add_argument("--json", action="store_true", help="print one JSON object")
    account.set_defaults(run=commands.run_account)


def _add_sensors(sensors: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = sensors.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", parents=[common], help="one line a sensor")
    listing.set_defaults(run=commands.run_sensors_list)
    add = actions.add_parser("add", parents=[common], help="install a sensor at a site")
    add.add_argument("--id", required=True, help="its id, also its place in the topic: W07-T1")
    add.add_argument("--site", required=True, help="an existing site: W07")
    add.add_argument("--kind", required=True, help="a kind, shipped or your own: gate")
    add.add_argument("--name", default="", help="what people call it")
    add.set_defaults(run=commands.run_sensors_add)
    limits = actions.add_parser("limits", parents=[common], help="from which values on its levels hold")
    limits.add_argument("--of", required=True, metavar="ID", help="a sensor, or a site for all of one kind: W07")
    limits.add_argument("--kind", help="which sensors of the site: gate")
    for level in ("dense", "congested", "jammed"):
        limits.add_argument(f"--{level}", type=float, metavar="VALUE", help="from here on, in the unit of its kind")
    limits.add_argument("--of-kind", action="store_true", help="take back what was set: the limits of the kind hold")
    limits.set_defaults(run=commands.run_sensors_limits)


def _add_rules(rules: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = rules.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", parents=[common], help="refuse an alarm without its response")
    check.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a TOML file: docs/alarms.md (default: those in use)"
    )
    check.set_defaults(run=commands.run_rules_check)


def _add_bench(bench: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    things = bench.add_subparsers(dest="action", required=True, metavar="WHAT")
    ingest = things.add_parser("ingest", parents=[common], help="messages per second, beside other takers")
    ingest.add_argument("--messages", type=count, default=300_000, metavar="N", help="per measurement (300000)")
    ingest.add_argument("--rounds", type=count, default=2, metavar="N", help="every other one mirrored (2)")
    ingest.set_defaults(run=commands.run_bench_ingest)
    latency = things.add_parser("latency", parents=[common], help="milliseconds from publishing to commit")
    latency.add_argument("--sensors", type=count, default=90, metavar="N", help="publishing once a second each (90)")
    latency.add_argument("--seconds", type=above_zero, default=20.0, metavar="S", help="how long they publish (20)")
    latency.set_defaults(run=commands.run_bench_latency)
    detect = things.add_parser(
        "detect", parents=[common], help="milliseconds a step of analytics takes, in this process"
    )
    detect.add_argument(
        "--sensors", type=_counts, default=[90, 9000, 90_000], metavar="N,N", help="numbers to try (90,9000,90000)"
    )
    detect.add_argument("--json", action="store_true", help="print a list with one JSON object per number")
    detect.set_defaults(run=commands.run_bench_detect)
    for parser in (ingest, latency):
        parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
        parser.add_argument("--record", type=Path, metavar="FILE", help="append figures and machine, as Markdown")


def _counts(text: str) -> list[int]:
    return [count(part) for part in text.split(",")]


def _percent(text: str) -> float:
    """As a share of 1."""
    number = float(text)
    if not 0 <= number <= 100:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 100")
    return number / 100
