"""How far the sites of recordings have come, and what is ahead of that.

The wall's clock refuses the future already at ingest. A recording has only its own: a reading that is far ahead of what
its group has reached waits. A group that was silent for a day leaps, and then the reading is of now; once the group has
gone on without reaching it, it was from the future, and nobody looks at it.
"""

from __future__ import annotations

import numpy as np

from analytics.clock import reached
from analytics.readings import Arrivals
from analytics.roster import Roster
from analytics.state import NEVER
from analytics.table import Float32, Int64

AHEAD_US = 120 * 1_000_000
"""Microseconds that a reading may be ahead of its group, beside the three periods that a step of it may take (as
ingest allows for the wall's clock). Lower: the first of a coarse step wait; higher: wrong clocks hide true readings."""


class Horizon:
    """What time each group of sites has reached; `ahead` counts readings from the future."""

    def __init__(self, width: int) -> None:
        self.ahead = 0
        self._waiting = Arrivals.empty()
        self._values = np.zeros((0, width), np.float32)
        self._since_us = np.zeros(0, np.int64)

    def admit(self, new: Arrivals, values: Float32, roster: Roster, newest_us: Int64) -> tuple[Arrivals, Float32]:
        """Return what can be looked at now, with its values; `newest_us` (things,) is NEVER for who was never heard.

        What waits comes before what is new: it arrived first.
        """
        if not roster.recording.any() or not roster.recording[roster.settings.site[new.thing]].any():
            return new, values
        if len(self._waiting.thing):
            self._waiting.source[:] = np.arange(len(values), len(values) + len(self._values))
            new, values = self._waiting.join(new), np.concatenate((values, self._values))
        reach_us = self.reach(roster, _later(newest_us, new))[roster.settings.site[new.thing]]
        known = reach_us != NEVER
        slack_us = AHEAD_US + roster.settings.silence_us[new.thing]
        waits = known & (new.time_us > reach_us + slack_us)
        since_us = np.concatenate((self._since_us, reach_us[len(self._since_us) :]))
        gone = waits & (reach_us > since_us + roster.settings.silence_us[new.thing])
        self.ahead += int(gone.sum())
        waits &= ~gone
        self._waiting, self._since_us = new.take(waits), since_us[waits]
        self._values = values[self._waiting.source]
        return new.take(~waits & ~gone), values

    @staticmethod
    def reach(roster: Roster, newest_us: Int64) -> Int64:
        """By site, what its group has reached; NEVER for the wall's sites and for groups never heard."""
        found = np.full(len(roster.sites), NEVER, np.int64)
        site = roster.settings.site[roster.active]
        newest = np.where(newest_us[roster.active] == NEVER, -NEVER, newest_us[roster.active])
        for group in np.unique(roster.group[roster.recording]).tolist():
            here = roster.group[site] == group
            to_us = reached(newest[here])
            found[roster.group == group] = NEVER if to_us == -NEVER else to_us
        return found


def _later(newest_us: Int64, new: Arrivals) -> Int64:
    """The newest times with what has arrived now."""
    newest = np.where(newest_us == NEVER, -NEVER, newest_us)
    np.maximum.at(newest, new.thing, new.time_us)
    return np.where(newest == -NEVER, NEVER, newest)
