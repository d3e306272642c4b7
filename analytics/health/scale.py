"""What each thing's values usually amount to, so that a leap by the factor of another unit shows."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Final, Self

import numpy as np

from analytics.health.columns import Columns
from analytics.health.summary import Past
from analytics.settings import Thing
from analytics.table import Float32, Mask
from sensors.rule import Limits, Queue, TimeRatio

OFF: Final = 0.15
"""Tolerance, as a share. Wider: a convoy of lorries is miles an hour; narrower: noise at night hides them."""

LEARN: Final = 0.1
"""Weight of a bin. Higher: an hour of the wrong unit becomes the norm; lower: useful only after a day."""

FEW: Final = 3
"""Bins before anything is known."""

FORGET: Final = 6
"""Bins without a value after which the weather may be another one."""

FIFTH: Final = 0.2
"""Tolerance of a factor beside its own size, in logs: minutes for seconds are a 27th to a 136th, because nothing else
makes a travel time so short, and knots for m/s 1.70 to 2.22. Wider: a night is another unit; narrower: a unit that is
mistaken while a queue grows is not found (two of four in two seeds of the simulated port)."""

SURE: Final = 2
"""Bins in a row. Fewer: the bin in which a mistral rises is one; more: it is told later. A machine whose own fields
contradict each other by a factor of 27 and more does so by no chance: one is enough, and may be all that it works."""

SHARED: Final = 1.3
"""Rise over the usual that others must see for it to be the weather's. Higher: a mistral that reaches one quay first is
a mistaken unit."""


class Scale:
    """Learnt slowly, and not while it may be mistaken.

    For road sensors and machines it is how their own fields fit together (a constant of each, near 1), for others the
    value that hardly moves.
    """

    def __init__(self, columns: Sequence[Columns], begin: Float32) -> None:
        """Take the columns of each thing's kind; begin: what a value is taken for as long as nobody knows better."""
        self._fits = np.array([one.road is not None or one.work is not None for one in columns], np.bool_)
        self._factor = np.array([one.factor for one in columns], np.float32)
        self._offset = np.array([one.offset for one in columns], np.float32)
        self._alike = np.array([one.vane is not None for one in columns], np.bool_)
        self._drives = np.array([isinstance(one.kind.level, TimeRatio) for one in columns], np.bool_)
        far = np.array([one.work is not None for one in columns], np.bool_)
        fifth = FIFTH * np.abs(np.log(self._factor))
        self._off = np.where(far, fifth, np.float32(OFF))
        self._tolerance = np.where(self._offset == 0, np.expm1(fifth), OFF)
        self._sure = np.where(far, 1, SURE)
        # Whose own habit nobody knows yet is taken for one that measures right.
        self._usual = np.where(self._fits, np.float32(0), begin)
        self._bins = np.where(np.isfinite(self._usual), FEW, 0).astype(np.int32)
        self._blind = np.zeros(len(columns), np.int32)
        self._odd = np.zeros(len(columns), np.int32)

    @classmethod
    def of(cls, things: Sequence[Thing], columns: Sequence[Columns]) -> Self:
        """Take things, and the columns of each one's kind.

        A corridor begins with what its free speed makes of it, and a gate with the service that its kind calls usual.
        """
        return cls(columns, np.array([_begin(one) for one in things], np.float32))

    @property
    def mistaken(self) -> Mask:
        """Whose values were those of another unit for long enough."""
        found: Mask = self._odd >= self._sure
        return found

    def learn(self, past: Past) -> None:
        """Take over the newest bin."""
        value = np.where(self._fits, past.newest.fits, past.newest.middle)
        there = np.isfinite(value)
        self._blind = np.where(there, 0, self._blind + 1)
        self._bins[self._alike & (self._blind > FORGET)] = 0
        odd = there & (self._bins >= FEW) & (self._is_mistaken(value) | self._stays(value)) & ~self._shared(value)
        self._odd = np.where(odd, self._odd + 1, np.where(there, 0, self._odd))
        fresh = np.isnan(self._usual) | (self._bins == 0)
        usual = np.where(fresh, value, self._usual + LEARN * (value - self._usual))
        np.copyto(self._usual, usual, where=there & ~odd)
        self._bins += there & ~odd

    def _shared(self, value: Float32) -> Mask:
        """Whose change the others who share its weather see as well, or could not have seen."""
        rise = np.where(self._alike, value / np.where(self._usual > 0, self._usual, np.nan), np.nan)
        rising, calm = self._alike & (rise > SHARED), self._alike & (rise <= SHARED)
        found: Mask = self._alike & (((rising.sum() - rising) > 0) | ((calm.sum() - calm) == 0))
        return found

    def _stays(self, value: Float32) -> Mask:
        """Whose time over a corridor was mistaken and is still nearer to that, by its factor: minutes of a jam."""
        found: Mask = self._drives & (self._odd > 0) & (value < self._usual * np.sqrt(self._factor))
        return found

    def _is_mistaken(self, value: Float32) -> Mask:
        fits = np.abs(value - self._usual - np.log(self._factor)) < self._off
        other = self._usual * self._factor + self._offset
        apart = np.fmax(value, other) - np.fmin(value, other)
        near = apart < self._tolerance * np.fmin(np.abs(value), np.abs(other))
        differs = np.abs(value - self._usual) > 2 * OFF * np.abs(self._usual)
        found: Mask = np.where(self._fits, fits, near & differs)
        return found


def _begin(thing: Thing) -> float:
    """What a value is taken for in the beginning, NaN where nobody can say."""
    match thing.kind.level:
        case Limits(queue=Queue(usual_s=float(usual_s))):
            return usual_s
        case TimeRatio():
            return thing.free_time_s
        case _:
            return nan
