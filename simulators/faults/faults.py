"""All injections of one run: which effect is on a reading now, and what effects need to remember."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from sensors.kind import Kinds
from simulators.faults.effect import Case, Effect, Past, Reading
from simulators.faults.effects import effect_of
from simulators.faults.injection import Injection, check_all, things_of
from simulators.faults.profiles import tells
from simulators.faults.sense import other_of
from simulators.message import Message
from simulators.world import Thing, Values, World

_HONEST: Final = Effect()


class Faults:
    """The injections of one run over a world; raises `InjectionError` for those that cannot be."""

    def __init__(self, injections: Sequence[Injection], world: World, kinds: Kinds, seed: int) -> None:
        catalogue = world.catalogue
        check_all(injections, catalogue)
        self._kinds, self._seed = kinds, seed
        self._things = {thing.id: thing for thing in world.things}
        at = [(injection, name) for injection in injections for name in things_of(injection, catalogue)]
        self._at = [
            (injection, self._things[name], other_of(injection.what, name, catalogue))
            for injection, name in at
            if name in self._things  # a site that is down may have sensors of kinds that nobody simulates
        ]
        self._watched = {other for _, _, other in self._at if other is not None}
        self.start()

    def start(self) -> None:
        """Forget everything: the things begin a new boot."""
        self._past: dict[str, Past] = defaultdict(Past)
        self._latest: dict[str, Values] = {}
        self._effects: dict[str, list[tuple[Injection, Effect]]] = defaultdict(list)
        for injection, thing, other in self._at:
            self._effects[thing.id].append((injection, self._effect(injection, thing, other)))

    def on(self, reading: Reading) -> Effect:
        """The effect on a reading, the honest one where nothing is wrong."""
        name, kind = reading.thing.id, reading.thing.kind
        if name in self._watched and kind == self._things[name].kind:
            self._latest[name] = reading.values
        for injection, effect in self._effects.get(name, ()):
            if injection.active(reading.sent_s):
                return effect
        if name in self._effects and kind == self._things[name].kind and tells(kind, reading.values):
            self._past[name].telling = reading.values
        return _HONEST

    def sent(self, message: Message, reading: Reading, effect: Effect) -> None:
        """Take note of what a thing sent while nothing was wrong with it."""
        if effect is _HONEST and reading.thing.id in self._effects:
            self._past[reading.thing.id].message = message

    def _effect(self, injection: Injection, thing: Thing, other: str | None) -> Effect:
        named = zlib.crc32(f"{injection} {thing.id}".encode())
        return effect_of(
            Case(
                injection,
                thing,
                self._kinds[thing.kind],
                np.random.default_rng((self._seed, named, int(injection.start_s))),
                injection.amount,
                None if other is None else self._things[other],
                self._latest,
                self._past[thing.id],
            )
        )
