"""`vigie quarantine`: what could not be used."""

from __future__ import annotations

import argparse

from sensors.payload import Reason
from service.commands.common import common_options, kinds_of, tell
from service.endpoints import find_endpoints
from service.options import moment
from service.quarantining import list_entries, run_reingest, show_entry
from service.settings import Settings

_MOST_ENTRIES = 1000


def add_quarantine(quarantine: argparse.ArgumentParser) -> None:
    actions = quarantine.add_subparsers(dest="action", required=True, metavar="ACTION")
    chosen = [common_options(), _chosen()]
    listing = actions.add_parser("list", parents=chosen, help="the newest entries")
    listing.add_argument("--limit", type=_entries, default=50, metavar="N", help="at most so many (default 50)")
    listing.add_argument("--before", type=int, metavar="ID", help="only entries below this id")
    listing.add_argument("--repaired", action="store_true", default=None, help="only what was re-ingested")
    listing.set_defaults(run=run_quarantine_list)
    show = actions.add_parser("show", parents=[common_options()], help="one entry with its payload")
    show.add_argument("id", type=int, metavar="ID", help="its number in the list")
    show.add_argument("--json", action="store_true", help="print one JSON object")
    show.set_defaults(run=run_quarantine_show)
    again = actions.add_parser("reingest", parents=chosen, help="try entries again, after a repair")
    again.add_argument(
        "ids", nargs="*", type=int, metavar="ID", help="only these; all that the filters leave otherwise"
    )
    again.set_defaults(run=run_quarantine_reingest)


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


async def run_quarantine_list(settings: Settings, arguments: argparse.Namespace) -> None:
    await list_entries(find_endpoints(settings).database_url, arguments, tell)


async def run_quarantine_show(settings: Settings, arguments: argparse.Namespace) -> None:
    await show_entry(find_endpoints(settings).database_url, arguments.id, as_json=arguments.json, say=tell)


async def run_quarantine_reingest(settings: Settings, arguments: argparse.Namespace) -> None:
    await run_reingest(find_endpoints(settings).database_url, kinds_of(settings), arguments, tell)
