"""Wiring of the simulators: the catalogue's sensors, simulated, published until told to end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from service.fieldwork import Fieldwork
from service.progress import Progress
from service.sending import Sent, counted, send_until_told
from service.settings import Settings
from simulators.publish import Publisher
from simulators.senml_format import SenmlFormat
from simulators.simulate import simulate
from simulators.world import World


async def run_simulation(
    settings: Settings,
    fieldwork: Fieldwork,
    kinds: Kinds,
    *,
    note: Callable[[str], None],
    ended: Callable[[Sent], None],
) -> None:
    """Publish for every sensor that is installed, or for those chosen, in real time; `ended` gets the counts."""
    broker, catalogue = await fieldwork.place.find(settings)
    world = World(_live(catalogue), kinds, settings.simulate_seed)
    manner = fieldwork.manner(world, kinds)
    messages = simulate(world, kinds, now=time.time, sleep=asyncio.sleep, seed=settings.simulate_seed, manner=manner)
    sending = fieldwork.sending
    if sending.senml:
        messages = SenmlFormat(kinds).all_of(messages)
    publisher = Publisher(
        broker, sending.client_id, dialect=sending.dialect, receipts=sending.receipts, when_full="forget"
    )
    async with publisher, _shown(publisher, fieldwork):
        try:
            await send_until_told(publisher, messages, sending, note)
        finally:
            ended(counted(publisher))


@asynccontextmanager
async def _shown(publisher: Publisher, fieldwork: Fieldwork) -> AsyncIterator[None]:
    """Progress on standard error, unless nobody wants to see any."""
    if fieldwork.quiet:
        yield
        return
    progress = Progress(publisher, sys.stderr, receipts=fieldwork.sending.receipts)
    task = asyncio.create_task(progress.run(), name="progress")
    try:
        yield
    finally:
        task.cancel()
        progress.clear()


def _live(catalogue: Catalogue) -> Catalogue:
    """Without the sites of recordings, whose sensors speak only when replayed."""
    sites = tuple(site for site in catalogue.sites if site.clock == "wall")
    names = {site.id for site in sites}
    sensors = tuple(sensor for sensor in catalogue.sensors if sensor.site in names)
    corridors = tuple(corridor for corridor in catalogue.corridors if corridor.to_site in names)
    return msgspec.structs.replace(catalogue, sites=sites, sensors=sensors, corridors=corridors)
