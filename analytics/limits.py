"""Levels by limits: a value, or a share of a capacity, against three limits (gates, parking, yards, any new kind).

The level rises at once when the value reaches a limit, and falls when it has been clearly under it for
`interval.FALL_S`; the alarm is open at congested or worse. Counts and waits are integrated by their nature, so nothing
is smoothed and nothing needs confirmation to rise.
"""

from __future__ import annotations

import numpy as np

from analytics.settings import Settings
from analytics.state import States
from analytics.table import Float32, Int8, Mask
from sensors.level import Level

RELEASE = np.float32(0.95)
"""Share of a limit under which its level ends (own choice: 5 % of a car park is the lorries of a few minutes). Nearer
to 1: the level chatters around the limit; much lower: a yard, which empties over days, stays congested for days."""

_ALL = np.float32(1)


def observed(value: Float32, whole: Float32 | None) -> Float32:
    """Reduce readings to what is limited: the value itself, or its share of `whole`; NaN where there is none."""
    if whole is None:
        return np.where(np.isfinite(value), value, np.float32(np.nan))
    share = np.full(value.shape, np.nan, np.float32)
    with np.errstate(over="ignore", under="ignore"):
        np.divide(value, whole, out=share, where=np.isfinite(value) & np.isfinite(whole) & (whole > 0))
    share[~np.isfinite(share)] = np.nan
    return share


def wait_s(waiting: Float32, lanes: Float32, service_s: Float32) -> Float32:
    """How long who waits will wait at the rate of service, (n,); NaN where nobody can say, closed lanes among it."""
    known = np.isfinite(waiting) & np.isfinite(lanes) & np.isfinite(service_s) & (lanes > 0) & (service_s > 0)
    wait: Float32 = np.full(waiting.shape, np.nan, np.float32)
    with np.errstate(over="ignore"):
        np.divide(waiting * service_s, lanes, out=wait, where=known & (waiting >= 0))
    return np.where(np.isfinite(wait), wait, np.float32(np.nan))


def judge(states: States, settings: Settings, value: Float32) -> Mask:
    """Step level and alarm by one value each, in place; return who had a usable one. Shapes (things,)."""
    valid = ~np.isnan(value)
    held, left = np.maximum(states.level, states.alarm), reached(settings, value, RELEASE)
    np.copyto(states.high, (states.high + 1) * (left < held), where=valid)
    np.minimum(states.high, settings.confirm_off, out=states.high)
    kept = np.where(states.high >= settings.confirm_off, np.minimum(held, left), held)
    level = np.maximum(reached(settings, value), kept)
    np.copyto(states.value, value, where=valid)
    np.copyto(states.level, level, where=valid)
    np.copyto(states.alarm, level * (level >= Level.CONGESTED), where=valid)
    return valid


def reached(settings: Settings, value: Float32, share: np.float32 = _ALL) -> Int8:
    """The level whose limit, or `share` of it, a value has reached, (things,)."""
    limits = (settings.dense, settings.congested, settings.jammed)
    level: Int8 = np.add.reduce([value >= limit * share for limit in limits], axis=0, dtype=np.int8)
    return level
