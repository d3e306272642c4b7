"""Some thousands of things at a time, with those whom they are compared with: what is worked on stays in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from analytics.health.rows import Rows
from analytics.health.things import Things
from analytics.near import NOBODY
from analytics.table import Mask

A_TIME: Final = 4096
"""Things of a part, about 40,000 rows of a bin. Far more, and all of it leaves the cache (four times as slow for 90,000
things at once, own measurement); far fewer, and the calls take longer than what they do."""


@dataclass(frozen=True, slots=True)
class Part:
    """Things from `first` on. others (things,): of other parts, whom they are compared with; None if there are none."""

    first: int
    others: Mask | None

    @classmethod
    def all_of(cls, things: Things) -> list[Self]:
        """Cut things into parts."""
        return [cls(first, _others(things, first)) for first in range(0, len(things), A_TIME)]

    def gather(self, arrived: Sequence[tuple[Rows, bool]]) -> Rows:
        """Take what is of this part and of the others, in order.

        Readings come in order of arrival, in pieces; of each is known whether its things are in order.
        """
        return Rows.joined([rows.look(self._which(rows, sorted_=sorted_)) for rows, sorted_ in arrived]).in_order()

    def own(self, rows: Rows) -> slice:
        """Say where this part is in rows that are sorted by thing."""
        start, end = np.searchsorted(rows.thing, (self.first, self.first + A_TIME)).tolist()
        return slice(start, end)

    def _which(self, rows: Rows, *, sorted_: bool) -> Mask | slice:
        if self.others is None and sorted_:
            return self.own(rows)
        mine: Mask = (rows.thing >= self.first) & (rows.thing < self.first + A_TIME)
        return mine if self.others is None else mine | self.others[rows.thing]


def _others(things: Things, first: int) -> Mask | None:
    found = np.zeros(len(things), np.bool_)
    own = slice(first, first + A_TIME)
    for partner in (things.lane[own], things.opposite[own]):
        found[partner[partner != NOBODY]] = True
    found[own] = False
    return found if found.any() else None
