"""`vigie account`: what a day should have brought, and what became of it."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime

import msgspec

from service.accounting import account, account_json, account_rows
from service.commands.common import kinds_of, table, tell
from service.endpoints import find_endpoints
from service.settings import Settings


def add_account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the day, in UTC (default: today so far)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run_account)


async def run_account(settings: Settings, arguments: argparse.Namespace) -> None:
    day = arguments.day or datetime.now(UTC).date()
    found = await account(find_endpoints(settings).database_url, kinds_of(settings), day)
    as_text = "\n".join(table(list(account_rows(found))))
    tell(msgspec.json.encode(account_json(day, found)).decode() if arguments.json else as_text)
