"""What time it is for a group of things, told by what arrives from them, by no clock of ours.

One wild timestamp must not move it, nor some sensors with wrong clocks, nor the burst of one that was cut off: it is
the newest measuring time that a part of the group has reached, and it never goes back. So it is the same live and in a
replay at any speed.
"""

from __future__ import annotations

import itertools
from math import ceil
from typing import Final, NamedTuple

import numpy as np

from analytics.state import NEVER
from analytics.table import Float64, Index, Int64, passed
from sensors.catalogue import Catalogue

PART: Final = 0.15
"""Share of a group that must have reached a time. Lower: a few clocks that are ahead make all others late; higher: when
a basin is cut off the others cannot carry the clock (in this port 20 of 90 remain)."""

PIECES: Final = 8
"""Pieces into which as many arrivals as there are things are cut: the clock is told for each. More cost time; fewer
make delays vaguer."""


LONGEST_INSTANT_US: Final = 1800 * 1_000_000
"""Most of a group's time that an instant may stand for, 30 min, unless a part of the group fills more by itself: a
socket read of 256 kB holds 5 min of this port, three times as much while a basin is cut off, and an hour of a dozen
loops. Lower: readings of a fast replay look late; higher: after a silence of the group all that is late looks in
time."""

WALL = "wall"
PORT = "port"
RECORDING = "recording"
"""Names of groups: the sites of the wall's time; those of the port in a replay; and the basin of recordings, of which
each site has a clock of its own."""


def group_names(catalogue: Catalogue) -> dict[str, str]:
    """By site, what shares a clock: all sites of the wall's; the port's sites in a replay; each recording alone."""
    return {
        site.id: WALL if site.clock == "wall" else f"site {site.id}" if site.basin == RECORDING else PORT
        for site in catalogue.sites
    }


def reached(newest_us: Int64) -> int:
    """What time a part of a group has reached; `newest_us` is by thing, -NEVER for who was never heard."""
    heard = newest_us[newest_us != -NEVER]
    if not len(heard):
        return -NEVER
    place = max(0, len(heard) - max(1, min(ceil(PART * len(newest_us)), (len(newest_us) + 1) // 2)))
    return int(np.partition(heard, place)[place])


class Arrived(NamedTuple):
    """What the clock was when each of n readings arrived: at least, most likely and at most; int64 microseconds."""

    earliest_us: Int64
    likely_us: Int64
    latest_us: Int64


def _passed(thing: Index) -> Float64:
    """What share of an instant had passed at each reading: who sent four sent them one after the other."""
    if int(np.bincount(thing, minlength=1).max()) <= 1:
        return np.full(len(thing), 0.5)
    return passed(thing)


class GroupClock:
    """The time of a group of `things`."""

    def __init__(self, things: int) -> None:
        self.now_us = -NEVER
        self._newest = np.full(things, -NEVER, np.int64)

    def follow(self, thing: Index, time_us: Int64, received_us: Int64) -> Arrived:
        """Take readings in order of arrival, (n,) each; return what the clock was at each.

        What arrived in the same instant is looked at together: nobody knows the order within, and at the speed of a
        replay that is minutes of readings.
        """
        earliest, likely, latest = (np.empty(len(thing), np.int64) for _ in range(3))
        for start, end in self._cuts(received_us):
            before = self.now_us
            np.maximum.at(self._newest, thing[start:end], time_us[start:end])
            self.now_us = max(self.now_us, reached(self._newest))
            if self.now_us - before > LONGEST_INSTANT_US:
                before = self._began(before, thing[start:end], time_us[start:end])
            earliest[start:end], latest[start:end] = before, self.now_us
            likely[start:end] = before + (_passed(thing[start:end]) * (self.now_us - before)).astype(np.int64)
        return Arrived(earliest, likely, latest)

    def reach(self, now_us: int) -> None:
        """Let a wall's clock move it on."""
        self.now_us = max(self.now_us, now_us)

    def _began(self, before_us: int, thing: Index, time_us: Int64) -> int:
        """What it was when an instant began whose readings moved it far, or were the first."""
        oldest, newest = np.full(len(self._newest), NEVER, np.int64), np.full(len(self._newest), -NEVER, np.int64)
        np.minimum.at(oldest, thing, time_us)
        np.maximum.at(newest, thing, time_us)
        filled_us = reached(np.where(newest == -NEVER, -NEVER, newest - oldest))
        least_us = 0 if before_us == -NEVER else LONGEST_INSTANT_US
        return max(before_us, self.now_us - max(least_us, filled_us))

    def _cuts(self, received_us: Int64) -> list[tuple[int, int]]:
        least = max(1, len(self._newest) // PIECES)
        borders = [0]
        for at in (np.flatnonzero(np.diff(received_us)) + 1).tolist():
            if at - borders[-1] >= least:
                borders.append(at)
        borders.append(len(received_us))
        return [(start, end) for start, end in itertools.pairwise(borders) if end > start]
