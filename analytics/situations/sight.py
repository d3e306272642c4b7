"""What the sensors of a zone say now and said lately, by name: what causes, delays and sentences are told by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np

from analytics import coverage
from analytics.settings import Thing
from analytics.situations.habits import NONE, Habits
from analytics.situations.means import BIN_US
from analytics.situations.settle import Settling
from analytics.state import UNKNOWN
from analytics.table import Float32, Index, Mask

MINUTE_US = 60 * 1_000_000


@dataclass(slots=True)
class Sight:
    """Things of a zone as of `at_us`; every number is NaN where it is not known.

    A silent thing knows nothing, and one that is not believed only what its fault leaves.
    """

    things: Sequence[Thing]
    settled: Settling
    habits: Habits = NONE
    at_us: int = 0

    def now(self, thing: int, name: str) -> float:
        """Return a field of the newest reading."""
        column = self._column(thing, name)
        heard = self.at_us <= self.settled.seen.time_us[thing] + self.settled.silence_us[thing]
        return float(self.settled.values[thing, column]) if heard and column is not None else nan

    def word(self, thing: int, name: str) -> str | None:
        """Return a text with choices of the newest reading, None where it is not known."""
        kind = self.things[thing].kind
        for place, text in enumerate(kind.choices, len(kind.field_names)):
            said = float(self.settled.values[thing, place])
            if text.name == name and 0 <= said < len(text.choices):
                return text.choices[int(said)]
        return None

    def mean(self, thing: int, name: str, minutes: float, *, before: float = 0.0) -> float:
        """Return the mean of a field over the `minutes` until `before` minutes ago, and up to 5 min more.

        NaN where too few of the readings came that should have.
        """
        column = self._column(thing, name)
        return nan if column is None else float(self.covered(np.array([thing]), column, minutes, before=before)[0])

    def covered(self, things: Index, column: int, minutes: float, *, before: float = 0.0) -> Float32:
        """Return what `mean` returns, of many things of one kind."""
        came = self.settled.means.readings(things, *self._span(minutes, before))
        period_s = np.array([self.things[thing].period_s for thing in things.tolist()])
        enough = came >= coverage.ENOUGH * minutes * 60 / period_s
        return np.where(enough, self.means(things, column, minutes, before=before), np.float32(np.nan))

    def means(self, things: Index, column: int, minutes: float, *, before: float = 0.0) -> Float32:
        """Return the means of many things of one kind, of however many readings."""
        found = self.settled.means.over(things, column, *self._span(minutes, before))
        return np.where(self._spoilt(things, column), np.float32(np.nan), found)

    def _span(self, minutes: float, before: float) -> tuple[int, int]:
        """From when until when the bins begin that hold these minutes."""
        to_us = self.at_us - round(before * MINUTE_US)
        return to_us - round(minutes * MINUTE_US) - BIN_US + 1, to_us + 1

    def _spoilt(self, things: Index, column: int) -> Mask:
        """Tell whose field is not believed now: it was no better before anybody found it out."""
        found: Mask = self.settled.seen.faulty[things] & np.isnan(self.settled.values[things, column])
        return found

    def hourly(self, thing: int, name: str, minutes: float, *, before: float = 0.0) -> float:
        """Return a count per reading as a number an hour."""
        return self.mean(thing, name, minutes, before=before) * 3600 / self.things[thing].period_s

    def usual(self, thing: int, name: str) -> float:
        """Return what a field usually is at this hour of the week."""
        return self.habits.at(self.things[thing].id, name, self.at_us)

    def most_usual(self, thing: int, name: str, hours: int) -> float:
        """Return the most that a field usually is now or was in the last hours."""
        ago = (
            self.habits.at(self.things[thing].id, name, self.at_us - hour * 60 * MINUTE_US) for hour in range(hours + 1)
        )
        return max((usual for usual in ago if not isnan(usual)), default=nan)

    def lorries_h(self, things: Iterable[int], minutes: float) -> float:
        """Return the lorries an hour over loops together, as `mean` has them."""
        return total(self.mean(t, "flow_veh_h", minutes) * self.mean(t, "hgv_share", minutes) for t in things)

    def usual_lorries_h(self, things: Iterable[int]) -> float:
        """Return what these usually are at this hour of the week."""
        return total(self.usual(t, "flow_veh_h") * self.usual(t, "hgv_share") for t in things)

    def usual_hourly(self, thing: int, name: str, *, before: float = 0.0) -> float:
        """Return what `hourly` usually is at this hour of the week, or was `before` minutes ago."""
        one, at_us = self.things[thing], self.at_us - round(before * MINUTE_US)
        return self.habits.at(one.id, name, at_us) * 3600 / one.period_s

    def level(self, thing: int) -> int:
        return int(self.settled.seen.level[thing])

    def free(self, thing: int) -> bool:
        """Tell whether a thing is known not to be congested."""
        return self.level(thing) != UNKNOWN and not self.settled.seen.alarm[thing]

    def _column(self, thing: int, name: str) -> int | None:
        names = self.things[thing].kind.field_names
        return names.index(name) if name in names else None


def total(numbers: Iterable[float]) -> float:
    """Add what is known; NaN where nothing is."""
    known = [number for number in numbers if not isnan(number)]
    return sum(known) if known else nan


def ratio(part: float, whole: float) -> float:
    """Divide; NaN where one is unknown or nothing is to be divided by."""
    return part / whole if whole > 0 and not isnan(part) else nan


def ramp(value: float, low: float, high: float) -> float:
    """Return how far a number is on the way from `low` (0) to `high` (1), which may lie below; 0 for NaN."""
    return 0.0 if isnan(value) else min(max((value - low) / (high - low), 0.0), 1.0)
