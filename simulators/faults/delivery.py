"""Faults of the way to the broker: what comes late, twice, in another order, under another number or never."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from simulators.faults.effect import Case, FaultEffect, Numbers, Reading
from simulators.message import Message

_RESET_EVERY: Final = 20
"""Readings from one restart of a counter to the next: a device that starts over and over."""

_BURST_S: Final = 0.001
"""Between the messages of a late batch: as fast as a gateway empties its buffer."""

_COPY_S: Final = (0.2, 5.0)
"""How long after a message its copy comes: a sender that did not see the acknowledgement."""

_DELAYED: Final = 0.5
"""Share of the messages that are held up."""


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


class Insufficient(FaultEffect):
    """A radio link that loses most of the samples, with their numbers."""

    def deliver(self, message: Message) -> Iterable[Message]:
        return (message,) if self.case.rng.random() < self.case.size else ()


class Duplicate(FaultEffect):
    """Each message again, the same bytes."""

    def deliver(self, message: Message) -> Iterable[Message]:
        yield message
        for _ in range(int(self.case.size)):
            yield _later(message, float(self.case.rng.uniform(*_COPY_S)))


class OutOfOrder(FaultEffect):
    """Messages that are held up for longer than a period, so that later ones overtake them."""

    def deliver(self, message: Message) -> Iterable[Message]:
        if self.case.rng.random() >= _DELAYED:
            return (message,)
        periods = float(self.case.rng.uniform(1.0, self.case.size))
        return (_later(message, periods * self.case.thing.period_s),)


class LateBatch(FaultEffect):
    """Nothing until the end, then all of it in one burst, in order."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._kept = 0

    def deliver(self, message: Message) -> Iterable[Message]:
        self._kept += 1
        arrives_s = max(self.case.injection.end_s, message.time_s) + _BURST_S * self._kept
        return (message._replace(time_s=round(arrives_s, 3)),)


class CounterReset(FaultEffect):
    """A counter that starts at 0 again and again, within its boot or with a new one."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._since = 0

    def renumber(self, numbers: Numbers, told_s: float) -> None:
        if self._since % _RESET_EVERY == 0:
            numbers.seq = 0
            numbers.boot = int(told_s) if self.case.size else numbers.boot
        self._since += 1


class StaleRetained(FaultEffect):
    """The last message from before the start again, before a live one, at each reconnect."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._again_s = case.injection.start_s

    def deliver(self, message: Message) -> Iterable[Message]:
        past = self.case.past
        past.message = past.message or message
        if message.time_s >= self._again_s:
            self._again_s = message.time_s + self.case.size
            yield past.message._replace(time_s=message.time_s)
        yield message


def _later(message: Message, seconds: float) -> Message:
    return message._replace(time_s=round(message.time_s + seconds, 3))
