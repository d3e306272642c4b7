"""Wiring of the simulators: the catalogue's sensors, simulated, published until a scenario or a person ends them."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from service.fieldwork import Fieldwork
from service.progress import Progress
from service.sending import Sent, counted, send_until_told
from service.settings import Settings
from service.staging import Run, Stage, require_senders, resolve, scenarios_of
from service.witness import witnessed
from simulators.manner import Manner
from simulators.publish import Publisher
from simulators.senders import Senders
from simulators.senml_format import SenmlFormat
from simulators.simulate import play, simulate
from simulators.world import World

Say = Callable[[str], None]


async def run_simulation(
    settings: Settings,
    fieldwork: Fieldwork,
    kinds: Kinds,
    stage: Stage,
    *,
    note: Say,
    ended: Callable[[Sent], None],
) -> None:
    """Publish for every sensor that is installed, or for those chosen; `ended` gets the counts.

    Raises `OperatorError` for what cannot be played, and what sending raises.
    """
    broker, installed = await fieldwork.place.find(settings)
    run = resolve_now(settings, stage, installed)
    world = World(live(installed), kinds, run.seed, interventions=run.interventions)
    manner, sending = fieldwork.manner(world, kinds), fieldwork.sending
    require_senders(run, stage, frozenset(manner.only or ()), world.catalogue)
    publisher = Publisher(
        broker,
        sending.client_id,
        dialect=sending.dialect,
        receipts=sending.receipts,
        # What is measured now cannot wait until there is room to keep it; what is played as fast as possible can.
        when_full="wait" if stage.speed is None else "forget",
    )
    with witnessed(run, world, kinds, stage.truth, note) as observe:
        if run.scenario or observe:
            senders = Senders(world, kinds, run.seed, run.injections, observe, manner=manner, shift_s=run.shift_s)
            messages = _played(senders, run, stage.speed)
        else:
            messages = _ordinary(world, kinds, run, manner)
        if sending.senml:
            messages = SenmlFormat(kinds).all_of(messages)
        async with publisher, _shown(publisher, fieldwork):
            if run.scenario and not fieldwork.quiet:
                note(_announcement(run))
            try:
                await send_until_told(publisher, messages, sending, note)
            finally:
                ended(counted(publisher))


def resolve_now(settings: Settings, stage: Stage, installed: Catalogue) -> Run:
    """The run that begins now; raises what cannot be played as an `OperatorError`."""
    return resolve(stage, scenarios_of(settings), live(installed), seed=settings.simulate_seed, now_s=time.time())


def live(installed: Catalogue) -> Catalogue:
    """Without the sites of recordings, whose sensors speak only when replayed."""
    sites = tuple(site for site in installed.sites if site.clock == "wall")
    names = {site.id for site in sites}
    sensors = tuple(sensor for sensor in installed.sensors if sensor.site in names)
    corridors = tuple(corridor for corridor in installed.corridors if corridor.to_site in names)
    return msgspec.structs.replace(installed, sites=sites, sensors=sensors, corridors=corridors)


def _ordinary(world: World, kinds: Kinds, run: Run, manner: Manner) -> AsyncIterator[tuple[str, bytes]]:
    """For ever; after a long sleep of the machine it starts anew."""
    now, sleep = time.time, asyncio.sleep
    return simulate(world, kinds, now=now, sleep=sleep, seed=run.seed, injections=run.injections, manner=manner)


async def _played(senders: Senders, run: Run, speed: float | None) -> AsyncIterator[tuple[str, bytes]]:
    now, sleep = time.monotonic, asyncio.sleep
    async for message in play(senders, start_s=run.start_s, end_s=run.end_s, speed=speed, now=now, sleep=sleep):
        yield message.topic, message.payload


def _announcement(run: Run) -> str:
    begins, ends = (
        "it is stopped" if math.isinf(at_s) else f"{datetime.fromtimestamp(at_s + run.shift_s, UTC):%F %T} UTC"
        for at_s in (run.start_s, run.end_s)
    )
    return f"{run.scenario} with seed {run.seed}: from {begins} until {ends}"


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
