"""Lorries inside the terminals: a visit is the pair of a gate-in and a gate-out, with a container, read or not."""

from __future__ import annotations

import heapq
from typing import Final, NamedTuple

import numpy as np

from sensors.container import check_digit

_TURN_S: Final = (1700.0, 0.35)
"""Median and spread (log) of gate-in to the way out: 30 min with the exit are wanted."""

_READ_RATE: Final = 0.97
"""Cameras read 95 to 99 % of the container numbers."""

_OWNERS: Final = ("CMAU", "MSCU", "MSKU", "HLXU", "TGHU", "TCLU", "TRHU", "GESU")
_TWENTY_FOOT: Final = 0.4


class Visit(NamedTuple):
    """A lorry at a terminal: what it brings and fetches is in TEU, 0 for nothing."""

    id: str
    container: str | None
    brings: int
    fetches: int


class Inside:
    """All lorries between gate-in and gate-out, in order of the end of their turn."""

    def __init__(self) -> None:
        self._turns: list[tuple[float, int, int, Visit]] = []
        self.admitted = 0

    def __len__(self) -> int:
        return len(self._turns)

    def admit(
        self, place: int, site: str, at_s: float, rng: np.random.Generator, *, slower: float, brings: float
    ) -> Visit:
        """Let a lorry into terminal `place`: its turn takes `slower` times the usual, it brings a box by chance."""
        self.admitted += 1
        chance = rng.random(3)
        container = container_number(rng) if chance[0] < _READ_RATE else None
        size = 1 if chance[1] < _TWENTY_FOOT else 2
        brought, fetched = (size, 0) if chance[2] < brings else (0, size)
        visit = Visit(f"{site}-{int(at_s):x}-{self.admitted % 4096:x}", container, brought, fetched)
        turn_s = _TURN_S[0] * slower * float(np.exp(_TURN_S[1] * rng.standard_normal()))
        heapq.heappush(self._turns, (at_s + turn_s, self.admitted, place, visit))
        return visit

    def done(self, at_s: float) -> list[tuple[int, Visit]]:
        """Terminals and visits whose turn is done."""
        found = []
        while self._turns and self._turns[0][0] <= at_s:
            _, _, place, visit = heapq.heappop(self._turns)
            found.append((place, visit))
        return found


def container_number(rng: np.random.Generator) -> str:
    """A container number of ISO 6346 with its check digit."""
    # Of numbers whose remainder is 10 the standard advises against: they share the digit 0 with others.
    number = f"{_OWNERS[rng.integers(len(_OWNERS))]}{rng.integers(1_000_000):06d}"
    return f"{number}{check_digit(number)}"
