"""All injections of one run: which effect is on a reading now, and what effects need to remember."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from sensors.fault import Fault
from sensors.kind import Kinds
from simulators.faults.delivery import Cut, Silent
from simulators.faults.effect import Case, Effect, Past, Reading
from simulators.faults.injection import Injection, InjectionError, check_all, things_of
from simulators.message import Message
from simulators.world import Thing, World

EFFECTS: Final[Mapping[Fault, Callable[[Case], Effect]]] = {
    Fault.SILENT: Silent,
    Fault.SITE_DOWN: Cut,
    Fault.NETWORK_DOWN: Cut,
}

_HONEST: Final = Effect()


class Faults:
    """The injections of one run over a world; raises `InjectionError` for those that cannot be."""

    def __init__(self, injections: Sequence[Injection], world: World, kinds: Kinds, seed: int) -> None:
        check_all(injections, world.catalogue)
        self._kinds, self._seed = kinds, seed
        things = {thing.id: thing for thing in world.things}
        self._at = [
            (injection, things[name]) for injection in injections for name in things_of(injection, world.catalogue)
        ]
        self.start()

    def start(self) -> None:
        """Forget everything: the things begin a new boot."""
        self._past: dict[str, Past] = defaultdict(Past)
        self._effects: dict[str, list[tuple[Injection, Effect]]] = defaultdict(list)
        for injection, thing in self._at:
            self._effects[thing.id].append((injection, self._effect(injection, thing)))

    def on(self, reading: Reading) -> Effect:
        """The effect on a reading, the honest one where nothing is wrong."""
        for injection, effect in self._effects.get(reading.thing.id, ()):
            if injection.active(reading.at_s):
                return effect
        return _HONEST

    def sent(self, message: Message, reading: Reading, effect: Effect) -> None:
        """Take note of what a thing sent while nothing was wrong with it."""
        if effect is _HONEST and reading.thing.id in self._effects:
            self._past[reading.thing.id].message = message

    def _effect(self, injection: Injection, thing: Thing) -> Effect:
        if injection.what not in EFFECTS:
            raise InjectionError(f"{injection}: this fault cannot be injected yet")
        named = zlib.crc32(f"{injection} {thing.id}".encode())
        rng = np.random.default_rng((self._seed, named, int(injection.start_s)))
        size = 0.0 if injection.size is None else injection.size
        return EFFECTS[injection.what](
            Case(injection, thing, self._kinds[thing.kind], rng, size, past=self._past[thing.id])
        )
