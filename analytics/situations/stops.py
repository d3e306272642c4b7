"""Stops of what comes and goes at its limit: cranes in gusts, lorry parks that fill and empty around it.

Their situation is a whole windy day, because nobody wants twenty; the end that is asked for is that of the stop that
stands now. So their lives are those of stops, and between two stops no end is expected.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analytics.situations.ends import GUSTS, Outset
from analytics.situations.ground import Ground
from analytics.situations.means import BIN_US
from analytics.situations.record import Record
from analytics.situations.sight import MINUTE_US, Sight
from analytics.situations.wind import gale_at
from analytics.table import Index

BY_WIND = "wind_stop"
"""The word of a crane that stands for the wind."""

PAUSE_US = 2 * MINUTE_US
"""Microseconds of work that end a stop: congestion itself is only called so from two minutes on (domain section 4).
Shorter: a single lorry that leaves a full park ends one; longer: a stop is over when the next one begins."""

WATCHED_US = 60 * MINUTE_US
"""Microseconds before a stop in which a reading shows that it was seen to begin: as long as means are kept."""


def standing(things: tuple[int, ...], sight: Sight) -> Index:
    """Return those of some things that stand; who is silent does what it did."""
    some = np.array(things, np.intp)
    slow_us, newest_us = sight.settled.slow_us[some], sight.settled.seen.time_us[some]
    found: Index = some[(newest_us <= slow_us) | (sight.at_us - slow_us <= PAUSE_US)]
    return found


def outset_of(record: Record, stands: Index, ground: Ground, sight: Sight) -> Outset:
    """Count from the beginning of the stop that stands, by the law of such stops."""
    if record.life.first is None:
        from_us = int(sight.settled.slow_us[stands].min())
        found = not sight.settled.means.readings(stands, from_us - WATCHED_US, from_us - BIN_US).any()
        begun = Outset(record.kind, from_us, found=found)
    else:
        begun, _ = record.life.first
    return replace(begun, kind=_kind(record, begun.kind, stands, ground, sight))


def _kind(record: Record, known: str, stands: Index, ground: Ground, sight: Sight) -> str:
    """Tell cranes that gusts have stopped from those that a gale has, or what is wrong with them."""
    if record.kind != "crane" or all(sight.word(crane, "state") != BY_WIND for crane in stands.tolist()):
        return known
    gale = record.extent.head >= 0 and gale_at(ground.graph.places[record.extent.head].site, ground, sight)
    return record.kind if gale else GUSTS
