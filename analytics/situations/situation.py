"""What is said of a situation: plain values, ready for the store, the feed and whoever words it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analytics.situations.cause import Cause, Hint
from sensors.level import Level


class Trend(StrEnum):
    """How its extent changed over the last minutes."""

    GROWING = "growing"
    STEADY = "steady"
    SHRINKING = "shrinking"


class State(StrEnum):
    """Open; clearing, when nothing in it is congested any more; a part of another one; ended."""

    OPEN = "open"
    CLEARING = "clearing"
    PART = "part"
    ENDED = "ended"


class Step(StrEnum):
    """What is announced of a situation."""

    BEGAN = "began"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Span:
    """A sensor was congested inside from its first to its last congested reading; None where it still is."""

    sensor: str
    from_us: int
    to_us: int | None


@dataclass(frozen=True, slots=True)
class Expectation:
    """When it will be over: `median_us` as likely before as after, from `low_us` to `high_us` 4 times of 5."""

    low_us: int
    median_us: int
    high_us: int


@dataclass(frozen=True, slots=True)
class Spillback:
    """What a queue reaches next.

    towards: the section that it grows onto then, None where no road leads there. site: where it is then. storage_m:
    what is between. filled: the share of it that the queue has taken. reaches_us: when it arrives, None: it is there.
    """

    towards: str | None
    site: str
    storage_m: float
    filled: float
    reaches_us: int | None


@dataclass(frozen=True, slots=True)
class Situation:
    """One congestion or stoppage as of `at_us`, microseconds since 1970 UTC.

    kind: of its places, `road` for sections and stations. level: of the worst sensor inside. sites: of places and
    sensors. places: sections, and the gates, blocks or cranes of a site; sensors: those that are congested there. head
    and tail: sections, sites or things. cause: what is named, causes: ranked hints. end_us: when it was over, None
    before. parent: the situation that it is a part of, or that brought it about.
    """

    id: str
    kind: str
    sites: tuple[str, ...]
    state: State
    level: Level
    at_us: int
    onset_us: int
    end_us: int | None
    places: tuple[str, ...]
    sensors: tuple[str, ...]
    head: str
    tail: str
    length_m: float | None
    trend: Trend
    cause: Cause
    causes: tuple[Hint, ...]
    parent: str | None
    spans: tuple[Span, ...]
    expected_end: Expectation | None = None
    delay_s: float | None = None
    lorry_hours: float | None = None
    spillback: Spillback | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One announcement; it holds from `situation.at_us` on."""

    step: Step
    situation: Situation
