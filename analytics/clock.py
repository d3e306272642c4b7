"""What time it is for a group of things, told by what arrives from them, by no clock of ours.

One wild timestamp must not move it, nor some sensors with wrong clocks, nor the burst of one that was cut off: it is
the newest measuring time that a part of the group has reached, and it never goes back. So it is the same live and in a
replay at any speed.
"""

from __future__ import annotations

import itertools
from math import ceil
from typing import Final

import numpy as np

from analytics.state import NEVER
from analytics.table import Index, Int64
from sensors.catalogue import Catalogue

PART: Final = 0.15
"""Share of a group that must have reached a time. Lower: a few clocks that are ahead make all others late; higher: when
a basin is cut off the others cannot carry the clock (in this port 20 of 90 remain)."""

PIECES: Final = 8
"""Pieces into which as many arrivals as there are things are cut: the clock is told for each. More cost time; fewer
make delays vaguer."""


WALL = ""
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


class GroupClock:
    """The time of a group of `things`."""

    def __init__(self, things: int) -> None:
        self.now_us = -NEVER
        self._newest = np.full(things, -NEVER, np.int64)

    def follow(self, thing: Index, time_us: Int64, received_us: Int64) -> Int64:
        """Take readings in order of arrival, (n,) each; return the clock at each, (n,).

        What arrived in the same instant is looked at together: nobody knows the order within.
        """
        clock = np.empty(len(thing), np.int64)
        for start, end in self._cuts(received_us):
            np.maximum.at(self._newest, thing[start:end], time_us[start:end])
            self.now_us = max(self.now_us, self._reached())
            clock[start:end] = self.now_us
        return clock

    def reach(self, now_us: int) -> None:
        """Let a wall's clock move it on."""
        self.now_us = max(self.now_us, now_us)

    def _reached(self) -> int:
        return reached(self._newest)

    def _cuts(self, received_us: Int64) -> list[tuple[int, int]]:
        least = max(1, len(self._newest) // PIECES)
        borders = [0]
        for at in (np.flatnonzero(np.diff(received_us)) + 1).tolist():
            if at - borders[-1] >= least:
                borders.append(at)
        borders.append(len(received_us))
        return [(start, end) for start, end in itertools.pairwise(borders) if end > start]
