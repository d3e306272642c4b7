"""One run: a drawn scenario as messages, all systems beside each other on one broker, and what each of them said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from service.score.feed import Alert
from service.score.systems import Place, Running, System
from simulators.faults.injection import Injection
from simulators.message import Message
from simulators.publish import Publisher
from simulators.scenario import Drawn
from simulators.simulate import messages
from simulators.truth import Truth, TruthRecorder, with_faults
from simulators.world import World

PORTION_BYTES: Final = 1 << 26
"""How far ahead of the systems the readings may be: a quarter of what the broker keeps for an absent session before it
drops, without a word. More risks that, less makes everybody wait for the slowest more often."""


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
        sending, truth_of = _world(run, kinds, catalogue)
        await _publish(sending, running, place.endpoints.broker_url)
        said = [await system.alerts() for system in running]
    return Played(truth_of(), tuple(said))


async def _publish(sending: Iterator[Message], systems: Sequence[Running], broker_url: str) -> None:
    """Send everything, portion by portion, and wait after each until all systems are through with it."""
    sent, portions = 0, Portions(sending)
    async with Publisher(broker_url, "vigie-score") as publisher:
        while not portions.over:
            sent += await publisher.publish_all((message.topic, message.payload) for message in portions.next())
            for system in systems:
                await system.through(sent)


class Portions:
    """Messages in portions that no queue of the broker overflows with; most runs are one."""

    def __init__(self, sending: Iterator[Message], most_bytes: int = PORTION_BYTES) -> None:
        self.over = False
        self._sending, self._most_bytes = sending, most_bytes

    def next(self) -> Iterator[Message]:
        """The next portion, made while it is taken."""
        taken = 0
        for message in self._sending:
            yield message
            taken += len(message.payload)
            if taken >= self._most_bytes:
                return
        self.over = True


def _world(run: Run, kinds: Kinds, catalogue: Catalogue) -> tuple[Iterator[Message], Callable[[], Truth]]:
    """The messages of a run, and how to get the truth of their world once all are made."""
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

    def truth() -> Truth:
        found = recorder.finish() if recorder else run.known
        assert found is not None
        return with_faults(found, run.injections)

    return sending, truth


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
