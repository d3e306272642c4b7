"""Whether a slow speed is none: what flow and occupancy tell beside it, against the loop's own habit.

Free traffic told in miles an hour is just as slow as a jam. But vehicles that crawl cover a loop for longer: where flow
and occupancy tell a speed that is not slow, and the one told is what miles make of it, the reading waits for health to
find out: unknown, neither congested nor free. A spike, slower than that by far, is not believed where the habit is
known. A jam is slow by both, and is believed at once. Habit is how far the two speeds of a loop mostly lie apart, which
health tells at the end of each bin; until then no speed is a spike, and a loop is taken for one that measures right.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Final, NamedTuple

import numpy as np

from analytics.detector import ON
from analytics.health.columns import MISTAKEN
from analytics.health.scale import OFF
from analytics.health.summary import BINS
from analytics.readings import Arrivals
from analytics.remains import speed_told
from analytics.settings import Rule, Settings, Thing
from analytics.table import Float32, Index, Int64, Mask, run_of
from sensors.kind import Kind
from sensors.rule import SpeedRatio

MILES: Final = log(MISTAKEN["km/h"][0])
"""Log of what a speed in miles an hour is of one in km/h."""

FAR: Final = log(2.5)
"""Log of how much faster flow and occupancy must tell it to be for the speed to be a spike. A motorcycle taken for the
mean vehicle makes 2.1, a lone car taken for a lorry 2.8. Lower: single slow vehicles are not seen; higher: leaps by
half of a free speed keep an alarm open that lasts as long as nothing is slow for 10 min."""

DIFFERS: Final = 1.1
"""How much faster flow and occupancy must tell it to be for habits to be asked. Lower: all jams are looked at; higher:
loops that always tell more than flow and occupancy do (by 46 % here) are believed in miles."""


class Habits(NamedTuple):
    """Of one group of things, from an instant on: log of the speed told over the one that flow and occupancy tell.

    fits (things,) is NaN where nobody knows. The same tuple of things is handed out as long as they are the same.
    """

    group: str
    things: tuple[str, ...]
    from_us: int
    fits: Float32


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a group: its things, and the newest habits, the oldest first."""

    things: tuple[str, ...]
    newest: deque[Habits] = field(default_factory=lambda: deque(maxlen=BINS))


class Miles:
    """The habits of all road sensors, by group of things."""

    def __init__(self) -> None:
        self._kinds: list[tuple[Kind, SpeedRatio]] = []
        self._kind = np.zeros(0, np.intp)
        self._known: dict[str, _Known] = {}
        self._group = self._place = np.zeros(0, np.intp)

    def refresh(self, things: Sequence[Thing], index: Mapping[str, int]) -> None:
        """Take over who is there; `index` gives the place of each id."""
        kinds = {one.kind.name: one.kind for one in things}
        self._kinds = [(kind, kind.level) for kind in kinds.values() if isinstance(kind.level, SpeedRatio)]
        number = {kind.name: at for at, (kind, _) in enumerate(self._kinds)}
        self._kind = np.array([number.get(one.kind.name, -1) for one in things], np.intp)
        self._group, self._place = np.full((2, len(things)), -1, np.intp)
        for group, known in self._known.items():
            self._locate(group, known.things, index)

    def accustom(self, habits: Habits, index: Mapping[str, int]) -> None:
        """Take over habits; `index` gives the place of each id."""
        known = self._known.get(habits.group)
        if known is None or known.things is not habits.things:
            known = self._known[habits.group] = _Known(habits.things)
            self._locate(habits.group, habits.things, index)
        known.newest.append(habits)

    def _locate(self, group: str, things: Sequence[str], index: Mapping[str, int]) -> None:
        """Note in which group each thing is, and where."""
        here = [(index[name], at) for at, name in enumerate(things) if name in index]
        slots, places = np.array(here, np.intp).reshape(-1, 2).T
        self._group[slots], self._place[slots] = list(self._known).index(group), places

    def mark(self, new: Arrivals, values: Float32, slow: Index, settings: Settings) -> None:
        """Believe none of some slow rows that are in miles, or spikes, in place.

        `values` (m, width) are those of the batch, by `Arrivals.source`.
        """
        with np.errstate(all="ignore"):  # Garbage of any size: what is no number doubts nothing.
            self._mark(new, values, slow, settings)

    def _mark(self, new: Arrivals, values: Float32, slow: Index, settings: Settings) -> None:
        for number, (kind, rule) in enumerate(self._kinds):
            rows = slow[self._kind[new.thing[slow]] == number] if len(self._kinds) > 1 else slow
            other_kmh = speed_told(kind, rule, values[new.source[rows]])
            differs = (new.observed[rows] > 0) & (other_kmh > DIFFERS * new.observed[rows])
            if differs.any():
                self._doubt(new, rows[differs], other_kmh[differs], settings)

    def _doubt(self, new: Arrivals, rows: Index, other_kmh: Float32, settings: Settings) -> None:
        """Believe none of some rows that are in miles, or spikes, in place.

        `other_kmh` is what flow and occupancy tell.
        """
        known = self._habit(new.thing[rows], new.time_us[rows])
        habit = np.nan_to_num(known)
        apart = np.log(new.observed[rows] / other_kmh) - habit
        free = other_kmh * np.exp(habit) >= ON * settings.free_kmh[new.thing[rows]]
        spike = np.isfinite(known) & (apart < -FAR)
        found = rows[(spike | (np.abs(apart - MILES) < OFF)) & free]
        new.observed[found], new.faulty[found] = np.nan, True

    def _habit(self, thing: Index, time_us: Int64) -> Float32:
        """What each thing was used to then, (n,); NaN where nobody knows."""
        habit = np.full(len(thing), np.nan, np.float32)
        group = self._group[thing]
        for number, known in enumerate(self._known.values()):
            mine, newest = np.flatnonzero(group == number), known.newest
            at = np.searchsorted(np.array([one.from_us for one in newest]), time_us[mine], "right") - 1
            for which in np.unique(at[at >= 0]).tolist():
                some = mine[at == which]
                habit[some] = newest[which].fits[self._place[thing[some]]]
        return habit


def slow(new: Arrivals, settings: Settings) -> Index:
    """The rows that tell of slow traffic on a road, vehicles that stand among them."""
    things = run_of(new.thing)
    below: Mask = (new.observed < ON * settings.free_kmh[things]) | (new.observed == 0)
    found: Index = np.flatnonzero(below & (settings.rule[things] == Rule.SPEED))
    return found
