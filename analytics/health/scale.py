"""What each thing's values usually amount to, so that a leap by the factor of another unit shows."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Final, Self

import numpy as np

from analytics.health.columns import MILES, Columns
from analytics.health.summary import Past
from analytics.settings import Thing
from analytics.table import Float32, Mask
from sensors.rule import Limits, Queue, TimeRatio, Work

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

SHARED: Final = 1.3
"""Rise over the usual that others must see for it to be the weather's. Higher: a mistral that reaches one quay first is
a mistaken unit."""


class Scale:
    """Learnt slowly, and not while it may be mistaken.

    For road sensors the speed told over the speed that flow and occupancy tell (a constant of each loop, near 1); for
    others the value that hardly moves.
    """

    def __init__(self, road: Mask, factor: Float32, offset: Float32, alike: Mask, begin: Float32) -> None:
        """Take by thing: is it a road sensor, what a mistaken unit makes of its value, and who shares a weather.

        begin: what a value is taken for as long as nobody knows better, NaN where nobody can say.
        """
        self._road, self._factor, self._offset, self._alike = road, factor, offset, alike
        # A loop whose own habit nobody knows yet is taken for one that measures right.
        self._usual = np.where(road, np.float32(0), begin)
        self._bins = np.where(np.isfinite(self._usual), FEW, 0).astype(np.int32)
        self._blind = np.zeros(len(road), np.int32)
        self._odd = np.zeros(len(road), np.int32)

    @classmethod
    def of(cls, things: Sequence[Thing], columns: Sequence[Columns]) -> Self:
        """Take things, and the columns of each one's kind."""
        return cls(
            np.array([one.road is not None for one in columns], np.bool_),
            np.array([one.factor for one in columns], np.float32),
            np.array([one.offset for one in columns], np.float32),
            np.array([one.vane is not None for one in columns], np.bool_),
            np.array([_begin(one) for one in things], np.float32),
        )

    @property
    def mistaken(self) -> Mask:
        """Whose values were those of another unit for two bins."""
        found: Mask = self._odd > 1
        return found

    def learn(self, past: Past) -> None:
        """Take over the newest bin."""
        value = np.where(self._road, past.newest.off_scale, past.newest.middle)
        there = np.isfinite(value)
        self._blind = np.where(there, 0, self._blind + 1)
        self._bins[self._alike & (self._blind > FORGET)] = 0
        odd = there & (self._bins >= FEW) & self._is_mistaken(value) & ~self._shared(value)
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

    def _is_mistaken(self, value: Float32) -> Mask:
        road = np.abs(value - self._usual - MILES) < OFF
        other = self._usual * self._factor + self._offset
        tolerance = np.where(self._offset == 0, np.expm1(FIFTH * np.abs(np.log(self._factor))), OFF)
        apart = np.fmax(value, other) - np.fmin(value, other)
        near = apart < tolerance * np.fmin(np.abs(value), np.abs(other))
        differs = np.abs(value - self._usual) > 2 * OFF * np.abs(self._usual)
        found: Mask = np.where(self._road, road, near & differs)
        return found


def _begin(thing: Thing) -> float:
    """What a value is taken for at first, in s: a journey at free speed, a usual service, the longest normal cycle."""
    match thing.kind.level:
        case TimeRatio():
            return 3600 * thing.length_km / thing.free_speed_kmh
        case Limits(queue=Queue(usual_s=float(usual_s))):
            return usual_s
        case Work(normal=normal):
            return 3600 / normal
        case _:
            return nan
