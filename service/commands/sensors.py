"""`vigie sensors`: what is installed."""

from __future__ import annotations

import argparse

from sensors.catalogue import Sensor
from sensors.errors import OperatorError
from service.commands.common import common_options, kinds_of, table, tell
from service.endpoints import find_endpoints
from service.settings import Settings
from store.catalogue import load_catalogue, register_sensor, set_limits
from store.database import connected


class LimitsError(OperatorError):
    """Limits that are not complete."""


def add_sensors(sensors: argparse.ArgumentParser) -> None:
    actions = sensors.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", parents=[common_options()], help="one line a sensor")
    listing.set_defaults(run=run_sensors_list)
    add = actions.add_parser("add", parents=[common_options()], help="install a sensor at a site")
    add.add_argument("--id", required=True, help="its id, also its place in the topic: W07-T1")
    add.add_argument("--site", required=True, help="an existing site: W07")
    add.add_argument("--kind", required=True, help="a kind, shipped or your own: gate")
    add.add_argument("--name", default="", help="what people call it")
    add.set_defaults(run=run_sensors_add)
    limits = actions.add_parser("limits", parents=[common_options()], help="from which values on its levels hold")
    limits.add_argument("--of", required=True, metavar="ID", help="a sensor, or a site for all of one kind: W07")
    limits.add_argument("--kind", help="which sensors of the site: gate")
    for level in ("dense", "congested", "jammed"):
        limits.add_argument(f"--{level}", type=float, metavar="VALUE", help="from here on, in the unit of its kind")
    limits.add_argument("--of-kind", action="store_true", help="take back what was set: the limits of the kind hold")
    limits.set_defaults(run=run_sensors_limits)


async def run_sensors_list(settings: Settings, _: argparse.Namespace) -> None:
    async with connected(find_endpoints(settings).database_url, name="sensors") as conn:
        catalogue = await load_catalogue(conn)
    rows = [(s.id, s.kind, s.site, s.name) for s in catalogue.sensors]
    tell("\n".join(table([("id", "kind", "site", "name"), *rows])))


async def run_sensors_add(settings: Settings, arguments: argparse.Namespace) -> None:
    sensor = Sensor(id=arguments.id, site=arguments.site, kind=arguments.kind, name=arguments.name)
    kinds = kinds_of(settings)
    async with connected(find_endpoints(settings).database_url, name="sensors") as conn:
        await register_sensor(conn, sensor, kinds)
    tell(f"{sensor.id} is installed: it publishes to vigie/1/readings/{sensor.site}/{sensor.id}/{sensor.kind}")


async def run_sensors_limits(settings: Settings, arguments: argparse.Namespace) -> None:
    limits = None if arguments.of_kind else (arguments.dense, arguments.congested, arguments.jammed)
    if limits is not None and None in limits:
        raise LimitsError("give --dense, --congested and --jammed, or --of-kind for the limits of the kind")
    async with connected(find_endpoints(settings).database_url, name="sensors") as conn:
        changed = await set_limits(conn, arguments.of, arguments.kind, limits, kinds_of(settings))
    told = "those of their kind" if limits is None else ", ".join(f"{limit:g}" for limit in limits)
    tell(f"limits of {', '.join(changed)}: {told}")
