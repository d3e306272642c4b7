"""How the things of the world send, where that is not all of them, at their period, and what they measure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulators.world import Thing, Values

LARGEST_JITTER = 0.9
"""Of an interval: at 1 two readings could share their instant."""


@dataclass(frozen=True, slots=True)
class Manner:
    """`only` (ids) chooses things; None is all. A thing of the world that is left out neither sends nor measures.

    An interval is `every_s`, or the thing's period over `rate`; each is longer or shorter by up to `jitter` of it. The
    world moves on every 30 s: a reading that comes sooner repeats the one before, because nothing new can be known.
    `said` holds values by thing that are sent in place of what is measured. `extra` are things that the world does not
    have: all they send is what is `said`.
    """

    only: Collection[str] | None = None
    rate: float = 1.0
    every_s: float | None = None
    jitter: float = 0.0
    said: Mapping[str, Values] = field(default_factory=dict)
    extra: tuple[Thing, ...] = ()

    def senders(self, things: Sequence[Thing]) -> list[tuple[Thing, int | None]]:
        """Who sends, each with its place in the world."""
        chosen = [(thing, place) for place, thing in enumerate(things) if self.only is None or thing.id in self.only]
        return [*chosen, *((thing, None) for thing in self.extra)]

    def interval_s(self, thing: Thing, rng: np.random.Generator) -> float:
        interval_s = thing.period_s / self.rate if self.every_s is None else self.every_s
        return interval_s * (1 + self.jitter * rng.uniform(-1, 1)) if self.jitter else interval_s

    def says(self, thing: Thing, measured: Values) -> Values:
        """What is sent of what was measured; passages of a gate are left as they are."""
        said = self.said.get(thing.id)
        return measured if said is None else {**measured, **said}
