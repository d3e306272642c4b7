"""What an injection does to the readings of one thing: one hook for each stage between measuring and the broker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from sensors.kind import Kind
from sensors.payload import Health
from simulators.faults.injection import Injection
from simulators.message import Message
from simulators.world import Thing, Values


@dataclass(slots=True)
class Reading:
    """What a thing has measured at `at_s`, before it says so; the broker would have it at `sent_s`."""

    thing: Thing
    at_s: float
    sent_s: float
    values: Values
    health: Health | None


@dataclass(slots=True)
class Numbers:
    """Boot and next number of one sender."""

    boot: int
    seq: int = 0


@dataclass(slots=True)
class Past:
    """What a thing measured and sent last while nothing was wrong with it.

    `telling` is its last reading whose main value was not zero.
    """

    telling: Values | None = None
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One injection at one thing, and what its effect may look at."""

    injection: Injection
    thing: Thing
    kind: Kind
    rng: np.random.Generator
    size: float
    other: Thing | None = None
    """Whose readings it publishes, or as whom."""
    latest: Mapping[str, Values] = field(default_factory=dict)
    """The last true reading of `other`."""
    past: Past = field(default_factory=Past)


class Effect:
    """Leaves everything as it is: what an honest thing does at each stage."""

    def speaks(self, reading: Reading) -> bool:
        """Whether it is measured, and numbered, at all."""
        del reading
        return True

    def values(self, reading: Reading) -> Values:
        return reading.values

    def told_s(self, reading: Reading) -> float:
        """The time that the reading says."""
        return reading.at_s

    def renumber(self, numbers: Numbers, told_s: float) -> None:
        """Change how the next reading is numbered; `told_s` is the time by a right clock."""

    def sender(self, thing: Thing) -> Thing:
        """Whose topic it is published on."""
        return thing

    def payload(self, payload: bytes) -> bytes:
        return payload

    def deliver(self, message: Message) -> Iterable[Message]:
        """What reaches the broker of a message, and when: never before its time."""
        return (message,)


class FaultEffect(Effect):
    """Overrides the stage that the fault spoils."""

    def __init__(self, case: Case) -> None:
        self.case = case
