"""What a publisher still owes: messages in order, which of them are under way, and which may go next. No IO.

Closed, only the oldest message goes, alone; its acceptance opens the outbox and the others follow. A lost connection or
a refusal closes it again. So nothing overtakes a reading that the broker would not take.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple


class Owed(NamedTuple):
    """A message that is not accepted yet."""

    number: int
    topic: str
    payload: bytes


class Outbox:
    """Messages that are not accepted yet, oldest first; packet ids are those of the current connection."""

    def __init__(self) -> None:
        self.open = False
        self.limit = 65_535
        """How many may be under way at once: the broker's Receive Maximum."""
        self.accepted = 0
        self._owed: dict[int, Owed] = {}
        self._under_way: dict[int, int] = {}
        self._waiting: dict[int, None] = {}
        self._next = 0
        self._probe: int | None = None

    def __len__(self) -> int:
        return len(self._owed)

    @property
    def held_back(self) -> bool:
        """Some wait although the outbox is open: the limit was reached."""
        return self.open and bool(self._waiting)

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self._under_way

    def add(self, topic: str, payload: bytes) -> None:
        self._owed[self._next] = Owed(self._next, topic, payload)
        self._waiting[self._next] = None
        self._next += 1

    def due(self) -> list[Owed]:
        """The messages that may be sent now, in order."""
        if self.open:
            room = max(0, self.limit - len(self._under_way))
            return [self._owed[number] for number in itertools.islice(self._waiting, room)]
        if self._under_way or not self._owed:
            return []
        return [next(iter(self._owed.values()))]

    def sent(self, number: int, packet: int) -> None:
        del self._waiting[number]
        self._under_way[packet] = number
        if not self.open:
            self._probe = packet

    def accept(self, packet: int) -> None:
        """The broker took it; the one that went alone opens the outbox."""
        number = self._under_way.pop(packet, None)
        if number is None:
            return
        del self._owed[number]
        self.accepted += 1
        self.open = self.open or packet == self._probe

    def refuse(self, packet: int) -> Owed | None:
        """The broker did not take it for now: it waits in its old place and the outbox closes."""
        number = self._under_way.pop(packet, None)
        if number is None:
            return None
        self._close()
        return self._owed[number]

    def lose(self) -> None:
        """The connection is gone: everything under way waits again."""
        self._under_way.clear()
        self._close()

    def _close(self) -> None:
        self.open, self._probe = False, None
        under_way = set(self._under_way.values())
        self._waiting = {number: None for number in self._owed if number not in under_way}
