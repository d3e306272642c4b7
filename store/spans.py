"""Stretches of time in which a batch has readings: whoever looks for them asks few chunks and no empty years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPAN_GAP_US = 3_600_000_000
"""Readings of one batch further apart than this are booked, and later read, as separate spans of time: a replay of 2012
beside live sensors must not make readers scan the years between."""
MAX_SPANS = 16
"""Spans per batch and kind; beyond, the smallest gaps are read over."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """A stretch of time, bounds included (microseconds since 1970 UTC), and how many readings lie in it."""

    min_us: int
    max_us: int
    rows: int


def spans(time_us: NDArray[np.int64]) -> list[Span]:
    """Cut the times of a batch where nothing lies for longer than `SPAN_GAP_US`."""
    ordered = np.sort(time_us)
    gaps = np.diff(ordered)
    cuts = np.flatnonzero(gaps > SPAN_GAP_US)
    if len(cuts) >= MAX_SPANS:
        cuts = np.sort(cuts[np.argsort(gaps[cuts])[1 - MAX_SPANS :]])
    return [Span(int(part[0]), int(part[-1]), len(part)) for part in np.split(ordered, cuts + 1) if len(part)]


def at(time_us: int) -> datetime:
    """The instant of microseconds since 1970 UTC, exactly (a float of seconds would round)."""
    return EPOCH + timedelta(microseconds=time_us)
