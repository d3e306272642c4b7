"""Which parts are killed when: decided beforehand by a seed, so that a run that found something is repeated. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from math import ceil
from random import Random

BACKLOG = 10_000
"""Messages that wait in the broker before a kill in a backlog."""
_ROOM = 5_000
"""Messages to be published beyond a backlog, so that the run goes on after it."""


class Strike(enum.Enum):
    """What is killed; the value is how many kills that makes."""

    INGESTOR = "ingestor"
    DATABASE = "database"
    BROKER = "broker"
    BROKER_WITHOUT_DATABASE = "broker in a backlog, database down"
    BROKER_WITHOUT_INGESTORS = "broker in a backlog, both ingestors down"

    @property
    def kills(self) -> int:
        return _KILLS.get(self, 1)

    @property
    def in_backlog(self) -> bool:
        return self in _KILLS


_KILLS = {Strike.BROKER_WITHOUT_DATABASE: 2, Strike.BROKER_WITHOUT_INGESTORS: 3}


@dataclass(frozen=True, slots=True)
class Planned:
    """One strike, due once so many messages are published."""

    at: int
    strike: Strike


def plan(messages: int, kills: int, rng: Random) -> list[Planned]:
    """Exactly `kills` kills at random moments; of those of the broker at least a third happen in a backlog."""
    strikes = _strikes(kills, rng)
    rng.shuffle(strikes)
    times = sorted(rng.randint(messages // 20, max(messages // 20, messages * 17 // 20)) for _ in strikes)
    latest = max(0, messages - BACKLOG - _ROOM)
    moments = [min(at, latest) if strike.in_backlog else at for at, strike in zip(times, strikes, strict=True)]
    return sorted((Planned(at, strike) for at, strike in zip(moments, strikes, strict=True)), key=lambda p: p.at)


def _strikes(kills: int, rng: Random) -> list[Strike]:
    brokers = max(1, kills // 3)
    both = [Strike.BROKER_WITHOUT_DATABASE, Strike.BROKER_WITHOUT_INGESTORS]
    backlogged = [both[number % 2] for number in range(ceil(brokers / 3))]
    left = kills - sum(strike.kills for strike in backlogged)
    if left < 0:
        return [rng.choice([Strike.INGESTOR, Strike.DATABASE]) for _ in range(kills)]
    plain = [Strike.BROKER] * min(left, brokers - len(backlogged))
    others = [rng.choice([Strike.INGESTOR, Strike.DATABASE]) for _ in range(left - len(plain))]
    return backlogged + plain + others
