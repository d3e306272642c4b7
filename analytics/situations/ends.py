"""When situations will be over: what those that ended before teach, given how long this one has lasted.

Two laws, learnt apart by kind of place. Where this hour of the week is usually congested, a jam ends around the time at
which that usually ends: learnt is by how much they miss it. Elsewhere the life of past ones is, and the longer one has
lasted, the longer it will (durations have heavy tails: Giuliano, Transportation Research A 23, 1989; Golob et al.,
Accident Analysis and Prevention 19, 1987). Both are conditioned on what is known: it lasted until its last slow
reading. Until enough have ended, a prior speaks; its weight is that of a few situations.

The range holds the end 4 times of 5. Its levels follow the share of those that it held (adaptive conformal inference:
Gibbs and Candes, NeurIPS 2021). All is learnt in order of event time, from what had ended by then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp
from typing import TypedDict

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

SCALE_MIN, TAIL = 30.0, 1.5
"""Prior of a life, P(longer than a + r | a) = (1 + r / (a + SCALE_MIN)) ** -TAIL (Lomax): half are over 20 min after
they were found, a tenth lasts 2 h more (k; the literature above has medians of 20 to 60 min)."""

MISSES_MIN = (-120.0, -60.0, -20.0, 0.0, 15.0, 30.0, 50.0, 90.0, 240.0)
"""Prior of the minutes by which a jam outlasts the usual end: queues dissolve after it (k)."""

POINTS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""Levels at which a prior of lives is sampled."""

OUTSIDE = 0.2
"""Share of the ends that a range may miss."""

GAIN = 0.05
"""By how much the share outside moves at each end, after Gibbs and Candes. Smaller: slow to follow; larger: ranges
swing with every end."""

LEAST_OUTSIDE, MOST_OUTSIDE = 0.02, 0.5


@dataclass(slots=True)
class Life:
    """What is known of the end of one situation: expected now, and what was said first, by which it is learnt from.

    hour: usual speed over free speed when it began, 1 where that is not known. usual_end_us: when it is usually over,
    None where this hour is not usually congested. inherited: lives of those that ended as a part of this one: they are
    over when it is.
    """

    kind: str
    onset_us: int
    hour: float = 1.0
    usual_end_us: int | None = None
    first: Expectation | None = None
    first_usual_us: int | None = None
    looked_us: int = 0
    expected: Expectation | None = None
    inherited: list[Life] = field(default_factory=list)


EndMemory = tuple[int, int, int] | None


class LifeMemory(TypedDict):
    """A `Life`."""

    kind: str
    onset_us: int
    hour: float
    usual_end_us: int | None
    first: EndMemory
    first_usual_us: int | None
    looked_us: int
    expected: EndMemory
    inherited: list[LifeMemory]


class EndsMemory(TypedDict):
    """By kind, `usual ` before it for the first law: minutes and `Life.hour` in order of time; the share outside."""

    lives: dict[str, list[tuple[float, float]]]
    outside: dict[str, float]


class Ends:
    """What the situations of a zone taught."""

    def __init__(self) -> None:
        self._lives: dict[str, deque[tuple[float, float]]] = {}
        self._outside: dict[str, float] = {}

    def expect(self, life: Life, slow_us: int) -> Expectation:
        """Expect the end of a situation whose newest slow reading is `slow_us`."""
        law, from_us = _law(life.kind, life.usual_end_us), _from_us(life.onset_us, life.usual_end_us)
        reached = (slow_us - from_us) / MINUTE_US
        past = self._lives.get(law, ())
        known = [(minutes, _alike(hour, life)) for minutes, hour in past if minutes >= reached]
        points = sorted([*known, *_prior(reached, usual=life.usual_end_us is not None)])
        tail = self._outside.get(law, OUTSIDE) / 2
        low, median, high = (from_us + round(_quantile(points, at) * MINUTE_US) for at in (tail, 0.5, 1 - tail))
        return Expectation(low, median, high)

    def learn(self, life: Life, end_us: int) -> None:
        """Take the end of one, and of those that were part of it."""
        for one in life.inherited:
            self.learn(one, end_us)
        if life.first is None:
            return
        law = _law(life.kind, life.first_usual_us)
        from_us = _from_us(life.onset_us, life.first_usual_us)
        self._lives.setdefault(law, deque(maxlen=MOST)).append(((end_us - from_us) / MINUTE_US, life.hour))
        missed = not life.first.low_us <= end_us <= life.first.high_us
        outside = self._outside.get(law, OUTSIDE) + GAIN * (OUTSIDE - missed)
        self._outside[law] = min(max(outside, LEAST_OUTSIDE), MOST_OUTSIDE)

    def memory(self) -> EndsMemory:
        return EndsMemory(lives={law: list(some) for law, some in self._lives.items()}, outside=dict(self._outside))

    def restore(self, memory: EndsMemory) -> None:
        lives = {law: ((minutes, hour) for minutes, hour in some) for law, some in memory["lives"].items()}
        self._lives = {law: deque(some, maxlen=MOST) for law, some in lives.items()}
        self._outside = dict(memory["outside"])


def _law(kind: str, usual_end_us: int | None) -> str:
    return kind if usual_end_us is None else f"usual {kind}"


def _from_us(onset_us: int, usual_end_us: int | None) -> int:
    return onset_us if usual_end_us is None else usual_end_us


def _alike(hour: float, life: Life) -> float:
    """Weigh a past life; where an end is usual, that is what is alike."""
    return 1.0 if life.usual_end_us is not None else exp(-(((hour - life.hour) / ALIKE) ** 2) / 2)


def _prior(reached: float, *, usual: bool) -> Iterator[tuple[float, float]]:
    """Yield minutes and weights of the prior, given what was reached."""
    left = [minutes for minutes in MISSES_MIN if minutes >= reached] if usual else []
    if left:
        yield from ((minutes, PRIOR / len(left)) for minutes in left)
    else:
        age = max(reached, 0.0)
        for level in POINTS:
            more = (age + SCALE_MIN) * ((1 - level) ** (-1 / TAIL) - 1)
            yield age + more, PRIOR / len(POINTS)


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
    return LifeMemory(
        kind=life.kind,
        onset_us=life.onset_us,
        hour=life.hour,
        usual_end_us=life.usual_end_us,
        first=written_end(life.first),
        first_usual_us=life.first_usual_us,
        looked_us=life.looked_us,
        expected=written_end(life.expected),
        inherited=[written_life(one) for one in life.inherited],
    )


def read_life(memory: LifeMemory) -> Life:
    life = Life(memory["kind"], memory["onset_us"], memory["hour"], memory["usual_end_us"])
    life.first, life.first_usual_us = read_end(memory["first"]), memory["first_usual_us"]
    life.looked_us, life.expected = memory["looked_us"], read_end(memory["expected"])
    life.inherited = [read_life(one) for one in memory["inherited"]]
    return life
