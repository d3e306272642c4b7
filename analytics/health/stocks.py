"""A stock that creeps away from what comes and goes: of those who come or leave some are not seen to.

Reading by reading a stock changes by what came in less what went out. What is left over says nothing of one reading,
and adds up over days. It is added up less what the counters of a thing always miss, by a cumulative sum in either
direction (Page, Continuous inspection schemes, Biometrika 41, 1954).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from analytics.health.columns import Columns
from analytics.health.creep import Learnt
from analytics.table import Float32, Mask


class Sure(NamedTuple):
    """missed: share of those who pass that may be missed; pieces: how many too many, or too few, are a drift."""

    missed: float
    pieces: float


ALIKE: Final = Sure(missed=0.007, pieces=15.0)
"""Where one is one (lorries). If a hundredth of those who come and of those who leave is missed by chance, so many
pieces come together once in exp(2 x 0.007 x 15 / 0.02) = 36,000 times. Lower: honest counters drift; higher: later, and
those that miss less never."""

UNLIKE: Final = Sure(missed=0.02, pieces=50.0)
"""Where pieces are of two sizes (containers, variance 0.1 of a mean one): exp(2 x 0.02 x 50 / 0.2) = 22,000."""

STEPS: Final = 15.0
"""Bins in which a drift may be reached at the fastest, 75 min: what leaps, or counts the wrong way, has another name,
and by then it is told."""

AT_FIRST: Final = 1000.0
"""Pieces that speak for counters that miss nothing. Fewer: a drift from the first day on is taken for a habit; more:
the habits of honest counters (2 %) are a drift."""


class Stocks:
    """Vectors over things, a bin at a time; who has no balance stays at 0."""

    def __init__(self, columns: Sequence[Columns]) -> None:
        """Take the columns of each thing's kind."""
        sure = [UNLIKE if one.each != 1 else ALIKE for one in columns]
        self.theirs = np.array([one.balance is not None for one in columns], np.bool_)
        self._missed = np.array([one.missed for one in sure])
        self._pieces = np.array([one.pieces for one in sure])
        self._sum = np.zeros(len(columns))
        self._habit = np.zeros(len(columns))
        self._passed = np.zeros(len(columns))

    @property
    def creeps(self) -> Mask:
        """Whose stock has gone too far."""
        return self._beyond(1.0)

    @property
    def still_creeps(self) -> Mask:
        """Whose stock, once it had gone too far, has not come back by half."""
        return self._beyond(0.5)

    def _beyond(self, share: float) -> Mask:
        found: Mask = np.abs(self._sum) >= share * self._pieces
        return found

    def learn(self, over: Float32, passed: Float32, spoilt: Mask) -> None:
        """Take over the newest bin: pieces too many (NaN where nobody knows), and how many passed.

        spoilt: whose stock or counters are known to be wrong otherwise; they begin anew.
        """
        there = self.theirs & np.isfinite(over)
        excess = np.where(there, over - self._habit * passed, 0)
        some = np.where(there & ~self.creeps, passed, 0)
        self._passed += some
        self._habit += np.where(some > 0, excess, 0) / (AT_FIRST + self._passed)
        step = np.clip(excess, -self._pieces / STEPS, self._pieces / STEPS)
        slack = np.where(there, self._missed * passed, 0)
        # Either the one sum or the other is 0, because the allowance takes both back.
        up, down = np.maximum(self._sum, 0) + step - slack, np.maximum(-self._sum, 0) - step - slack
        found = np.where(up >= down, np.maximum(up, 0), -np.maximum(down, 0))
        self._sum = np.where(spoilt, 0, np.clip(found, -1.5 * self._pieces, 1.5 * self._pieces))

    def learnt(self) -> list[Learnt]:
        """What to keep, by thing."""
        columns = (self._sum.tolist(), self._habit.tolist(), self._passed.astype(np.int64).tolist())
        return [Learnt(*each) for each in zip(*columns, strict=True)]

    def recall(self, number: int, learnt: Learnt) -> None:
        """Go on from what was kept of a thing."""
        self._sum[number], self._habit[number], self._passed[number] = learnt
