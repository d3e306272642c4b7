"""Which readings are congested by themselves: an alarm outlasts congestion by its off rule, an end does not."""

from __future__ import annotations

import numpy as np

from analytics.free_speed import in_use
from analytics.readings import Arrivals
from analytics.settings import Rule, Settings
from analytics.state import States
from analytics.stoppage import AT_WORK
from analytics.table import Mask
from sensors.level import Level

SLOW = np.float32(0.60)
"""Ratio of speed to free speed, or of a rate of work to the least that is normal, under which one reading is congested:
the level of that name (domain section 4)."""


def slow(settings: Settings, rows: Arrivals, after: States) -> Mask:
    """Tell which rows are; `after` are the states that they led to. What says nothing is as its level is held."""
    by_speed = settings.rule == Rule.SPEED
    least = SLOW * in_use(after, settings.free_kmh, settings.learn_readings)
    found: Mask = rows.observed < least
    if by_speed.all():
        return found
    under = (settings.rule == Rule.LIMITS) & (rows.observed < settings.congested)
    works = (settings.rule == Rule.WORK) & ((rows.observed >= SLOW * settings.free_kmh) | (rows.observed == AT_WORK))
    return np.where(by_speed, found, (after.level >= Level.CONGESTED) & ~(under | works))
