"""The newest reading of every thing, and how fast its values may change from one to the next.

A reading is compared with the newest one, by event time, that arrived before it. An older one is compared with nothing
and changes nothing: what it might have followed is in the database, not here. So the order of arrival decides, and how
arrivals are cut into batches does not. A value that is missing or implausible is compared with nothing either.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sensors.kind import Kind

Places = NDArray[np.intp]
Mask = NDArray[np.bool_]

_T = TypeVar("_T", bound=np.generic)

_BEFORE_ALL = -(2**62)
_MINUTE_US = 60_000_000


class Previous:
    """The newest readings of the things of one kind, by their places 0, 1, 2, ..."""

    def __init__(self, kind: Kind) -> None:
        rates = [field.max_change_per_min for field in kind.fields]
        self._rated = np.array([place for place, rate in enumerate(rates) if rate is not None], np.intp)
        self._per_us = np.array([rate / _MINUTE_US for rate in rates if rate is not None])
        self._period_us = kind.period_s * 1e6
        self._time_us = np.zeros(0, np.int64)
        self._values = np.zeros((0, len(self._rated)), np.float32)

    def grow(self, things: int) -> None:
        """Make room for `things` places."""
        if more := max(0, things - len(self._time_us)):
            more += len(self._time_us)
            self._time_us = np.concatenate((self._time_us, np.full(more, _BEFORE_ALL)))
            unknown = np.full((more, len(self._rated)), np.nan, np.float32)
            self._values = np.concatenate((self._values, unknown))

    def follow(self, places: Places, time_us: NDArray[np.int64], usable: NDArray[np.float32]) -> tuple[Mask, Mask]:
        """Take over readings in order of arrival, (n,), (n,) and (n, fields) with NaN where nothing can be compared.

        Returns where a value changed faster than it can, and where a reading is older than one before it, (n,) each.
        """
        order = np.argsort(places, kind="stable")
        newest, older = self._newest(places[order], time_us[order])
        behind = np.zeros(len(order), np.bool_)
        behind[order] = older
        order = order[newest]
        return self._too_fast(order, places[order], time_us[order], usable), behind

    def _newest(self, places: Places, time_us: NDArray[np.int64]) -> tuple[Mask, Mask]:
        """Where a reading is newer than all before it, (n,) sorted by place, and which of the others are older.

        Those of the same instant as the newest are neither: duplicates, conflicts, or lorries on two lanes.
        """
        first = _first(places)
        before = _shifted(time_us, first, self._time_us[places[first]])
        newest = time_us > before
        if newest.all():
            return newest, ~newest
        before = _running_most(time_us, first, self._time_us[places[first]])
        return time_us > before, time_us < before

    def _too_fast(self, order: Places, places: Places, time_us: NDArray[np.int64], usable: NDArray[np.float32]) -> Mask:
        """Compare rows that are sorted by place and rise in time, and remember the last of each place."""
        marked = np.zeros(len(usable), np.bool_)
        if not len(order):
            return marked
        first = _first(places)
        last = np.append(first[1:], True)
        if len(self._rated):
            values = usable[np.ix_(order, self._rated)]
            passed_us = time_us - _shifted(time_us, first, self._time_us[places[first]])
            allowed = np.maximum(passed_us, self._period_us)[:, None] * self._per_us
            with np.errstate(over="ignore"):
                change = np.abs(values - _shifted(values, first, self._values[places[first]]))
            marked[order] = (change > allowed).any(axis=1)
            self._values[places[last]] = values[last]
        self._time_us[places[last]] = time_us[last]
        return marked


def _first(places: Places) -> Mask:
    """Where another place begins."""
    first = np.ones(len(places), np.bool_)
    np.not_equal(places[1:], places[:-1], out=first[1:])
    return first


def _shifted(rows: NDArray[_T], first: Mask, remembered: NDArray[_T]) -> NDArray[_T]:
    """The row before each of the same place, the remembered one for the first."""
    before = np.empty_like(rows)
    before[1:] = rows[:-1]
    before[first] = remembered
    return before


def _running_most(time_us: NDArray[np.int64], first: Mask, remembered: NDArray[np.int64]) -> NDArray[np.int64]:
    """The latest time before each row of the same place, the remembered ones included.

    One pass over all places: ranks instead of times, each place above the one before it, so that a maximum never
    reaches from one into the next.
    """
    times, rank = np.unique(np.concatenate((time_us, remembered)), return_inverse=True)
    ranks, known = rank[: len(time_us)], rank[len(time_us) :]
    base = (np.cumsum(first) - 1) * len(times)
    upto = np.maximum.accumulate(base + np.maximum(ranks, known[np.cumsum(first) - 1]))
    before: NDArray[np.int64] = times[_shifted(upto, first, base[first] + known) - base]
    return before
