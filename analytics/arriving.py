"""Whether anything still arrives further on: how much passed a loop, minute by minute.

Where vehicles stand, nothing passes the next loop once those ahead of them have: it stays empty for longer than it
ever is by chance. Behind a loop that is only locked, all arrives as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log
from typing import Final

import numpy as np

from analytics.readings import Arrivals
from analytics.table import Float32, Index, Int64
from analytics.window import WINDOW_US

MINUTE_US: Final = 60 * 1_000_000
MINUTES: Final = 24
LOOKS_BACK: Final = 20
"""Minutes that are kept, and those that are compared; the rest is by how much one site may be behind another. Fewer:
quiet roads, where a loop must stay empty for longer, have no witness here."""

PIECE_US: Final = (MINUTES - LOOKS_BACK) * MINUTE_US
"""Event time of a batch that is looked at together: what is newer has not yet taken the place of what is asked for."""

BEFORE: Final = 10
"""Minutes that tell what is usual: how often a loop is empty by chance, how much passes. Fewer: a gap between two
signals counts as a quiet road; more: the morning's peak is compared with the night."""

CHANCE: Final = 1e-4
"""Probability of so many empty readings in a row below which it is no chance: it is asked about up to 110 times. Lower:
vehicles that stand wait longer for their witness; higher: a locked loop of a quiet road finds one by chance."""

UNDER_WAY: Final = 3
"""Minutes for which what had passed a lane still arrives: 3 km at 60 km/h. Lower: it hides for some minutes that
nothing follows; higher: the witness comes later."""

ENOUGH: Final = 5.0
"""Readings without which nobody knows what is usual."""

PASSES_BY: Final = 0.1
"""Share of what passes further on that may come from elsewhere at least. Lower: one lorry that turns in speaks for a
locked loop; higher: nothing ever does."""

SURE: Final = 1000.0
"""Odds from which what a lane carried is missing. Lower: a gap in the traffic speaks for a locked loop, which asks for
up to 110 times; higher: vehicles that stand wait longer for their witness."""

LEAST: Final = 2
"""Empty readings in a row at least: one is the gap behind a lorry."""


class Arriving:
    """Minutes of the loops that others are asked about; (loops, minutes) of counts."""

    def __init__(self) -> None:
        self.watch({})

    def watch(self, flows: Mapping[int, int]) -> None:
        """Keep the minutes of some things from now on; by thing, in which column of the values its flow is."""
        asked = sorted(flows)
        self._column = np.array([flows[thing] for thing in asked], np.intp)
        self._row = {thing: row for row, thing in enumerate(asked)}
        self._place = np.full(max(asked, default=-1) + 2, -1, np.intp)  # the last stands for whoever is not asked
        self._place[asked] = np.arange(len(asked))
        self._minute: Int64 = np.full((len(asked), MINUTES), -1, np.int64)
        self._heard = np.zeros((len(asked), MINUTES), np.float32)
        self._empty = np.zeros((len(asked), MINUTES), np.float32)
        self._flow = np.zeros((len(asked), MINUTES), np.float32)

    def remember(self, new: Arrivals, values: Float32, rows: Index) -> None:
        """Add up readings, empty ones and flows among some rows; the order within the window changes nothing.

        `values` (m, width) are those of the batch, by `Arrivals.source`.
        """
        if not len(self._row):
            return
        loop = self._place[np.minimum(new.thing[rows], len(self._place) - 1)]
        asked = (loop >= 0) & ~np.isnan(new.observed[rows])
        some, loop = rows[asked], loop[asked]
        minute = new.time_us[some] // MINUTE_US
        at = (loop, minute % MINUTES)
        anew = minute > self._minute[at]
        for counts in (self._heard, self._empty, self._flow):
            counts[at[0][anew], at[1][anew]] = 0
        np.maximum.at(self._minute, at, minute)
        fits = (minute == self._minute[at]).astype(np.float32)
        np.add.at(self._heard, at, fits)
        np.add.at(self._empty, at, fits * np.isposinf(new.observed[some]))
        np.add.at(self._flow, at, fits * np.nan_to_num(values[new.source[some], self._column[loop]]))

    def over(self, ahead: int, at_us: int) -> bool:
        """Whether nothing arrives any more at a loop further on."""
        heard, empty, _ = self._minutes(ahead, at_us)
        passed = np.flatnonzero(empty < heard)
        if not len(passed):
            return False
        last = int(passed[0])
        before = slice(last, last + BEFORE)
        run, share = heard[:last].sum(), (empty[before].sum() + 1) / (heard[before].sum() + 2)
        return bool(run >= LEAST and share**run < CHANCE)

    def passes(self, thing: int, at_us: int) -> bool:
        """Whether anybody has passed a loop in the minutes that are compared."""
        return bool(self._minutes(thing, at_us)[2].any())

    def tells(self, thing: int, at_us: int) -> bool:
        """Whether a loop has told anything in these minutes."""
        return bool(self._minutes(thing, at_us)[0].any())

    def falls(self, thing: int, ahead: int, at_us: int) -> bool:
        """Whether as little arrives further on as without what `thing` carried until it was covered, and not as ever.

        The likelihood ratio (Wald 1945) of two Poisson numbers: who passed since what was under way has arrived. Of a
        lane that has been covered for so long that what was before is forgotten, nobody knows.
        """
        own_heard, _, own_flow = self._minutes(thing, at_us)
        flowed = np.flatnonzero(own_flow > 0)
        covered = int(flowed[0]) if len(flowed) else LOOKS_BACK
        now, then = slice(0, max(covered - UNDER_WAY, 0)), slice(covered, covered + BEFORE)
        heard, _, flow = self._minutes(ahead, at_us)
        if covered + BEFORE > LOOKS_BACK or min(heard[now].sum(), heard[then].sum(), own_heard[then].sum()) < ENOUGH:
            return False
        hours = (covered - UNDER_WAY) / 60
        passed, ever = (hours * float(flow[part].sum() / heard[part].sum()) for part in (now, then))
        without = max(ever - hours * float(own_flow[then].sum() / own_heard[then].sum()), PASSES_BY * ever)
        return ever > without and (ever - without) - passed * log(ever / without) >= log(SURE)

    def _minutes(self, thing: int, at_us: int) -> tuple[Float32, Float32, Float32]:
        """Readings, empty ones and flows by minute, the newest first that no late reading can change any more."""
        row = self._row[thing]
        minute = (at_us - WINDOW_US) // MINUTE_US - 1 - np.arange(LOOKS_BACK)
        kept = self._minute[row, minute % MINUTES] == minute
        kinds = (self._heard, self._empty, self._flow)
        heard, empty, flow = (np.where(kept, counts[row, minute % MINUTES], np.float32(0)) for counts in kinds)
        return heard, empty, flow


def pieces(time_us: Int64) -> Iterator[Index]:
    """The rows of a batch in parts that are looked at together, the oldest first."""
    piece = time_us // PIECE_US
    if len(piece) and piece.min() == piece.max():
        yield np.arange(len(piece))
    else:
        yield from (np.flatnonzero(piece == which) for which in np.unique(piece))
