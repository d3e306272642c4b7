"""Whether a lane that is covered all at once stands alone: what its neighbours saw right before.

A jam that reaches a loop slows it first; lorries that stop all along a road cover all its loops together. One loop that
flows, and in the next reading is covered and passes nothing, while no lane beside it and no loop before or behind it is
slow, is more often a loop that is locked. It waits for a witness: not believed, and not taken for free either. That
nothing, or less by what it carried, arrives further on is one (`analytics.arriving`); another is that it moves off
slowly, which no locked loop does. Meanwhile health looks for what contradicts it. Whom nobody contradicts is traffic in
the end, but for a lane that vehicles drove past while it waited. Who has no neighbour, and no corridor that leads over
it, waits as well, if it was seen to flow. Once it is believed, so are the readings for which it
waited. The alarm of a lane that has told the same for as long, and that nobody near bears out any more, is given up.

In `States`, `high` is below zero for a lane that waits and was driven past.

Behind a lane that passes nothing, vehicles stand: who is slow there and moves has a queue of its own.

A neighbour is asked about the time that no late reading can change any more, so that the order of arrival within the
window changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from analytics.arriving import LOOKS_BACK, MINUTE_US, UNDER_WAY, Arriving, pieces
from analytics.detector import AT_ONCE, ON
from analytics.near import NOBODY, Near
from analytics.readings import Arrivals
from analytics.settings import Rule, Settings, Thing
from analytics.state import SILENT_AFTER_PERIODS, UNKNOWN, States
from analytics.table import Float32, Float64, Index, Int64, Mask
from analytics.window import WINDOW_US
from sensors.catalogue import Catalogue
from sensors.rule import SpeedRatio

RECENT_US: Final = 240 * 1_000_000
"""How long before a neighbour may have been slow, 4 min. Less: lorries that stop one after the other are not one; more:
what was over vouches for a loop that locks."""

ARRIVING_US: Final = LOOKS_BACK * MINUTE_US + WINDOW_US
"""How long before a loop that is asked whether all still arrives is looked at."""

SLOW_TWICE: Final = 2
"""Slow readings of neighbours that vouch; below `AT_ONCE` one counts for two. Lower: one slow lorry at night does."""

KEPT_US: Final = 900 * 1_000_000
"""How long slow readings are kept, 15 min: a site may be behind the others by so much. More takes memory."""

WAS_FREE = np.float32(0.85)
"""Smoothed speed ratio above which nothing slow came before (one reading under 60 % of free speed takes it from 1 to
0.85). Higher: a busy lane that locks is believed at once; lower: more than one slow reading is asked of a jam."""

BELIEVED, ALONE, LONELY, DENIED, LIES = range(5)
"""What is said of a covered lane: somebody speaks for it; nobody does; there is nobody; nor does who stands next, whom
vehicles pass; health has found out that it is locked."""

ALONE_S = 3300.0
"""Seconds after which a covered lane is believed without a witness, 55 min: by then health has named the loops that
it can tell to be locked (`witnesses.LONG`). Lower: those alarm before they are found out (on simulated days 21 of 41
did with 10 min, 7 with 55); higher: vehicles that stand where nobody sees it are told later, if they have not moved off
before."""

PASSED_S = 60.0 * (LOOKS_BACK + UNDER_WAY)
"""Seconds of waiting from which on those who pass the next loop were not ahead of the lane when it was covered."""

GIVEN_UP_S = 600.0
"""Seconds for which nobody bears out what a lane has told for `ALONE_S` until its alarm is given up, 10 min. Lower: a
jam that frees its neighbours for minutes is over; higher: an alarm of a locked loop outlives the jam around it."""

BEHIND, AHEAD = 1, 2
"""Places of the loop before and of the next one on the way among those who are near."""

Slow = tuple[Index, Int64, Index, Mask]
"""Slow readings, (m,) each: whose, when, for how many they count, and whether vehicles stood."""


class Company:
    """The neighbours of all road sensors, and their slow readings of the last minutes."""

    def __init__(self) -> None:
        self._beside: dict[int, list[int]] = {}
        self._slow: list[Slow] = []
        self._behind: dict[int, int] = {}
        self._ahead: dict[int, int] = {}
        self._asked: set[int] = set()
        self._arriving = Arriving()

    def refresh(self, things: Sequence[Thing], index: Mapping[str, int], catalogue: Catalogue) -> None:
        """Take over who stands near whom; `index` gives the place of each id."""
        near = Near(catalogue, index)
        roads = [thing for thing in things if thing.rule is Rule.SPEED and thing.id in index]
        found = (near.lane, lambda name: near.along(name, -1), lambda name: near.along(name, 1), near.over)
        columns = np.stack([near.each(roads, find) for find in found], axis=1)
        self._beside = {
            index[thing.id]: [place for place in row if place != NOBODY]
            for thing, row in zip(roads, columns.tolist(), strict=True)
        }
        self._behind, self._ahead = (
            {index[thing.id]: at for thing, at in zip(roads, columns[:, which].tolist(), strict=True) if at != NOBODY}
            for which in (BEHIND, AHEAD)
        )
        flow_of = {index[one.id]: one.kind.field_names.index(rule.flow) for one, rule in _by_speed(roads)}
        self._asked = {*self._ahead, *self._ahead.values()} & flow_of.keys()
        self._arriving.watch({thing: flow_of[thing] for thing in self._asked})

    def mark(self, new: Arrivals, values: Float32, slow: Index, settings: Settings) -> None:
        """Say of covered lanes what their neighbours do, in place (`alone`); remember what the others see.

        `values` (m, width) are those of the batch, by `Arrivals.source`; `slow` as `miles.slow` finds them.
        """
        self._remember_slow(new, slow, settings)
        for rows in pieces(new.time_us):
            self._arriving.remember(new, values, rows)
            self._mark(new, rows[new.alone[rows] == ALONE])

    def _mark(self, new: Arrivals, rows: Index) -> None:
        for row in rows.tolist():
            thing, at_us = int(new.thing[row]), int(new.time_us[row])
            new.alone[row] = self._said(thing, at_us)

    def _said(self, thing: int, at_us: int) -> int:
        """What the neighbours of a covered lane say."""
        beside = self._beside.get(thing)
        if not beside:
            return LONELY
        if self._vouched(thing, beside, at_us) or self._missed(thing, at_us):
            return BELIEVED
        return DENIED if self._passed(thing, self._ahead if thing in self._ahead else self._behind, at_us) else ALONE

    def _passed(self, thing: int, way: Mapping[int, int], at_us: int) -> bool:
        """Whether vehicles have passed the next loop lately; where that one tells nothing, the one further on."""
        other = way.get(thing)
        if other in self._asked and not self._arriving.tells(other, at_us):
            other = way.get(other)
        return other in self._asked and self._arriving.passes(other, at_us)

    def _vouched(self, thing: int, beside: Sequence[int], at_us: int) -> bool:
        """Whether somebody near was slow right before; behind it, somebody who stood."""
        behind, count = self._behind.get(thing, NOBODY), 0
        for whose, time_us, counts, stood in self._slow:
            recent = (time_us >= at_us - RECENT_US) & (time_us <= at_us - WINDOW_US)
            count += int(counts[recent & np.isin(whose, beside) & (stood | (whose != behind))].sum())
        return count >= SLOW_TWICE

    def _missed(self, thing: int, at_us: int) -> bool:
        """Whether what it carried no longer arrives further on."""
        ahead = self._ahead.get(thing)
        return ahead is not None and (self._arriving.over(ahead, at_us) or self._arriving.falls(thing, ahead, at_us))

    def remember(self, new: Arrivals, values: Float32, slow: Index, settings: Settings) -> None:
        """Take over what the others see."""
        self._remember_slow(new, slow, settings)
        for rows in pieces(new.time_us):
            self._arriving.remember(new, values, rows)

    def recalls_us(self, thing: int) -> int:
        """How long before its settled state the readings of a thing are needed after a restart."""
        return ARRIVING_US if thing in self._asked else RECENT_US

    def _remember_slow(self, new: Arrivals, slow: Index, settings: Settings) -> None:
        rows = slow[~np.isnan(new.observed[slow])]
        if not len(rows):
            return
        free_kmh = settings.free_kmh[new.thing[rows]]
        stood = new.observed[rows] == 0
        twice = stood | (new.observed[rows] < AT_ONCE * free_kmh)
        self._slow.append((new.thing[rows], new.time_us[rows], 1 + twice.astype(np.intp), stood))
        newest = int(new.time_us[rows].max())
        self._slow = [some for some in self._slow if int(some[1].max()) >= newest - KEPT_US]


def _by_speed(things: Sequence[Thing]) -> Iterator[tuple[Thing, SpeedRatio]]:
    for thing in things:
        if isinstance(thing.kind.level, SpeedRatio):
            yield thing, thing.kind.level


def waiting(states: States, settings: Settings, rows: Arrivals) -> Mask:
    """Tell whose covered lane is not believed, and remember whom vehicles drove past, in place. Shapes (things,).

    Covered all at once, it has no witness: for a while, or while it is denied, or because it was. Or its alarm is open,
    it has told the same for as long, and is denied.
    """
    passed = states.high < 0
    if not (rows.alone.any() or passed.any()):
        return np.zeros(len(rows.alone), np.bool_)
    period_s, denied = _period_s(settings), rows.alone == DENIED
    sudden = (rows.observed == 0) & ~(states.value < WAS_FREE) & (states.alarm == 0)
    waited_s = states.misses * period_s
    passed = sudden & (passed | (denied & (waited_s >= PASSED_S)))
    states.high[passed] = -1
    nobody = (rows.alone == ALONE) | ((rows.alone == LONELY) & (np.isfinite(states.value) | (states.misses > 0)))
    waits = denied | (nobody & (waited_s < ALONE_S)) | (passed & (waited_s >= ALONE_S))
    found: Mask = (sudden & waits) | (denied & (states.alarm > 0) & (states.same * period_s >= ALONE_S))
    return found


def give_up(states: States, settings: Settings, rows: Arrivals) -> None:
    """Close the alarms of covered lanes that nobody has borne out for long enough, or that lie, in place."""
    if not (rows.alone >= DENIED).any():
        return
    long = (rows.alone == DENIED) & (states.misses * _period_s(settings) >= GIVEN_UP_S)
    states.alarm[(states.level == UNKNOWN) & (long | (rows.alone == LIES))] = 0


def _period_s(settings: Settings) -> Float64:
    period_s: Float64 = settings.silence_us / (1e6 * SILENT_AFTER_PERIODS)
    return period_s


def catch_up(states: States, settings: Settings, observed_kmh: Float32) -> None:
    """Step smoothing and confirmations by the readings for which a lane waited that is now believed, in place.

    It was covered all the time: who speaks for the newest reading speaks for those. Shapes (things,).
    """
    if not states.faulty.any():
        return
    waited = np.where(states.faulty & (observed_kmh == 0) & (states.alarm == 0), states.misses, 0)
    if not waited.any():
        return
    waited = np.minimum(waited, settings.confirm_on)
    value = np.nan_to_num(states.value) * (1 - settings.weight) ** waited
    np.copyto(states.value, value.astype(np.float32), where=waited > 0)
    states.low += (waited * (value < ON)).astype(np.int16)
