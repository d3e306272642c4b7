"""The simulated sensors as senders: each publishes at its period, with its own phase, sequence and health.

Clock and sleep are arguments. All things send once within `FIRST_S` of the start, so that a new picture is complete at
once; from then on their phases spread over their periods.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np

from sensors.kind import Kinds
from sensors.payload import Health, PayloadCodec
from sensors.topics import reading_topic
from simulators.world import Thing, Values, World

FIRST_S: Final = 1.5
"""All first readings are sent within this time: under 2 s, and no burst."""

CATCH_UP_S: Final = 300.0
"""How far behind readings are still sent, as a sensor's own buffer would; after a longer stop it starts anew."""

_HEALTH_EVERY: Final = 60
_FIRMWARE: Final = "2.4.1"

Message = tuple[str, bytes]


async def simulate(
    world: World, kinds: Kinds, *, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]], seed: int
) -> AsyncIterator[Message]:
    """Topics and payloads of all things of the world, as they fall due, without end; `now` is Unix seconds."""
    senders = _Senders(world, kinds, seed)
    while True:
        # A day of steps takes up to a second: not on the event loop.
        await asyncio.to_thread(senders.start, now())
        while (late := now() - senders.next_due) < CATCH_UP_S:
            if late < 0:
                await sleep(-late)
            for message in senders.send():
                yield message


class _Senders:
    """When each thing is due, and what its messages carry besides values."""

    def __init__(self, world: World, kinds: Kinds, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._codecs = {name: PayloadCodec(kind) for name, kind in kinds.items()}

    def start(self, at_s: float) -> None:
        """Begin a new boot: sequences from 0, everything due once, then by phase."""
        at_s = round(at_s, 3)
        self._world.start(at_s)
        things = self._world.things
        self._boot = int(at_s)
        self._seq: Counter[str] = Counter()
        self._rng = np.random.default_rng((self._seed, self._boot))
        self._due = [(round(at_s + FIRST_S * place / len(things), 3), place) for place in range(len(things))]
        self._first = len(things)
        heapq.heapify(self._due)

    @property
    def next_due(self) -> float:
        """When the next reading is measured; never, in a world without things."""
        return self._due[0][0] if self._due else np.inf

    def send(self) -> Iterator[Message]:
        """The messages of the thing that is due, and of the lorries that passed until then."""
        due_s, place = self._due[0]
        thing = self._world.things[place]
        # One interval is longer, by the phase: no step of the world is read twice or left out.
        phase = self._rng.random() if self._first > 0 else 0.0
        self._first -= 1
        heapq.heapreplace(self._due, (round(due_s + thing.period_s * (1 + phase), 3), place))
        self._world.advance(due_s)
        for event in self._world.take_events():
            yield self._message(event.thing, event.at_s, event.values, None)
        healthy = thing.kind != "travel_time" and self._seq[thing.id] % _HEALTH_EVERY == 0
        yield self._message(thing, due_s, self._world.measure(place), self._health() if healthy else None)

    def _message(self, thing: Thing, at_s: float, values: Values, health: Health | None) -> Message:
        time, seq = datetime.fromtimestamp(at_s, UTC), self._seq[thing.id]
        self._seq[thing.id] += 1
        payload = self._codecs[thing.kind].encode(time, values, boot=self._boot, seq=seq, health=health)
        return reading_topic(thing.site, thing.id, thing.kind), payload

    def _health(self) -> Health:
        return Health(
            battery_v=round(float(self._rng.uniform(3.45, 3.65)), 2),
            rssi_dbm=round(float(self._rng.uniform(-92, -58))),
            firmware=_FIRMWARE,
        )
