"""Levels by limits: a value, or a share of a capacity, against three limits (gates, parking, yards, any new kind).

The level rises when the value reaches a limit and falls when it is clearly under it; the alarm is open at congested or
worse. Counts and waits are integrated by their nature, so nothing is smoothed and nothing needs confirmation.
"""

from __future__ import annotations

import numpy as np

from analytics.settings import Settings
from analytics.state import States
from analytics.table import Float32, Int8, Mask
from sensors.level import Level

RELEASE = np.float32(0.95)
"""Share of a limit under which its level ends (own choice: 5 % of a car park is the lorries of a few minutes). Nearer
to 1: the level chatters around the limit; much lower: it outlasts the congestion."""


def observed(value: Float32, whole: Float32 | None) -> Float32:
    """Reduce readings to what is limited: the value itself, or its share of `whole`; NaN where there is none."""
    if whole is None:
        return np.where(np.isfinite(value), value, np.float32(np.nan))
    share = np.full(value.shape, np.nan, np.float32)
    with np.errstate(over="ignore", under="ignore"):
        np.divide(value, whole, out=share, where=np.isfinite(value) & np.isfinite(whole) & (whole > 0))
    share[~np.isfinite(share)] = np.nan
    return share


def judge(states: States, settings: Settings, value: Float32) -> Mask:
    """Step level and alarm by one value each, in place; return who had a usable one. Shapes (things,)."""
    valid = ~np.isnan(value)
    reached = _reached(settings, value, np.float32(1))
    kept = np.minimum(np.maximum(states.level, states.alarm), _reached(settings, value, RELEASE))
    level = np.maximum(reached, kept)
    np.copyto(states.value, value, where=valid)
    np.copyto(states.level, level, where=valid)
    np.copyto(states.alarm, level * (level >= Level.CONGESTED), where=valid)
    return valid


def _reached(settings: Settings, value: Float32, share: np.float32) -> Int8:
    limits = (settings.dense, settings.congested, settings.jammed)
    reached: Int8 = np.add.reduce([value >= limit * share for limit in limits], axis=0, dtype=np.int8)
    return reached
