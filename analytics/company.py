"""Whether a lane that is covered all at once stands alone: what its neighbours saw right before.

A jam that reaches a loop slows it first; lorries that stop all along a road cover all its loops together. One loop that
flows, and in the next reading is covered and passes nothing, while no lane beside it and no loop before or behind it is
slow, is more often a loop that is locked. It waits for a witness: not believed, and not taken for free either. Health
is one (`analytics.health.witnesses.stands_for_all`): what the lane carried no longer arrives further on. Who has no
neighbour waits for none.

A neighbour is asked about the time that no late reading can change any more, so that the order of arrival within the
window changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from analytics.detector import AT_ONCE, ON
from analytics.near import NOBODY, Near
from analytics.readings import Arrivals
from analytics.settings import Rule, Settings, Thing
from analytics.state import SILENT_AFTER_PERIODS, States
from analytics.table import Index, Int64, Mask
from analytics.window import WINDOW_US
from sensors.catalogue import Catalogue

RECENT_US: Final = 240 * 1_000_000
"""How long before a neighbour may have been slow, 4 min. Less: lorries that stop one after the other are not one; more:
what was over vouches for a loop that locks."""

SLOW_TWICE: Final = 2
"""Slow readings of neighbours that vouch; below `AT_ONCE` one counts for two. Lower: one slow lorry at night does."""

TOLD_US: Final = 300 * 1_000_000
TOLD: Final = 288
"""How long what health says is true, a bin of its own, and how many bins are kept: a day in one batch."""

KEPT_US: Final = 900 * 1_000_000
"""How long slow readings are kept, 15 min: a site may be behind the others by so much. More takes memory."""

WAS_FREE = np.float32(0.85)
"""Smoothed speed ratio above which nothing slow came before (one reading under 60 % of free speed takes it from 1 to
0.85). Higher: a busy lane that locks is believed at once; lower: more than one slow reading is asked of a jam."""

ALONE_S = 3300.0
"""Seconds after which a covered lane is believed without a witness, 55 min: by then health has named every loop that it
can tell to be locked (`witnesses.LONG`). Lower: locked loops of quiet roads alarm before they are found out; higher:
vehicles that stand where nobody can tell are found later."""

Slow = tuple[Index, Int64, Index]
"""Slow readings, (m,) each: whose, when, and for how many they count."""


class Company:
    """The neighbours of all road sensors, and their slow readings of the last minutes."""

    def __init__(self) -> None:
        self._beside: dict[int, list[int]] = {}
        self._slow: list[Slow] = []
        self._told: dict[int, list[int]] = {}

    def vouch(self, thing: int, from_us: int) -> None:
        """Take from whoever knows more that vehicles stand on a loop, for as long as a bin of health."""
        self._told[thing] = [*self._told.get(thing, [])[1 - TOLD :], from_us]

    def refresh(self, things: Sequence[Thing], index: Mapping[str, int], catalogue: Catalogue) -> None:
        """Take over who stands near whom; `index` gives the place of each id."""
        near = Near(catalogue, index)
        roads = [thing for thing in things if thing.rule is Rule.SPEED and thing.id in index]
        found = (near.lane, lambda name: near.along(name, -1), lambda name: near.along(name, 1))
        columns = np.stack([near.each(roads, find) for find in found], axis=1) if roads else np.zeros((0, 3), np.intp)
        self._beside = {
            index[thing.id]: [place for place in row if place != NOBODY]
            for thing, row in zip(roads, columns.tolist(), strict=True)
        }

    def mark(self, new: Arrivals, settings: Settings) -> None:
        """Leave `alone` only where somebody could vouch and nobody does, in place; remember who is slow."""
        self.remember(new, settings)
        for row in np.flatnonzero(new.alone).tolist():
            beside = self._beside.get(int(new.thing[row]), [])
            thing, at_us = int(new.thing[row]), int(new.time_us[row])
            told = any(from_us <= at_us < from_us + TOLD_US for from_us in self._told.get(thing, ()))
            new.alone[row] = bool(beside) and not told and not self._vouched(beside, at_us)

    def _vouched(self, beside: Sequence[int], at_us: int) -> bool:
        count = 0
        for thing, time_us, counts in self._slow:
            recent = (time_us >= at_us - RECENT_US) & (time_us <= at_us - WINDOW_US)
            count += int(counts[recent & np.isin(thing, beside)].sum())
        return count >= SLOW_TWICE

    def remember(self, new: Arrivals, settings: Settings) -> None:
        """Take over who is slow."""
        road = settings.rule[new.thing] == Rule.SPEED
        free_kmh = settings.free_kmh[new.thing]
        slow = road & ((new.observed < ON * free_kmh) | (new.observed == 0))
        if not slow.any():
            return
        rows = np.flatnonzero(slow)
        stands = (new.observed[rows] < AT_ONCE * free_kmh[rows]) | (new.observed[rows] == 0)
        self._slow.append((new.thing[rows], new.time_us[rows], 1 + stands.astype(np.intp)))
        newest = int(new.time_us[rows].max())
        self._slow = [some for some in self._slow if int(some[1].max()) >= newest - KEPT_US]


def waiting(states: States, settings: Settings, rows: Arrivals) -> Mask:
    """Tell whose lane is covered all at once and without a witness, for not too long yet. Shapes (things,)."""
    if not rows.alone.any():
        return rows.alone
    waited_s = states.misses * (settings.silence_us / (1e6 * SILENT_AFTER_PERIODS))
    found: Mask = rows.alone & ~(states.value < WAS_FREE) & (states.alarm == 0) & (waited_s < ALONE_S)
    return found
