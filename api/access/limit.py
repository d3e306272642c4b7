"""How often a key may ask: a bucket that fills evenly, and the headers that say how full it is.

The headers are those of the IETF draft ratelimit-headers (up to its 7th version, which is what clients read), with
`Retry-After` of RFC 9110 on a refusal. Each process counts for itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from api.access.caller import Caller

WINDOW_S = 60.0
_MOST = 10_000
"""Buckets that are kept: a full one is worth nothing and is dropped first."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request. wait_s: until the next is let in, 0 where this one is."""

    limit: int
    left: int
    full_in_s: float
    wait_s: float

    def headers(self) -> dict[str, str]:
        found = {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(self.left),
            "ratelimit-reset": str(math.ceil(self.full_in_s)),
            "ratelimit-policy": f"{self.limit};w={WINDOW_S:.0f}",
        }
        return found | ({"retry-after": str(math.ceil(self.wait_s))} if self.wait_s else {})


class Limiter:
    """One bucket a caller: a minute's worth may be used at once, then it fills again."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: dict[int, tuple[float, float]] = {}

    def take(self, caller: Caller) -> Allowance:
        """Count one request; a refused one costs nothing."""
        limit, now = caller.per_minute, self._monotonic()
        per_s = limit / WINDOW_S
        level, at = self._buckets.get(caller.id, (float(limit), now))
        level = min(float(limit), level + (now - at) * per_s)
        wait_s = 0.0 if level >= 1 else (1 - level) / per_s
        level -= 0 if wait_s else 1
        self._buckets[caller.id] = (level, now)
        if len(self._buckets) > _MOST:
            self._buckets.clear()
        return Allowance(limit, int(level), (limit - level) / per_s, wait_s)
