"""The options of `vigie simulate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from service.field_broker import SHIPPED
from service.fieldwork import PATIENCE_S
from service.options import above_zero, count, listed
from simulators.manner import LARGEST_JITTER


def add_field(parser: argparse.ArgumentParser) -> None:
    """Everything but the function of the command."""
    parser.add_argument("--seed", type=int, dest="simulate_seed", metavar="N", help="another port, the same each time")
    _add_choice(parser.add_argument_group("which sensors, and what they say"))
    _add_broker(parser.add_argument_group("which broker (without: the stack's)"))
    _add_sending(parser.add_argument_group("how they send"))
    _add_end(parser.add_argument_group("how it ends, and what is shown"))


def _add_choice(group: argparse._ArgumentGroup) -> None:
    for option, dest, what in (("--site", "sites", "sites"), ("--only", "things", "sensors, corridors")):
        group.add_argument(
            option,
            dest=dest,
            nargs="+",
            type=listed,
            action="extend",
            default=[],
            metavar="ID",
            help=f"only these {what}",
        )
    group.add_argument(
        "--set",
        dest="said",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="what those of --only say in place of what they measure; null leaves it out; may be repeated",
    )
    group.add_argument("--force", action="store_true", help="let --set take a value that the kind cannot have")
    group.add_argument(
        "--catalogue",
        metavar="FILE",
        help=f"the port, written as sensors/port.toml, or '{SHIPPED}' (default with --broker; else the database's)",
    )


def _add_broker(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--broker", metavar="URL", help="mqtt://HOST:PORT, or mqtts:// for TLS; no database is needed")
    group.add_argument("--ca-file", type=Path, metavar="FILE", help="authorities to trust instead of the system's, PEM")
    group.add_argument("--cert", type=Path, metavar="FILE", help="our own certificate, PEM")
    group.add_argument("--key", type=Path, metavar="FILE", help="its key, PEM, where it is not in the same file")
    group.add_argument("--user", metavar="NAME", help="who we are to the broker, where the URL does not say")
    group.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="its first line is the password; or VIGIE_SIMULATE_PASSWORD",
    )
    group.add_argument("--client-id", metavar="ID", help="for a broker that restricts them (vigie-simulate-<random>)")
    group.add_argument("--mqtt", choices=("5", "3.1.1"), default="5", help="version of MQTT (5)")


def _add_sending(group: argparse._ArgumentGroup) -> None:
    pace = group.add_mutually_exclusive_group()
    pace.add_argument("--rate", type=above_zero, default=1.0, metavar="N", help="readings per period of a sensor (1)")
    pace.add_argument("--every", type=above_zero, metavar="SECONDS", help="between two readings of each sensor")
    group.add_argument(
        "--jitter", type=_jitter, default=0.0, metavar="SHARE", help="of each interval, longer or shorter at random (0)"
    )
    group.add_argument("--format", choices=("json", "senml"), default="json", help="of the payload (json)")
    group.add_argument("--qos", type=int, choices=(0, 1), default=1, help="0: the broker accepts nothing (1)")
    group.add_argument("--no-receipts", action="store_true", help="the broker's word is the end: repeat nothing later")


def _add_end(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--for", dest="for_s", type=above_zero, metavar="SECONDS", help="end by itself after SECONDS")
    group.add_argument("--count", type=count, metavar="N", help="end by itself after N messages")
    group.add_argument(
        "--patience",
        type=_not_below_zero,
        default=PATIENCE_S,
        metavar="SECONDS",
        help=f"how long the end waits for receipts ({PATIENCE_S:g}); 0: it neither waits nor complains",
    )
    group.add_argument("--quiet", action="store_true", help="show no progress and no counts")
    group.add_argument("--json", action="store_true", help="print the counts at the end as one JSON object")


def _not_below_zero(text: str) -> float:
    number = float(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def _jitter(text: str) -> float:
    number = float(text)
    if not 0 <= number <= LARGEST_JITTER:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {LARGEST_JITTER}")
    return number
