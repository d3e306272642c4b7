"""Whom nobody should believe, and from when until when: told from outside, by whoever judges sensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from analytics.readings import Arrivals
from analytics.state import NEVER

SPANS = 8
"""Spans that are kept of a thing: late readings are a minute old at most."""


class Trust:
    """Spans of distrust by thing, in event time, so that the same readings are disbelieved at any speed."""

    def __init__(self) -> None:
        self._spans: dict[int, list[tuple[int, int]]] = {}

    def end(self, thing: int, from_us: int) -> None:
        """Believe no reading of a thing from an instant on, until it is trusted again."""
        self._spans[thing] = [*self._spans.get(thing, [])[1 - SPANS :], (from_us, NEVER)]

    def begin(self, thing: int, from_us: int) -> None:
        """Believe a thing again from an instant on."""
        self._spans[thing] = [(start, min(end, max(start, from_us))) for start, end in self._spans.get(thing, [])]

    def spans(self, thing: int) -> list[tuple[int, int]]:
        """From when until when a thing is not believed, the oldest first."""
        return self._spans.get(thing, [])

    def resume(self, thing: int, spans: Iterable[Sequence[int]]) -> None:
        """Go on from what `spans` told."""
        if found := [(start, end) for start, end in spans]:
            self._spans[thing] = found

    def mark(self, new: Arrivals) -> None:
        """Mark what nobody should believe, in place."""
        for thing, spans in self._spans.items():
            mine = np.flatnonzero(new.thing == thing)
            for start, end in spans if len(mine) else ():
                spoilt = mine[(new.time_us[mine] >= start) & (new.time_us[mine] < end)]
                new.observed[spoilt], new.faulty[spoilt] = np.nan, True
