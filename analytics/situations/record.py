"""What is known of one open situation, from step to step."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from analytics.situations.cause import UNJUDGED, Verdict
from analytics.situations.ends import OF_STOPS, Life
from analytics.situations.extent import NOWHERE, Extent
from analytics.situations.situation import Expectation, State, Trend
from analytics.situations.tracker import Identity

TREND_US = 10 * 60 * 1_000_000
"""Microseconds over which growing and shrinking are told. Shorter: every wave is a trend; longer: old news."""

STEADY_SHARE = 0.1
"""Change under which a situation is steady. Smaller: it is never steady; larger: a slow growth is missed."""

REACH_US = 5 * 60 * 1_000_000
"""Microseconds until a new reach is announced after the last announcement: a station that comes and goes at the tail
must not speak every step. Shorter: chatter; longer: the operator knows late how far it is."""

YOUNG_US = 15 * 60 * 1_000_000
"""Microseconds for which a situation is looked at in every step. Shorter: a cause that shows late is told later still;
longer: more work with many situations."""

MOST_WEIGHED = 20
"""Causes that are weighed in one step, those that have waited longest first: more than a port ever has at once, and few
enough that 90,000 sensors stay within their step. Fewer: a port's causes wait."""

STEP_US = 30 * 1_000_000
"""Microseconds between steps: the shortest period of the port's sensors. Shorter: the same again; longer: late news."""

Stay = tuple[int, int | None]
"""From when until when a thing was congested inside, None = it still is."""

Facts = tuple[int, str | None, str, frozenset[int]]
"""Level, parent, cause and things, as announced."""


@dataclass(slots=True)
class Record:
    """places: inside. things: congested there. stays: of every thing that ever was, in order of time.

    amounts: how large it was, from when on; what is counted does not matter, only its change. told: what was announced
    last, and when. born_us: the step in which it was found. delay_s, lorry_s: seconds of vehicles and of lorries lost.
    """

    identity: Identity
    kind: str
    born_us: int = 0
    weighed_us: int = 0
    places: tuple[int, ...] = ()
    things: tuple[int, ...] = ()
    level: int = 0
    host: str | None = None
    parent: str | None = None
    verdict: Verdict = UNJUDGED
    extent: Extent = NOWHERE
    stays: dict[int, list[Stay]] = field(default_factory=dict)
    amounts: deque[tuple[int, float]] = field(default_factory=deque)
    told: Facts = (0, None, "", frozenset())
    told_us: int = 0
    told_end: Expectation | None = None
    delay_s: float | None = None
    lorry_s: float | None = None
    life: Life = field(default_factory=Life)

    @property
    def state(self) -> State:
        if self.host is not None:
            return State.PART
        return State.OPEN if self.things else State.CLEARING

    def enter(self, thing: int, from_us: int) -> None:
        self.stays.setdefault(thing, []).append((from_us, None))

    def leave(self, thing: int, to_us: int) -> None:
        """End the stay that stands; one that was over before it began is not kept."""
        from_us, _ = self.stays[thing].pop()
        if to_us >= from_us:
            self.stays[thing].append((from_us, to_us))
        elif not self.stays[thing]:
            del self.stays[thing]

    def end_us(self) -> int | None:
        """Return when the last thing left, None while one is inside."""
        ends = [to_us for stays in self.stays.values() for _, to_us in stays]
        known = [to_us for to_us in ends if to_us is not None]
        return None if len(known) < len(ends) else max(known, default=self.identity.onset_us)

    def grow(self, at_us: int, amount: float) -> None:
        """Note its present size."""
        if not self.amounts or self.amounts[-1][1] != amount:
            self.amounts.append((at_us, amount))
        while len(self.amounts) > 1 and self.amounts[1][0] <= at_us - TREND_US:
            self.amounts.popleft()

    def trend(self, at_us: int) -> Trend:
        """Compare its size with that of some minutes ago; what began since then grows, what clears shrinks."""
        if not self.things and self.host is None:
            return Trend.SHRINKING
        before = [amount for since_us, amount in self.amounts if since_us <= at_us - TREND_US]
        if not before:
            return Trend.GROWING
        then, now = before[-1], self.amounts[-1][1]
        if abs(now - then) <= STEADY_SHARE * max(then, now):
            return Trend.STEADY
        return Trend.GROWING if now > then else Trend.SHRINKING

    def facts(self) -> Facts:
        return self.level, self.host or self.parent, self.verdict.named.value, frozenset(self.things)

    def worth_telling(self, at_us: int) -> bool:
        """Tell whether an operator would want to know what changed since the last announcement."""
        level, parent, cause, _ = self.told
        if level != self.level or cause != self.verdict.named or parent != (self.host or self.parent):
            return True
        if self.kind in OF_STOPS and self.told_end is None and self.life.expected is not None:
            return True
        if not self.things or at_us < self.told_us + REACH_US:
            return False
        return frozenset(self.things) != self.told[3] or self._ends_elsewhere()

    def _ends_elsewhere(self) -> bool:
        """Tell whether the end is now expected outside of the range that was told."""
        told, now = self.told_end, self.life.expected
        return told is not None and now is not None and not told.low_us <= now.median_us <= told.high_us

    def due(self, at_us: int) -> bool:
        """Tell whether its cause should be weighed again: every step while it is young, then every 5 min."""
        young = at_us - self.born_us <= YOUNG_US
        return young or at_us >= self.weighed_us + REACH_US
