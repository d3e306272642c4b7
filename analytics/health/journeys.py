"""A travel time beside the speeds that the loops on its way tell: both are free, or one of them creeps.

A queue between two loops is felt by travellers alone; so only bins count in which all that tell of a way are free. Who
drives no faster past every loop, and no slower, takes as long as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from analytics.health.rules import SOME
from analytics.health.summary import Summary
from analytics.health.things import Things
from analytics.health.witnesses import FREE
from analytics.table import Mask

LEAST_LOOPS: Final = 2
"""Loops on the way that must tell. Fewer: one loop that creeps makes a corridor creep; more: a short one never does."""

APART: Final = 0.05
"""How far the two may have come apart, as a share, averaged over a day. Lower: one of two loops that creeps by 8 %
before anybody knows makes a corridor creep by half of that; higher: it is found later (healthy corridors stay under
1.4 % in ten simulated days)."""


class Journeys:
    """Corridors, and the loops on their ways, by number."""

    def __init__(self, things: Things) -> None:
        """Take who watches which way."""
        self._free_kmh = things.free_kmh
        self._loops = {at: loops for at, loops in things.on_the_way.items() if len(loops) >= LEAST_LOOPS}
        self._free_s = {at: things.things[at].free_time_s for at in self._loops}

    def fits(self, summary: Summary, spoilt: Mask) -> Mapping[int, float]:
        """Log of each corridor's travel time, over that of the loops' speeds; none where anybody is slow.

        spoilt (things,): whose values nobody should compare.
        """
        speed = summary.speed / np.maximum(summary.moving, 1) / self._free_kmh
        tells = (summary.moving >= SOME) & np.isfinite(speed) & ~spoilt
        return {
            at: float(np.log(longer) + np.median(np.log(speed[some])))
            for at, loops in self._loops.items()
            if np.isfinite(longer := summary.middle[at] / self._free_s[at]) and not spoilt[at]
            if len(some := loops[tells[loops]]) >= LEAST_LOOPS and longer * FREE <= 1 and (speed[some] >= FREE).all()
        }
