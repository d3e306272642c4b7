"""Free speed learnt from a sensor's own speeds, causally, where none is configured.

A running 85th percentile by stochastic approximation (Robbins and Monro 1951): every speed above the estimate lifts it
by 0.85 of a gain, every speed below lowers it by 0.15, so that it rests where 15 % are above. The 85th percentile is
the definition of the recordings' `free_speed_kmh` and of the domain's section 4.
"""

from __future__ import annotations

import numpy as np

from analytics.state import States
from analytics.table import Float32, Mask

SHARE_BELOW = np.float32(0.85)
"""Share of speeds below the free speed. Too low: every slow hour looks free; too high: one racer sets the scale."""

FIRST_GAIN_KMH = np.float32(40.0)
"""Gain after one speed, falling as 1/n: the best is 1 over the density at the quantile, 43 km/h for a spread of
10 km/h. Too low: the first speed sticks for days; too high: the first day is noise."""

LAST_GAIN_KMH = np.float32(0.02)
"""Gain that remains, so that road works move the free speed: at 30 s down 9 km/h a day at most, up 49. Too low: it
stays where it was; too high: a long jam becomes the norm."""

LEARN_S = 24 * 3600.0
"""Seconds of valid speeds before the learnt value is used: one day has both peaks and the night. Too low: a sensor
mounted in a jam takes it for free; too high: unknown for longer than needed."""

LOWEST_FREE_KMH = np.float32(10.0)
"""A learnt free speed under this is not one (a yard, a queue): the level stays unknown rather than always fluid."""


def learn(states: States, speed_kmh: Float32, learning: Mask) -> None:
    """Move the estimates of `learning` things by one speed each, in place; standing, empty and missing do not count."""
    use = learning & np.isfinite(speed_kmh) & (speed_kmh > 0)
    first = use & (states.learnt == 0)
    states.learnt += use
    gain = np.maximum(FIRST_GAIN_KMH / np.maximum(states.learnt, 1).astype(np.float32), LAST_GAIN_KMH)
    up = (speed_kmh > states.free_kmh).astype(np.float32)
    np.add(states.free_kmh, gain * (up - (1 - SHARE_BELOW)), out=states.free_kmh, where=use)
    np.copyto(states.free_kmh, speed_kmh, where=first)


def in_use(states: States, configured_kmh: Float32, learn_readings: Float32) -> Float32:
    """Return the free speed to judge by: the configured one, else the learnt one once it rests on enough, else NaN."""
    trusted = (states.learnt >= learn_readings) & (states.free_kmh >= LOWEST_FREE_KMH)
    return np.where(np.isnan(configured_kmh), np.where(trusted, states.free_kmh, np.float32(np.nan)), configured_kmh)
