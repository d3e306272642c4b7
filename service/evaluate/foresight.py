"""Scores of forecasts: how far off, how often inside the interval, and how wide that had to be.

Beside each forecast stand two that anybody could make: keep the last value, or take the usual one. They get intervals
too, of the same 80 %, calibrated by the same rule on each station as time passes, so the comparison is fair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.evaluate.runs import Mask

Speeds = NDArray[np.float32]
Errors = dict[str, float]

OUTSIDE = 0.2
"""Share of outcomes that an interval of 80 % may miss."""

_FIRST_MARGIN_KMH = 10.0
_GAIN = 0.03


class Interval(NamedTuple):
    """A forecast made at each time for one later time, (times, stations) in km/h; NaN = none was made."""

    speed: Speeds
    low: Speeds
    high: Speeds


def errors(made: Interval, speed: Speeds, congested: Mask | None, steps: int) -> Errors:
    """Score forecasts for `steps` later against the speeds that came; `congested` is the truth at those times."""
    came, (ahead, low, high) = speed[steps:], (part[: len(part) - steps] for part in made)
    known = np.isfinite(came) & np.isfinite(low) & np.isfinite(high)
    off, inside = np.abs(ahead - came), (came >= low) & (came <= high)
    winkler = high - low + 2 / OUTSIDE * (np.maximum(low - came, 0) + np.maximum(came - high, 0))
    jammed = known & congested[steps:] if congested is not None else np.zeros_like(known)
    return {
        "mae": _mean(off, known),
        "mae_congested": _mean(off, jammed),
        "coverage": _mean(inside, known),
        "coverage_congested": _mean(inside, jammed),
        "winkler": _mean(winkler, known),
    }


def _mean(values: NDArray[np.floating] | Mask, where: Mask) -> float:
    return float(values[where].mean(dtype=np.float64)) if where.any() else float("nan")


def calibrated(ahead: Speeds, speed: Speeds, steps: int) -> Interval:
    """Put an interval around forecasts for `steps` later: margins per station that follow what has come so far."""
    below, above = (np.full(ahead.shape[1], _FIRST_MARGIN_KMH) for _ in range(2))
    low, high = np.empty_like(ahead), np.empty_like(ahead)
    for now in range(len(ahead)):
        if now >= steps:
            off = speed[now] - ahead[now - steps]
            below *= _factor(-off > below, off)
            above *= _factor(off > above, off)
        low[now], high[now] = np.maximum(ahead[now] - below, 0), ahead[now] + above
    return Interval(ahead, low, high)


def _factor(missed: Mask, off: Speeds) -> NDArray[np.float64]:
    return np.where(np.isfinite(off), np.exp(_GAIN * (missed - OUTSIDE / 2)), 1.0)


def later(values: Speeds, steps: int) -> Speeds:
    """What is said of each time `steps` later; NaN beyond the end."""
    moved = np.full_like(values, np.nan)
    moved[: len(values) - steps] = values[steps:]
    return moved
