"""Wiring of the simulators: the catalogue's sensors, simulated, published until cancelled."""

from __future__ import annotations

import asyncio
import time

import msgspec

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from service.endpoints import Endpoints
from service.settings import Settings
from simulators.publish import Publisher
from simulators.simulate import simulate
from simulators.world import World
from store.catalogue import load_catalogue
from store.database import connected

CLIENT_ID = "vigie-simulate"


async def run_simulation(settings: Settings, endpoints: Endpoints, kinds: Kinds) -> None:
    """Publish for every sensor that is installed, in real time."""
    async with connected(endpoints.database_url, name="simulate") as conn:
        catalogue = await load_catalogue(conn)
    world = World(_live(catalogue), kinds, settings.simulate_seed)
    messages = simulate(world, kinds, now=time.time, sleep=asyncio.sleep, seed=settings.simulate_seed)
    async with Publisher(endpoints.broker_url, CLIENT_ID, receipts=True, when_full="forget") as publisher:
        await publisher.publish_all(messages)


def _live(catalogue: Catalogue) -> Catalogue:
    """Without the sites of recordings, whose sensors speak only when replayed."""
    sites = tuple(site for site in catalogue.sites if site.clock == "wall")
    names = {site.id for site in sites}
    sensors = tuple(sensor for sensor in catalogue.sensors if sensor.site in names)
    return msgspec.structs.replace(catalogue, sites=sites, sensors=sensors)
