"""When a delivery is tried again, and when it is given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

FIRST_S = 1.0
LONGEST_S = 900.0
"""Between two tries: shorter hammers a receiver that is down for the night, longer leaves it without alerts for that
long after it is back."""
GIVEN_UP_AFTER = timedelta(hours=24)
"""Of failure without a success: shorter gives up on a weekend's repair begun on a Sunday, longer tells an operator so
late that nobody remembers the receiver."""
ASKED_MOST_S = 3600.0
"""The longest pause that a receiver may ask for (Retry-After)."""


def pause_s(failures: int, rng: Random, asked_s: float | None = None) -> float:
    """How long to wait after so many failures in a row: doubled each time, up to half taken away at random.

    The jitter keeps the receivers of a site that comes back from being called all at once.
    """
    full_s = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 30))
    jittered_s = full_s * (1 - rng.random() / 2)
    return max(jittered_s, min(asked_s or 0.0, ASKED_MOST_S))


def given_up(failing_since: datetime, now: datetime) -> bool:
    return now - failing_since >= GIVEN_UP_AFTER
