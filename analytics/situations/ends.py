"""When situations will be over: what those that ended before teach, given how long this one has lasted.

Two laws, learnt apart by kind of place. Where an end can be foreseen (usual congestion ends, a queue drains), learnt is
by how much they miss it. Elsewhere the life of past ones is, those that began at a time like this one most, and the
longer one has lasted, the longer it will (durations have heavy tails: Giuliano, Transportation Research A 23, 1989;
Golob et al., Accident Analysis and Prevention 19, 1987). Both are conditioned on what is known: it lasted until its
last slow reading. Until enough have ended, a prior speaks; its weight is that of a few situations.

The range holds the end 4 times of 5. Its levels follow the share of those that it held (adaptive conformal inference:
Gibbs and Candes, NeurIPS 2021). All is learnt in order of event time, from what had ended by then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from math import exp
from typing import NamedTuple, TypedDict

from analytics.situations.situation import Expectation

MINUTE_US = 60 * 1_000_000

MOST = 200
"""Ended situations that are remembered of a kind: some weeks of a port. Fewer: noise; more: it is late to follow."""

PRIOR = 8.0
"""Situations that weigh as much as the prior. Fewer: the first odd one decides; more: what is learnt counts late (own
measurement: 4 to 16 differ by 3 min of 30)."""

ALIKE = 0.1
"""Width of the kernel by which past lives count, in usual speed over free speed when they began (own measurement: 0.05
to 0.15 give the same). Narrower: hardly one is like another; wider: a jam at noon is taken for one at night."""


class Lifetime(NamedTuple):
    """P(longer than t) = (1 + (t / scale_min) ** shape) ** -tail (Burr).

    A tail of 1 is log-logistic, with half over at the scale; a shape of 1 is Lomax.
    """

    scale_min: float
    shape: float
    tail: float = 1.0

    def after(self, age_min: float, level: float) -> float:
        """Return by which age a share `level` of those is over that have reached one."""
        grown = (1 + (age_min / self.scale_min) ** self.shape) * (1 - level) ** (-1 / self.tail)
        return self.scale_min * float((grown - 1) ** (1 / self.shape))


ANY = Lifetime(30.0, 1.0, 1.5)
"""Prior of a life of which nothing else is known: half are over 20 min after they were found, a tenth lasts 2 h more
(k; the literature above has medians of 20 to 60 min)."""

OF_STOPS = frozenset({"crane", "parking"})
"""Kinds of situations that are many stops: of them the end of the present one is expected (`stops`)."""

GUSTS = "crane gusts"
"""The law of cranes that stand in gusts, not in a gale or for what is wrong with them."""

SEEN_TO = 3.0
"""Shape of what lasts until somebody has seen to it: four of five within twice the median, more or less. Durations of
accidents are log-logistic or nearly so (Jones, Janssen and Mannering, Accident Analysis and Prevention 23, 1991). Own
measurement, 2026-11-28: at 3 the ranges held 0.95 of 78 queues at simulated gates, and were 1.5 h wide; at 4 0.90, and
1.2 h; by a Lomax law with the same median 0.97, and 5.5 h. Smaller: ranges that nobody plans with; larger: hardly one
is odd."""

LIFETIMES = {
    "road accident": Lifetime(44.0, SEEN_TO),
    "road lane_closed": Lifetime(70.0, SEEN_TO),
    "gate": Lifetime(50.0, SEEN_TO),
    "crane": Lifetime(115.0, SEEN_TO),
    "crane found": Lifetime(115.0, SEEN_TO),
    GUSTS: Lifetime(10.0, 1.0, 1.5),
    f"{GUSTS} found": Lifetime(50.0, 1.0, 1.5),
    "parking": Lifetime(8.5, 1.5, 1.5),
    "parking found": Lifetime(52.0, 1.5, 2.0),
    "yard": Lifetime(235.0, SEEN_TO),
    "reefer": Lifetime(88.0, SEEN_TO),
}
"""The same where more is known, by law or by kind (k): accidents block for 45 min, a closed lane for 70; queues of an
hour at gates; wind of two hours; a yard fills for half a day; somebody is at a rack after an hour and a half. Stops in
gusts and of full lorry parks are shorter (own measurement, 2026-11-28: half of 463 stops of cranes in eight times eight
simulated weeks were over within 5 min, a tenth went on for over 94; of 97 of parks half within 6, a tenth for over 19).
What stands already when it is first looked at is one of the long ones (the inspection paradox: Feller, An Introduction
to Probability Theory and Its Applications II, 1971): half of 76 such parks were full for another half-hour."""

MISSES_MIN = (-120.0, -60.0, -30.0, -10.0, 5.0, 20.0, 40.0, 75.0, 180.0)
"""Prior of the minutes by which a jam outlasts the foreseen end (k; half an hour either way, more to the late side)."""

MISSES_BY_HOUR_MIN = (-60.0, -45.0, -30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 45.0)
"""The same where that is half-way up between the usual speeds of two hours (own measurement, 2026-11-28: of 98 jams in
eight simulated weeks of the port a tenth ended 47 min before and more, half by 14 min before, a tenth 15 after)."""

POINTS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""Levels at which a prior of lives is sampled."""

OUTSIDE = 0.2
"""Share of the ends that a range may miss."""

GAIN = 0.05
"""By how much the share outside moves at each end, after Gibbs and Candes. Smaller: slow to follow; larger: ranges
swing with every end."""

LEAST_OUTSIDE, MOST_OUTSIDE = 0.02, 0.5


@dataclass(frozen=True, slots=True)
class Outset:
    """What an end is counted from, by which law, and how slow it usually is then: usual speed over free, 1 = unknown.

    from_us: the foreseen end, or where none is foreseen the onset. found: it stood already when it was first looked at.
    by_hour: the end is foreseen by what is usual in an hour, not in a quarter of one.
    """

    kind: str
    from_us: int
    foreseen: bool = False
    hour: float = 1.0
    found: bool = False
    by_hour: bool = False

    @property
    def law(self) -> str:
        if self.found:
            return f"{self.kind} found"
        if not self.foreseen:
            return self.kind
        return f"foreseen {self.kind} by the hour" if self.by_hour else f"foreseen {self.kind}"


@dataclass(slots=True)
class Life:
    """What is known of the end of one situation: expected now, and what was said first, by which it is learnt from.

    foreseen: the last end that was, and whether by the hour. inherited: lives of those that ended as a part of this
    one: they are over when it is.
    """

    foreseen: tuple[int, bool] | None = None
    looked_us: int = 0
    expected: Expectation | None = None
    first: tuple[Outset, Expectation] | None = None
    inherited: list[Life] = field(default_factory=list)


EndMemory = tuple[int, int, int] | None


class LifeMemory(TypedDict):
    """A `Life`."""

    foreseen: tuple[int, bool] | None
    looked_us: int
    expected: EndMemory
    first: tuple[tuple[str, int, bool, float, bool, bool], EndMemory] | None
    inherited: list[LifeMemory]


class EndsMemory(TypedDict):
    """By law: minutes and hour of each, in order of time; the share outside."""

    lives: dict[str, list[tuple[float, float]]]
    outside: dict[str, float]


class Ends:
    """What the situations of a zone taught."""

    def __init__(self) -> None:
        self._lives: dict[str, deque[tuple[float, float]]] = {}
        self._outside: dict[str, float] = {}

    def expect(self, outset: Outset, slow_us: int) -> Expectation:
        """Expect the end of a situation whose newest slow reading is `slow_us`."""
        reached = (slow_us - outset.from_us) / MINUTE_US
        past = self._lives.get(outset.law, ())
        known = [(minutes, _alike(hour, outset)) for minutes, hour in past if minutes >= reached]
        points = sorted([*known, *_prior(outset, reached)])
        tail = self._outside.get(outset.law, OUTSIDE) / 2
        low, median, high = (_quantile(points, level) for level in (tail, 0.5, 1 - tail))
        return Expectation(*(outset.from_us + round(minutes * MINUTE_US) for minutes in (low, median, high)))

    def learn(self, life: Life, end_us: int) -> None:
        """Take the end of one, and of those that were part of it."""
        for one in life.inherited:
            self.learn(one, end_us)
        if life.first is None:
            return
        outset, told = life.first
        minutes = (end_us - outset.from_us) / MINUTE_US
        self._lives.setdefault(outset.law, deque(maxlen=MOST)).append((minutes, outset.hour))
        missed = not told.low_us <= end_us <= told.high_us
        outside = self._outside.get(outset.law, OUTSIDE) + GAIN * (OUTSIDE - missed)
        self._outside[outset.law] = min(max(outside, LEAST_OUTSIDE), MOST_OUTSIDE)

    def memory(self) -> EndsMemory:
        return EndsMemory(lives={law: list(some) for law, some in self._lives.items()}, outside=dict(self._outside))

    def restore(self, memory: EndsMemory) -> None:
        lives = {law: ((minutes, hour) for minutes, hour in some) for law, some in memory["lives"].items()}
        self._lives = {law: deque(some, maxlen=MOST) for law, some in lives.items()}
        self._outside = dict(memory["outside"])


def _alike(hour: float, outset: Outset) -> float:
    """Weigh a past life; where an end is foreseen, that is what is alike."""
    return 1.0 if outset.foreseen else exp(-(((hour - outset.hour) / ALIKE) ** 2) / 2)


def _prior(outset: Outset, reached: float) -> Iterator[tuple[float, float]]:
    """Yield minutes and weights of the prior, given what was reached."""
    misses = MISSES_BY_HOUR_MIN if outset.by_hour else MISSES_MIN
    left = [minutes for minutes in misses if minutes >= reached] if outset.foreseen else []
    if left:
        yield from ((minutes, PRIOR / len(left)) for minutes in left)
    else:
        life = LIFETIMES.get(outset.law, LIFETIMES.get(outset.kind, ANY))
        yield from ((life.after(max(reached, 0.0), level), PRIOR / len(POINTS)) for level in POINTS)


def _quantile(points: list[tuple[float, float]], level: float) -> float:
    """Interpolate between the middles of weighted points in order."""
    total, below, before = sum(weight for _, weight in points), 0.0, None
    for minutes, weight in points:
        middle = (below + weight / 2) / total
        if middle >= level:
            if before is None:
                return minutes
            share = (level - before[0]) / (middle - before[0])
            return before[1] + share * (minutes - before[1])
        below, before = below + weight, (middle, minutes)
    return points[-1][0]


def written_end(end: Expectation | None) -> EndMemory:
    return None if end is None else (end.low_us, end.median_us, end.high_us)


def read_end(end: EndMemory) -> Expectation | None:
    return None if end is None else Expectation(*end)


def written_life(life: Life) -> LifeMemory:
    first = None
    if life.first is not None:
        outset, told = life.first
        first = (astuple(outset), written_end(told))
    return LifeMemory(
        foreseen=life.foreseen,
        looked_us=life.looked_us,
        expected=written_end(life.expected),
        first=first,
        inherited=[written_life(one) for one in life.inherited],
    )


def read_life(memory: LifeMemory) -> Life:
    foreseen = memory["foreseen"]
    life = Life(
        None if foreseen is None else (foreseen[0], foreseen[1]), memory["looked_us"], read_end(memory["expected"])
    )
    if memory["first"] is not None:
        outset, told = memory["first"]
        expected = read_end(told)
        life.first = (Outset(*outset), expected) if expected is not None else None
    life.inherited = [read_life(one) for one in memory["inherited"]]
    return life
