"""How far each thing's clock is from ours, estimated from when its readings arrive.

A reading arrives after it was measured, sooner or later; the soonest of a window of our time nearly shows its clock
against ours. Two windows in a row that agree are believed, so that neither one wild timestamp nor a backlog, whose
delay shrinks while it drains, is taken for a clock. A delay that stays cannot be told from a clock that is behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ingest.columns import ClockOffset

WINDOW_US = 300_000_000
"""Five minutes: twice that until a wrong clock is known. Shorter: a slow backlog looks like a clock; longer: later."""

AGREE_US = 10_000_000
"""How far the soonest arrivals of two windows may differ. Less: slow radio links are never known; more: a backlog that
drains slowly looks like a clock. (Both: own choice, see the tests; drift is below 0.03 s in a window at 100 ppm.)"""

MOVED_US = 1_000_000
"""A change from which an offset is told again at once; the others are told once in `REFRESH_US`."""
REFRESH_US = 3_600_000_000

_NONE = 2**62
_NO_WINDOW = -1


class Clocks:
    """Offsets of things by their places 0, 1, 2, ...; `off` counts those beyond the tolerance."""

    def __init__(self, tolerance_s: float) -> None:
        self.off = 0
        self._tolerance_us = tolerance_s * 1e6
        self._window = _NO_WINDOW
        self._to_tell = False
        # Each column: a place. The soonest arrivals of this window and of the last one with readings; the offset, what
        # was told of it, and when it was measured and told.
        self._soonest, self._before = _unknown(0), _unknown(0)
        self._offset, self._told = _unknown(0), _unknown(0)
        self._measured, self._told_at = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def grow(self, things: int) -> None:
        """Make room for `things` places."""
        if more := max(0, things - len(self._soonest)):
            more += len(self._soonest)
            self._soonest, self._before, self._offset, self._told = (
                np.concatenate((column, _unknown(more)))
                for column in (self._soonest, self._before, self._offset, self._told)
            )
            self._measured, self._told_at = (
                np.concatenate((column, np.zeros(more, np.int64))) for column in (self._measured, self._told_at)
            )

    def observe(
        self, places: NDArray[np.intp], delay_us: NDArray[np.int64], received_us: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Take over readings in order of arrival, (n,) each; where the clock is known to be off, (n,).

        Only windows that ended before a reading arrived speak of it, so it does not matter how batches are cut.
        """
        off = np.empty(len(places), np.bool_)
        for window, part in self._windows(received_us):
            if window != self._window:
                self._close(window)
            np.minimum.at(self._soonest, places[part], delay_us[part])
            off[part] = self._is_off(self._offset[places[part]])
        return off

    def take(self, things: list[str], limit: int) -> Iterator[ClockOffset]:
        """Offsets that are worth telling, at most `limit` of them; `things` names the places."""
        if not self._to_tell:
            return
        moved = np.abs(self._offset - self._told) >= MOVED_US
        due = np.flatnonzero((self._offset != _NONE) & (moved | (self._measured - self._told_at >= REFRESH_US)))[:limit]
        self._to_tell = len(due) == limit
        self._told[due], self._told_at[due] = self._offset[due], self._measured[due]
        for place in due.tolist():
            yield ClockOffset(things[place], self._offset[place] / 1e6, int(self._measured[place]))

    def _windows(self, received_us: NDArray[np.int64]) -> Iterator[tuple[int, slice]]:
        """Stretches of readings of one window each; our clock set back does not open an old window again."""
        windows = np.maximum.accumulate(np.maximum(received_us // WINDOW_US, self._window))
        cuts = [0, *(np.flatnonzero(np.diff(windows)) + 1).tolist(), len(windows)]
        for start, end in itertools.pairwise(cuts):
            if end > start:
                yield int(windows[start]), slice(start, end)

    def _close(self, window: int) -> None:
        """End the open window and compare it with the one before."""
        heard = self._soonest != _NONE
        agreed = heard & (self._before != _NONE) & (np.abs(self._soonest - self._before) <= AGREE_US)
        np.copyto(self._offset, -np.minimum(self._soonest, self._before), where=agreed)
        self._measured[agreed] = (self._window + 1) * WINDOW_US
        np.copyto(self._before, self._soonest, where=heard)
        self._soonest[:] = _NONE
        self._window = window
        self._to_tell = True
        self.off = int(np.count_nonzero(self._is_off(self._offset)))

    def _is_off(self, offset_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        off: NDArray[np.bool_] = (np.abs(offset_us) > self._tolerance_us) & (offset_us != _NONE)
        return off


def _unknown(places: int) -> NDArray[np.int64]:
    return np.full(places, _NONE, np.int64)
