"""`vigie ingest`: readings from the broker into the database."""

from __future__ import annotations

import argparse

from service.commands.common import kinds_of
from service.endpoints import find_endpoints
from service.ingestor import Ingest
from service.parts import keep_all_running
from service.settings import Settings


def add_ingest(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=run_ingest)


async def run_ingest(settings: Settings, _: argparse.Namespace) -> None:
    ingest = Ingest(settings, find_endpoints(settings), kinds_of(settings))
    await keep_all_running(ingest.parts())
