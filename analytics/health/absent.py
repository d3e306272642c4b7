"""Who was never heard: a sensor of the catalogue from which nothing has come while its site speaks.

Who fell silent is told by the engine, from its last reading on. Who has none is told here: what is broken when the
service begins, or was never connected, would be nobody's fault for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from analytics.health.summary import BIN_US
from analytics.health.things import Things
from analytics.state import SILENT_AFTER_PERIODS
from analytics.table import Int64, Mask

LEAST_BINS: Final = 3
"""Bins for which its site speaks before a sensor is missed, 15 min. Fewer: whose gateway connects last is a fault."""


class Absent:
    """Vectors over things: who has ever spoken, and for how many bins their site has without them."""

    def __init__(self, things: Things) -> None:
        self._things = things
        self._ever = np.zeros(len(things), np.bool_)
        self._missed: Int64 = np.zeros(len(things), np.int64)
        wait = np.ceil(SILENT_AFTER_PERIODS * np.nan_to_num(things.period_s) * 1e6 / BIN_US)
        self._wait = np.maximum(wait, LEAST_BINS)

    def know(self, numbers: Iterable[int]) -> None:
        """Take over who was heard before all that is kept here."""
        self._ever[list(numbers)] = True

    def count(self, speaks: Mask) -> Mask:
        """Take over who spoke in a bin; return who never did while others at the site do, (things,)."""
        self._ever |= speaks
        there = np.bincount(self._things.site[speaks], minlength=len(self._things.sites)) > 0
        never: Mask = ~self._ever & there[self._things.site] & np.isfinite(self._things.period_s)
        self._missed = np.where(self._ever, 0, self._missed + never)
        return never

    @property
    def ever(self) -> Mask:
        """Who has spoken at some time."""
        return self._ever

    @property
    def missed(self) -> Mask:
        """Who was missed for long enough."""
        found: Mask = self._missed >= self._wait
        return found
