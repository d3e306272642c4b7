"""The simulated sensors as senders: each publishes at its period, with its own phase, sequence and health.

All things send once within `FIRST_S` of the start, so that a new picture is complete at once; from then on their phases
spread over their periods. What is wrong with a thing changes nothing of any other: not its phase, not its chances.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from sensors.kind import Kinds
from sensors.payload import Health, PayloadCodec
from sensors.topics import reading_topic
from simulators.faults.effect import Numbers, Reading
from simulators.faults.faults import Faults
from simulators.faults.injection import Injection
from simulators.manner import Manner
from simulators.message import Message
from simulators.world import STEP_S, Values, World

FIRST_S: Final = 1.5
"""All first readings are sent within this time: under 2 s, and no burst."""

_HEALTH_EVERY: Final = 60
_JITTER: Final = 1
_FIRMWARE: Final = "2.4.1"

Observe = Callable[[World], None]


class Senders:
    """When each thing is due, and what its messages carry besides values. Raises `InjectionError`.

    What they tell of time, boots included, is `shift_s` later than in the world: its Monday can be played on any day.
    """

    def __init__(
        self,
        world: World,
        kinds: Kinds,
        seed: int,
        injections: Sequence[Injection] = (),
        observe: Observe | None = None,
        *,
        manner: Manner | None = None,
        shift_s: float = 0.0,
    ) -> None:
        self._world, self._seed, self._observe, self._manner = world, seed, observe, manner or Manner()
        self._shift_s = shift_s
        self._codecs = {name: PayloadCodec(kind) for name, kind in kinds.items()}
        self._faults = Faults(injections, world, kinds, seed)

    def start(self, at_s: float) -> None:
        """Begin a new boot: sequences from 0, everything due once, then by phase."""
        at_s = round(at_s, 3)
        self._world.start(at_s)
        self._seen = math.floor(at_s / STEP_S)
        self._faults.start()
        self._things, boot = self._manner.senders(self._world.things), int(at_s)
        self._numbers = {thing.id: Numbers(int(at_s + self._shift_s)) for thing, _ in self._things}
        self._last: dict[str, tuple[float, Values]] = {}
        self._measured: Counter[str] = Counter()
        self._rng = np.random.default_rng((self._seed, boot))
        # Apart, so that the chances of all else stay the same.
        self._intervals = np.random.default_rng((self._seed, boot, _JITTER))
        count = len(self._things)
        self._due = [(round(at_s + FIRST_S * place / count, 3), place) for place in range(count)]
        self._first = count
        heapq.heapify(self._due)
        self._held: list[tuple[float, int, Message]] = []
        self._holds = 0

    @property
    def next_s(self) -> float:
        """When something happens next: a reading is measured, or one that was held up arrives; else never."""
        due_s = self._due[0][0] if self._due else math.inf
        return min(due_s, self._held[0][0]) if self._held else due_s

    def send(self) -> Iterator[Message]:
        """What reaches the broker at `next_s`: a message held up until now, or what the thing that is due sends."""
        at_s = self.next_s
        if self._held and self._held[0][0] == at_s:
            yield heapq.heappop(self._held)[2]
            return
        for reading in self._measure():
            for message in self._messages(reading):
                if message.time_s <= at_s:
                    yield message
                else:
                    self._holds += 1
                    heapq.heappush(self._held, (message.time_s, self._holds, message))

    def advance(self, to_s: float) -> None:
        """Step the world, and show each of its steps."""
        if self._observe is None:
            self._world.advance(to_s)
            return
        for step in range(self._seen + 1, math.floor(to_s / STEP_S) + 1):
            self._world.advance(step * STEP_S)
            self._observe(self._world)
            self._seen = step

    def _measure(self) -> list[Reading]:
        """What the thing that is due reads, after the lorries that passed until then."""
        due_s, place = self._due[0]
        thing = self._things[place][0]
        # One interval is longer, by the phase: no step of the world is read twice or left out.
        phase = self._rng.random() if self._first > 0 else 0.0
        self._first -= 1
        interval_s = self._manner.interval_s(thing, self._intervals)
        heapq.heapreplace(self._due, (round(due_s + interval_s * (1 + phase), 3), place))
        self.advance(due_s)
        events = [event for event in self._world.take_events() if event.thing.id in self._numbers]
        healthy = thing.kind != "travel_time" and self._measured[thing.id] % _HEALTH_EVERY == 0
        self._measured[thing.id] += 1
        values, health = self._values(place), self._health() if healthy else None
        return [Reading(event.thing, event.at_s, due_s, event.values, None) for event in events] + [
            Reading(thing, due_s, due_s, values, health)
        ]

    def _values(self, place: int) -> Values:
        """What a thing says; before the world has moved on, what it measured last."""
        thing, index = self._things[place]
        if index is None:
            return self._manner.says(thing, {})
        step_s, measured = self._last.get(thing.id, (-math.inf, {}))
        if self._world.now_s > step_s:
            step_s, measured = self._last[thing.id] = self._world.now_s, self._world.measure(index)
        return self._manner.says(thing, measured)

    def _messages(self, reading: Reading) -> Iterator[Message]:
        """What becomes of a reading on its way."""
        effect = self._faults.on(reading)
        if not effect.speaks(reading):
            return
        numbers = self._numbers[reading.thing.id]
        effect.renumber(numbers, reading.at_s + self._shift_s)
        time = datetime.fromtimestamp(effect.told_s(reading) + self._shift_s, UTC)
        codec, values = self._codecs[reading.thing.kind], effect.values(reading)
        payload = codec.encode(time, values, boot=numbers.boot, seq=numbers.seq, health=reading.health)
        numbers.seq += 1
        sender = effect.sender(reading.thing)
        topic = reading_topic(sender.site, sender.id, sender.kind)
        message = Message(reading.sent_s, topic, effect.payload(payload))
        self._faults.sent(message, reading, effect)
        yield from effect.deliver(message)

    def _health(self) -> Health:
        return Health(
            battery_v=round(float(self._rng.uniform(3.45, 3.65)), 2),
            rssi_dbm=round(float(self._rng.uniform(-92, -58))),
            firmware=_FIRMWARE,
        )
