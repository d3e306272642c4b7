"""Faults at random: at a share of the sensors, one each, the faults in turn, some of them during congestion."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import numpy as np

from sensors.catalogue import Catalogue
from sensors.fault import Fault, Scope
from simulators.faults.injection import Injection, places, touched
from simulators.faults.profiles import PROFILES
from simulators.faults.sense import kind_of, objection
from simulators.faults.sizes import SIZES

WINDOW_S: Final = 7200.0
"""The longest detection window of a fault, but for those of `SLOW`."""

SLOW: Final = frozenset({Fault.DRIFT, Fault.CLOCK_DRIFT, Fault.DAYLIGHT_SAVING})
"""These need days to show: in a run of days they last over most of it."""
_DAYS_S: Final = 3 * 86_400.0

_SHORT: Final = 0.1
"""Share of the faults that end within the window: that a fault ends is worth a test too."""
_LONGER: Final = 1.1
_LONGEST: Final = 4.0
_LONGEST_WIDE: Final = 1.5
"""Windows that the others last; those of a whole place less, because they leave nobody who could see the road."""
_OF_RUN: Final = 0.8
"""Of a run at most, so that there are readings before and after."""

_CONGESTED: Final = 0.25
"""Least share of the chosen sensors whose fault lies in a span of congestion."""

_TRIES: Final = 8
"""Starts that are tried at one place."""

_EXACT: Final = 1e-9
"""A share of 0.1 of 90 are 9, whatever floats make of it."""

_T = TypeVar("_T")

Span = tuple[str, float, float]
"""A sensor, and from when to when it is congested."""


def random_injections(
    catalogue: Catalogue,
    *,
    share: float,
    start_s: float,
    end_s: float,
    rng: np.random.Generator,
    congested: Sequence[Span] = (),
    whats: Sequence[Fault] = tuple(Fault),
) -> tuple[Injection, ...]:
    """Faults for `share` of all that speaks (sensors and corridors), in the order in which they begin.

    At least a quarter of them are on during one of the spans in `congested`, as far as there are sensors for it. The
    faults of `whats` come in a random order, each once before any comes again; one that there is no room for gives way
    to the next. A site or a basin that is down counts as one. Most last longer than `WINDOW_S`, in a run that does.
    """
    chance = _Chance(catalogue, start_s, end_s, rng, whats)
    count = math.ceil(share * len(chance.things) - _EXACT)
    during = chance.inside(congested)
    for span in during:
        if len(chance.made) < _CONGESTED * count:
            chance.add_during(span)
    chance.add_wide(count)  # now, while there is room for them
    while len(chance.made) < count and chance.add():
        pass
    return tuple(sorted(chance.made, key=lambda one: (one.start_s, one.where)))


class _Chance:
    """What is made so far, and whose turn it is."""

    def __init__(
        self, catalogue: Catalogue, start_s: float, end_s: float, rng: np.random.Generator, whats: Sequence[Fault]
    ) -> None:
        self._catalogue, self._start_s, self._end_s, self._rng = catalogue, start_s, end_s, rng
        readers = {corridor.reader for corridor in catalogue.corridors}
        speaking = [name for name in places(Scope.SENSOR, catalogue) if name not in readers]
        self.things = [name for name in speaking if kind_of(catalogue, name) in PROFILES]
        self._turns = self._shuffled(tuple(dict.fromkeys(whats)))
        self._chosen: set[str] = set()
        self._taken: dict[str, list[Injection]] = defaultdict(list)
        self.made: list[Injection] = []

    def inside(self, congested: Sequence[Span]) -> list[Span]:
        """One span of each sensor that is congested within the run, in random order."""
        known = set(self.things)
        inside = [span for span in congested if span[0] in known and self._start_s < span[2] and span[1] < self._end_s]
        return list({span[0]: span for span in self._shuffled(inside)}.values())

    def add_wide(self, count: int) -> None:
        """Those that befall a place, when their turn comes before `count` are made."""
        turns = self._turns[: count - len(self.made)]
        for what in [what for what in turns if what.scope is not Scope.SENSOR]:
            self._place(what, self._shuffled(places(what.scope, self._catalogue)), self._anywhere)

    def add_during(self, span: Span) -> bool:
        """The next fault that its sensor can have, on at some instant of the span."""

        def start_s(lasts_s: float) -> float:
            instant_s = self._rng.uniform(max(span[1], self._start_s), min(span[2], self._end_s))
            return float(np.clip(instant_s - self._rng.random() * lasts_s, self._start_s, self._end_s - lasts_s))

        return any(self._place(what, self._suited(what, [span[0]]), start_s) for what in self._of_sensors())

    def add(self) -> bool:
        """The next fault for which there is room, at a sensor that has none."""
        return any(self._place(what, self._suited(what, self.things), self._anywhere) for what in self._of_sensors())

    def _of_sensors(self) -> list[Fault]:
        return [what for what in self._turns if what.scope is Scope.SENSOR]

    def _suited(self, what: Fault, things: Iterable[str]) -> list[str]:
        free = (thing for thing in things if thing not in self._chosen)
        return self._shuffled([thing for thing in free if objection(what, thing, self._catalogue) is None])

    def _place(self, what: Fault, wheres: Iterable[str], start_s: Callable[[float], float]) -> bool:
        return any(self._accept(what, where, start_s) for where in wheres for _ in range(_TRIES))

    def _accept(self, what: Fault, where: str, start_s: Callable[[float], float]) -> bool:
        """Draw a span and a size; take them unless a thing that is touched has another fault then."""
        lasts_s = self._lasts_s(what)
        from_s = start_s(lasts_s)
        injection = Injection(what, where, math.ceil(from_s), math.floor(from_s + lasts_s), self._size(what, where))
        things = touched(injection, self._catalogue)
        if not things or any(_meets(injection, other) for thing in things for other in self._taken[thing]):
            return False
        for thing in things:
            self._taken[thing].append(injection)
        self._chosen.add(where)
        self.made.append(injection)
        self._turns.append(self._turns.pop(self._turns.index(what)))
        return True

    def _size(self, what: Fault, where: str) -> float | None:
        if what not in SIZES or (what is Fault.MISMATCH and kind_of(self._catalogue, where) != "traffic"):
            return None
        return SIZES[what].draw(self._rng)

    def _anywhere(self, lasts_s: float) -> float:
        return float(self._rng.uniform(self._start_s, self._end_s - lasts_s))

    def _lasts_s(self, what: Fault) -> float:
        run_s, most = self._end_s - self._start_s, _OF_RUN * (self._end_s - self._start_s)
        if (what in SLOW and run_s >= _DAYS_S) or most <= _LONGER * WINDOW_S:
            return float(self._rng.uniform(most / 2, most))
        if self._rng.random() < _SHORT:
            return float(self._rng.uniform(WINDOW_S / 4, WINDOW_S))
        longest = _LONGEST if what.scope is Scope.SENSOR else _LONGEST_WIDE
        return float(self._rng.uniform(_LONGER * WINDOW_S, min(most, longest * WINDOW_S)))

    def _shuffled(self, some: Sequence[_T]) -> list[_T]:
        return [some[place] for place in self._rng.permutation(len(some)).tolist()]


def _meets(one: Injection, other: Injection) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s
