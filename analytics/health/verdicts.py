"""Faults over time: what began and what is over, and which fault speaks for which others.

A fault is told when its rule holds and is over after the rule has not held for a while. Where one fault explains
another (a clock that is wrong makes readings late) only the one that explains is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.table import Int64, Mask
from sensors.fault import Fault, Scope

OVER_BINS: Final = 3
"""Bins without the fault until it is over, 15 min. Fewer: it comes and goes; more: a repair shows late."""

SETS: Final = frozenset({Fault.CLOCK_OFFSET, Fault.DAYLIGHT_SAVING})
"""Faults that set a clock by more than the time in which they are found."""

_LATE = frozenset({Fault.LATE_BATCH, Fault.FUTURE, Fault.OUT_OF_ORDER, Fault.STALE_RETAINED, Fault.INSUFFICIENT})
_REFUSED = frozenset({Fault.TRUNCATED, Fault.INVALID, Fault.WRONG_TYPE, Fault.OVERSIZED})

EXPLAINS: Final[Mapping[Fault, frozenset[Fault]]] = {
    **dict.fromkeys(SETS, _LATE | {Fault.CLOCK_DRIFT}),
    Fault.CLOCK_DRIFT: frozenset({Fault.STALE_RETAINED, Fault.INSUFFICIENT}),
    **dict.fromkeys(_REFUSED, frozenset({Fault.INSUFFICIENT})),
    Fault.FUTURE: frozenset(
        {Fault.LATE_BATCH, Fault.OUT_OF_ORDER, Fault.INSUFFICIENT, Fault.COUNTER_RESET, Fault.CLOCK_DRIFT}
    ),
    Fault.LATE_BATCH: frozenset({Fault.OUT_OF_ORDER, Fault.STALE_RETAINED, Fault.INSUFFICIENT, Fault.CLOCK_DRIFT}),
    Fault.STALE_RETAINED: frozenset({Fault.DUPLICATE}),
    Fault.SPIKE: frozenset({Fault.MISMATCH}),
    Fault.OUT_OF_ORDER: frozenset({Fault.COUNTER_RESET, Fault.CLOCK_DRIFT}),
    Fault.IDENTITY_SWAPPED: frozenset({Fault.INSUFFICIENT, Fault.SILENT}),
    Fault.SENTINEL: frozenset({Fault.CHATTER, Fault.MISMATCH, Fault.SPIKE, Fault.UNIT_SWAPPED}),
    Fault.CHATTER: frozenset({Fault.MISMATCH, Fault.SPIKE, Fault.UNIT_SWAPPED}),
    Fault.UNIT_SWAPPED: frozenset({Fault.CHATTER, Fault.SPIKE, Fault.DRIFT}),
    Fault.LOCKED_ON: frozenset({Fault.STUCK}),
    Fault.LANE_SWAPPED: frozenset({Fault.DIRECTION_SWAPPED}),
    Fault.STUCK: frozenset({Fault.UNIT_SWAPPED}),
    Fault.INVALID: frozenset({Fault.TRUNCATED, Fault.WRONG_TYPE, Fault.INSUFFICIENT}),
}
"""By fault: what it explains, and what is therefore not told beside it."""

SPOILS: Final = frozenset(
    {
        Fault.STUCK,
        Fault.LOCKED_ON,
        Fault.CARD_OFF,
        Fault.CHATTER,
        Fault.MISMATCH,
        Fault.DRIFT,
        Fault.SENTINEL,
        Fault.UNIT_SWAPPED,
        Fault.LANE_SWAPPED,
        Fault.DIRECTION_SWAPPED,
        *SETS,
    }
)
"""Faults that spoil values (`analytics.remains` tells which). The others lose, repeat or delay messages that are right,
or give them a time that is minutes wrong; what comes under the name of one that speaks as another is its own."""

BY_ITSELF: Final = SPOILS - {Fault.LOCKED_ON, Fault.CARD_OFF, Fault.UNIT_SWAPPED, Fault.DRIFT}
"""Faults that spoil the flow that a loop tells. Not the first two, which are told by what others tell."""

FORGOTTEN: Final[Mapping[Fault, str]] = {
    Fault.STALE_RETAINED: "stale",
    Fault.OUT_OF_ORDER: "behind",
    Fault.SPIKE: "spikes",
    Fault.COUNTER_RESET: "restarts",
}
"""Faults that are told by an hour and more of the past, and the column of `Summary` that they are told by: what another
fault explained is forgotten, or its traces would be told when it is over."""

FAULTS: Final = tuple(fault for fault in Fault if fault.scope is Scope.SENSOR)
"""Those that are told here by sensor; of the silent only who was never heard: the others the engine tells, at once."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A fault that began (or is over) at `number` of a thing or place, found at `time_us`, there since `since_us`."""

    number: int
    fault: Fault
    time_us: int
    since_us: int
    began: bool


class Standing:
    """Which faults stand, for one group: (faults, things) booleans, and for how many bins their rules have not held.

    More than `OVER_BINS` make no difference.
    """

    def __init__(self, things: int, faults: tuple[Fault, ...] = FAULTS) -> None:
        self._faults = faults
        self._on = np.zeros((len(faults), things), np.bool_)
        self._calm = np.zeros((len(faults), things), np.int8)
        self._since = np.zeros((len(faults), things), np.int64)

    def of(self, fault: Fault) -> Mask:
        """Who has a fault, (things,)."""
        found: Mask = self._on[self._faults.index(fault)]
        return found

    def of_any(self, faults: Collection[Fault]) -> Mask:
        """Who has one of some faults, (things,)."""
        found: Mask = np.logical_or.reduce(self._on[[fault in faults for fault in self._faults]])
        return found

    def explained(self) -> Mask:
        """Which faults are explained by those that stand, (faults, things)."""
        return self._explained(self._on)

    def stand(self, fault: Fault, number: int, since_us: int) -> None:
        """Take over a fault that stood before: it is over like any other."""
        if fault in self._faults:
            place = self._faults.index(fault)
            self._on[place, number], self._since[place, number] = True, since_us
            self._calm[place, number] = min(self._calm[place, number], OVER_BINS - 1)

    def update(self, holds: Mapping[Fault, Mask], time_us: int, since_us: Int64 | int) -> Iterator[Turn]:
        """Take over which rules hold at the end of a bin; tell what began and what is over."""
        now = np.zeros_like(self._on)
        for fault in holds.keys() & set(self._faults):
            now[self._faults.index(fault)] = holds[fault]
        now &= ~self._explained(now | self._on)
        began = now & ~self._on
        np.minimum(self._calm + np.int8(1), OVER_BINS, out=self._calm)
        self._calm[now] = 0
        over = self._on & (self._calm >= OVER_BINS)
        np.copyto(self._since, since_us, where=began)
        self._on |= now
        self._on &= ~over
        for turned, is_new in ((over, False), (began, True)):
            for place in np.flatnonzero(turned.any(axis=1)).tolist():
                for number in np.flatnonzero(turned[place]).tolist():
                    since = int(self._since[place, number])
                    yield Turn(number, self._faults[place], time_us, since, began=is_new)

    def _explained(self, now: Mask) -> Mask:
        explained = np.zeros_like(now)
        for place in np.flatnonzero(now.any(axis=1)).tolist():
            for other in EXPLAINS.get(self._faults[place], ()):
                explained[self._faults.index(other)] |= now[place]
        return explained
