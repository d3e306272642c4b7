"""One run: a drawn scenario as messages, all systems beside each other on one broker, and what each of them said."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from service.score.feed import Alert
from service.score.systems import Place, System
from simulators.faults.injection import Injection
from simulators.publish import Publisher
from simulators.scenario import Drawn
from simulators.simulate import messages
from simulators.truth import Truth, TruthRecorder, with_faults
from simulators.world import World


@dataclass(frozen=True, slots=True)
class Played:
    """What was so, and what each system said, in the order of the systems."""

    truth: Truth
    said: tuple[list[Alert], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A drawn scenario with the faults that are injected into it; `known` is its truth where that is known already."""

    drawn: Drawn
    injections: tuple[Injection, ...]
    known: Truth | None = None


async def play(run: Run, systems: Sequence[System], place: Place, kinds: Kinds, catalogue: Catalogue) -> Played:
    """Publish everything as fast as it is taken, wait until every system is through, and read its alerts."""
    async with AsyncExitStack() as started:
        running = [await started.enter_async_context(system.running(place)) for system in systems]
        sent, truth = await _publish(run, place.endpoints.broker_url, kinds, catalogue)
        said = []
        for system in running:
            await system.through(sent)
            said.append(await system.alerts())
    return Played(truth, tuple(said))


async def _publish(run: Run, broker_url: str, kinds: Kinds, catalogue: Catalogue) -> tuple[int, Truth]:
    """How many messages were sent, and the truth of the world that they come from."""
    drawn = run.drawn
    world = World(catalogue, kinds, drawn.seed, interventions=drawn.interventions)
    recorder = _recorder(run, world, kinds, catalogue) if run.known is None else None
    sending = messages(
        world,
        kinds,
        start_s=drawn.start_s,
        end_s=drawn.end_s,
        seed=drawn.seed,
        injections=run.injections,
        observe=(lambda seen: recorder.observe(seen.view())) if recorder else None,
    )
    async with Publisher(broker_url, "vigie-score") as publisher:
        sent = await publisher.publish_all((message.topic, message.payload) for message in sending)
    truth = recorder.finish() if recorder else run.known
    assert truth is not None
    return sent, with_faults(truth, run.injections)


def _recorder(run: Run, world: World, kinds: Kinds, catalogue: Catalogue) -> TruthRecorder:
    drawn = run.drawn
    return TruthRecorder(
        catalogue,
        drawn.interventions,
        scenario=drawn.scenario,
        seed=drawn.seed,
        kinds=kinds,
        ordinary=world.ordinary(),
    )
