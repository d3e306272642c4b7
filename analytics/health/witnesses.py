"""What is wrong with a thing by what others say: the other lane, the next sensors on the way, who else is silent.

Lorries stand on port roads: a lane that is covered and passes nothing is traffic, unless what it carried before still
arrives further on, or the other lane flows as always (domain section 3, "fail towards the road").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from analytics.health.rules import ENOUGH, FROZEN_S, HALF, HOUR, MOST, QUARTER, SOME, speaks
from analytics.health.summary import BIN_US, BINS, Past
from analytics.health.things import Things
from analytics.near import NOBODY
from analytics.table import Float32, Index, Mask
from sensors.fault import Fault

STANDS: Final = 4
"""Bins that a lane stands or is empty before others are asked, 20 min: what had passed it has arrived by then."""

LONG: Final = 9
"""Bins where less is known of the others, 45 min: a queue has reached the next sensor by then."""

LONGEST: Final = 18
"""Bins on quiet roads, 90 min, which leaves half an hour of the two that are kept to know what was before."""

BUSY_VEH_H: Final = 100.0
QUIET_VEH_H: Final = 60.0
QUIETEST_VEH_H: Final = 30.0
"""Flows per lane that would be missed within 10, 30 and 60 min: some 45 vehicles have not come by then. Lower: at night
an empty lane is a fault; higher: faults of small roads are not found."""

MISSED: Final = 0.4
"""Share of what a lane carried that may be missing further on. Lower: the tide of a day hides faults; higher: what
turns in behind a jam speaks for it."""

MORE: Final = 1.15
"""Flow of the other lane over its own of before, and over what a neighbour has gained since: above, it has taken over,
and this lane is closed or blocked. Lower: chance hides faults; higher: a closed lane is one."""

FREE: Final = 0.7
"""Speed over free speed from which a neighbour flows."""

DOUBLED: Final = 1.5
"""Readings over those expected from which somebody else speaks under a name."""


class Bins:
    """For how many bins each thing has been silent, and has been spoken for by two."""

    def __init__(self, things: int) -> None:
        self.silent = np.zeros(things, np.int64)
        self.twofold = np.zeros(things, np.int64)

    def count(self, silent: Mask, twofold: Mask) -> None:
        """Take over one more bin."""
        self.silent = np.where(silent, self.silent + 1, 0)
        self.twofold = np.where(twofold, self.twofold + 1, 0)


def witnessed_faults(past: Past, things: Things, bins: Bins, spoilt: Mask) -> Mapping[Fault, Mask]:
    """Say which things have which fault; `spoilt` (things,) are those whose own values are known to be wrong."""
    locked, off = _blind(past, things, spoilt | (past.sum("heard", LONG) == 0))
    lively = past.sum("lively", QUARTER)
    return {
        Fault.LOCKED_ON: locked,
        Fault.CARD_OFF: off,
        Fault.LANE_SWAPPED: _repeats(past.sum("borrowed", QUARTER), lively),
        Fault.DIRECTION_SWAPPED: _repeats(past.sum("returned", QUARTER), lively),
        Fault.IDENTITY_SWAPPED: _speaks_as_another(past, things, bins),
    }


class _Look(NamedTuple):
    """How long a lane has stood or been empty, and what is then looked at: bins of what passes now, and flows.

    missed_veh_h: what it carried before, for others to be asked; alone_veh_h: where nobody can be.
    """

    stands: int
    now: int
    missed_veh_h: float
    alone_veh_h: float


_LATER: Final = (_Look(LONG, HALF, QUIET_VEH_H, BUSY_VEH_H), _Look(LONGEST, HOUR, QUIETEST_VEH_H, QUIET_VEH_H))


def _blind(past: Past, things: Things, deaf: Mask) -> tuple[Mask, Mask]:
    """Who is covered, and who empty, while the traffic goes on: with much traffic soon, with little after longer."""
    # Where few samples come, the few may be empty by chance.
    told = past.sum("heard", STANDS) >= ENOUGH * STANDS * BIN_US / 1e6 / things.period_s
    busy, through = _Flows(past, things, deaf, now=2, since=LONG), _comes_through(past, things.corridor)
    passes = busy.carried(BUSY_VEH_H) & busy.passes
    locked = throughout(past, "full", STANDS) & (passes | through)
    off = throughout(past, "empty", STANDS) & passes
    # Vehicles that stand for so long queue, and move up now and then. Of two lanes one may be closed.
    locked |= throughout(past, "full", LONG) & busy.lonely
    locked |= throughout(past, "full", LONGEST) & (things.lane == NOBODY) & ~_queue_near(past, things)
    for look in _LATER:
        flows = _Flows(past, things, deaf, now=look.now, since=look.stands)
        missed = flows.carried(look.missed_veh_h) & (flows.passes | (flows.up & flows.end))
        # Nothing stands on an empty lane: who passes further on came past it, though slowly. Corridors tell nothing of
        # one: few are matched, and a quiet lane is empty between them.
        lone = (flows.carried(look.missed_veh_h) & flows.follows) | (flows.carried(look.alone_veh_h) & flows.alone)
        locked |= throughout(past, "full", look.stands) & (missed | flows.around)
        off |= throughout(past, "empty", look.stands) & (missed | lone | (flows.around & (things.lane == NOBODY)))
    return locked & told, off & told


def _queue_near(past: Past, things: Things) -> Mask:
    """Who has somebody before or behind it that was slow, or covered, while it may have stood."""
    queues = np.append(past.sum("slow", LONGEST) + past.sum("full", LONGEST) > 0, values=False)  # the last is nobody
    found: Mask = queues[things.upstream] | queues[things.downstream]
    return found


def _comes_through(past: Past, corridor: Index) -> Mask:
    """Over whom vehicles drove that were seen again at the end of a corridor, in each of the last bins.

    After `STANDS` what had passed a sensor before has arrived, on corridors of up to 5 min. Readers that repeat
    themselves or those of the other direction tell nothing.
    """
    repeats = _repeats(past.sum("returned", QUARTER), past.sum("lively", QUARTER))
    seen = (past.in_bins("middle", QUARTER) == QUARTER) & ~repeats & (past.newest.frozen_s < FROZEN_S)
    found: Mask = (corridor != NOBODY) & seen[np.maximum(corridor, 0)]
    return found


def throughout(past: Past, name: str, bins: int) -> Mask:
    """In nearly all readings of so many bins, the newest included; and since the first of them nothing has passed.

    At night a lane is empty in most half minutes, and who has passed it was counted.
    """
    heard = past.sum("heard", bins)
    found: Mask = (heard >= SOME) & (past.sum(name, bins) >= MOST * heard) & (past.sum(name, 1) > 0)
    found &= past.sum("flow", bins - 1) == 0
    return found


class _Flows:
    """What each lane carries now, in veh/h, against the hour before it may have begun to stand."""

    def __init__(self, past: Past, things: Things, deaf: Mask, *, now: int, since: int) -> None:
        """Take what is kept; `now` are that many bins, and `since` so many all may stand. deaf: who tells nothing."""
        self._now = past.sum("flow", now) / np.maximum(past.sum("heard", now), 1)
        self._before = past.sum("flow", HOUR, since) / np.maximum(past.sum("heard", HOUR, since), 1)
        self._heard = past.sum("heard", now) > 0
        self._known = 2 * past.in_bins("flow", HOUR, since) >= min(HOUR, len(past) - since)
        speed = past.sum("speed", now) / np.maximum(past.sum("moving", now), 1)
        self._tells, self._lane = ~deaf, things.lane
        self._free = speed >= FREE * np.where(np.isnan(things.free_kmh), 0, things.free_kmh)
        self._free &= past.sum("moving", now) >= SOME
        self.end = ~self._there(things.downstream)
        self.alone = self.end & ~self._there(things.upstream)
        self.lonely = self.alone & ~self._there(things.lane)
        self.up = self._freely(things.upstream) & self._still_carries(things.upstream)
        self.around = self._busy(things.upstream) & self._busy(things.downstream)
        self.follows = self._still_carries(things.downstream)
        self.passes = self._as_always(things.lane) | (self._freely(things.downstream) & self.follows)

    def carried(self, veh_h: float) -> Mask:
        """Whose lane carried at least so much in the hour before, most of which is from before it stood."""
        found: Mask = (self._before >= veh_h) & self._known
        return found

    def _there(self, neighbour: Index) -> Mask:
        """Who has a neighbour that tells anything."""
        found: Mask = (neighbour != NOBODY) & self._tells[np.maximum(neighbour, 0)]
        return found

    def _freely(self, neighbour: Index) -> Mask:
        found: Mask = self._there(neighbour) & self._free[np.maximum(neighbour, 0)]
        return found

    def _busy(self, neighbour: Index) -> Mask:
        """Whether a neighbour flows freely and carries much: no queue begins or ends between it and the lane."""
        found: Mask = self._freely(neighbour) & (self._now[np.maximum(neighbour, 0)] >= BUSY_VEH_H)
        return found

    def _as_always(self, neighbour: Index) -> Mask:
        """Whether a neighbour flows as it did, and no more than that."""
        at = np.maximum(neighbour, 0)
        same = (self._now[at] >= self._before[at] / MORE) & (self._now[at] <= MORE * self._before[at])
        found: Mask = self._freely(neighbour) & same
        return found

    def _still_carries(self, neighbour: Index) -> Mask:
        """Whether what a lane carried before still passes a neighbour, and not as the other lane has taken over."""
        at = np.maximum(neighbour, 0)
        enough = np.maximum(self._before[at] - MISSED * self._before, (1 - MISSED) * self._before)
        found: Mask = self._there(neighbour) & (self._now[at] >= enough) & ~self._taken_over(at)
        return found

    def _taken_over(self, at: Index) -> Mask:
        """Whether the other lane has, or may have, gained on a neighbour: this lane is closed or blocked."""
        beside = np.maximum(self._lane, 0)
        gained = self._now[beside] * self._before[at] > MORE * self._before[beside] * self._now[at]
        found: Mask = (self._lane != NOBODY) & (gained | ~(self._tells & self._heard)[beside])
        return found


def _repeats(repeated: Float32, lively: Float32) -> Mask:
    found: Mask = (repeated >= SOME) & (repeated >= MOST * lively)
    return found


def spoken_for(past: Past, things: Things) -> Mask:
    """Under whose name two speak, (things,): what comes then is neither's fault to explain."""
    expected = QUARTER * BIN_US / 1e6 / things.period_s
    found: Mask = past.sum("heard", QUARTER) >= DOUBLED * np.maximum(expected, SOME)
    return found


def _speaks_as_another(past: Past, things: Things, bins: Bins) -> Mask:
    """Who fell silent, or was not there, when another of its kind began to speak for two."""
    found = np.zeros(len(things), np.bool_)
    lost = (bins.silent > 0) & (bins.silent <= BINS) & ~speaks(past)
    for other in np.flatnonzero(bins.twofold).tolist():
        kind = things.things[other].kind.name
        for one in np.flatnonzero(lost).tolist():
            together = abs(bins.silent[one] - bins.twofold[other]) <= QUARTER
            found[one] |= together and things.things[one].kind.name == kind
    return found


def located(things: Things, silent: Mask) -> tuple[Mask, Mask]:
    """Sites and basins of which everything that speaks often is silent: the highest level that explains it (PeMS).

    Shapes (sites,) and (basins,). What speaks every few minutes would be waited for too long.
    """
    often = things.period_s <= FREQUENT_S
    few = np.bincount(things.site[often], minlength=len(things.sites)) <= 1
    frequent = often | (few[things.site] & np.isfinite(things.period_s))
    sites = _all_of(things.site, len(things.sites), frequent, silent)
    basins = _all_of(things.basin, len(things.basins), often, silent)
    basins &= np.bincount(things.basin_of_site, minlength=len(things.basins)) > 1
    return sites & ~basins[things.basin_of_site], basins


FREQUENT_S: Final = 100.0
"""Longest period of those who are asked whether a place is down."""


def _all_of(place: Index, places: int, which: Mask, silent: Mask) -> Mask:
    there = np.bincount(place[which], minlength=places)
    quiet = np.bincount(place[which & silent], minlength=places)
    found: Mask = (there > 0) & (quiet == there)
    return found
