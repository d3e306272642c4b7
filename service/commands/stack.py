"""`vigie db`, `broker` and `asyncapi`: the servers behind, and what is said to them."""

from __future__ import annotations

import argparse

import msgspec

from sensors.asyncapi import asyncapi
from service.commands.common import common_options, kinds_of, tell
from service.endpoints import find_database, find_endpoints
from service.settings import Settings
from store.catalogue import seed
from store.migrate import migrate


def add_db(db: argparse.ArgumentParser) -> None:
    actions = db.add_subparsers(dest="action", required=True, metavar="ACTION")
    migrate = actions.add_parser("migrate", parents=[common_options()], help="bring the schema up to this version")
    migrate.set_defaults(run=run_migrate)
    url = actions.add_parser("url", parents=[common_options()], help="print the URL of the database, for psql")
    url.set_defaults(run=run_url)


def add_broker(broker: argparse.ArgumentParser) -> None:
    actions = broker.add_subparsers(dest="action", required=True, metavar="ACTION")
    url = actions.add_parser(
        "url", parents=[common_options()], help="print the URL of the broker, for sensors and mosquitto_pub"
    )
    url.set_defaults(run=run_broker_url)


def add_asyncapi(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=run_asyncapi)


async def run_migrate(settings: Settings, _: argparse.Namespace) -> None:
    url = find_database(settings)
    applied = await migrate(url, kinds_of(settings))
    seeded = await seed(url)
    tell("\n".join([*applied, *(["the shipped catalogue"] if seeded else [])]) or "nothing to do")


async def run_url(settings: Settings, _: argparse.Namespace) -> None:
    tell(find_database(settings))


async def run_broker_url(settings: Settings, _: argparse.Namespace) -> None:
    tell(find_endpoints(settings).broker_url)


async def run_asyncapi(settings: Settings, _: argparse.Namespace) -> None:
    tell(msgspec.json.format(msgspec.json.encode(asyncapi(kinds_of(settings)))).decode())
