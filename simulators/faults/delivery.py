"""Faults of the way to the broker: what comes late, twice, in another order or never."""

from __future__ import annotations

from collections.abc import Iterable

from simulators.faults.effect import FaultEffect, Reading
from simulators.message import Message


class Silent(FaultEffect):
    """A thing that is dead: it measures nothing, and its numbers go on afterwards where they ended."""

    def speaks(self, reading: Reading) -> bool:
        del reading
        return False


class Cut(FaultEffect):
    """A gateway or network that is down: things measure on, and what they send is lost with its numbers."""

    def deliver(self, message: Message) -> Iterable[Message]:
        del message
        return ()
