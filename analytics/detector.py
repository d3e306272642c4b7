"""The two-threshold traffic detector: congestion from an exponentially weighted speed ratio.

r = speed / free speed is smoothed by the weight w, r' = r' + w (r - r'). An alarm opens when r and r' have both been
under `ON` for `confirm_on` readings, or for half of them when r' is under `AT_ONCE`; it closes when r' has been over
`OFF` for `confirm_off` readings. That r itself must be low keeps the tail of one deep dip from confirming it. Weight
and confirmations follow from the interval alone (`analytics.interval`). `docs/detection.md` has sources and scores.
Missing values leave everything as it was; a reading that comes after a few missing ones counts for them in closing.
"""

from __future__ import annotations

import numpy as np

from analytics import free_speed
from analytics.settings import Settings
from analytics.state import States
from analytics.table import Float32, Int8, Int16, Mask
from sensors.level import Level

ON = np.float32(0.62)
"""Ratio under which confirmations count. Too low: late and missed; too high: slow traffic alarms."""

OFF = np.float32(0.75)
"""Ratio over which the closing counts (0.72 to 0.78 work). Too low: one jam, several alarms; too high: it lingers."""

AT_ONCE = np.float32(0.40)
"""Ratio that needs half the confirmations. Too high: a single bad reading opens an alarm; too low: sudden jams wait."""

FLUID = np.float32(0.75)
"""Ratio from which the shown level is fluid (domain section 4); under it dense, worse only by an open alarm."""

JAM_BELOW = np.float32(0.35)
"""Ratio under which an open alarm is jammed (domain section 4)."""

JAM_UNTIL = np.float32(0.45)
"""Ratio from which it is congested again (own measurement: 16 % fewer changes than with 0.40, and little more to win
above). At `JAM_BELOW` the two would alternate; near `ON` a jam that dissolves stays one to its end."""

CAP = np.float32(1.0)
"""Highest ratio that counts: faster than free is no freer. Higher: one racer hides the first reading of a jam."""

STANDING_OCCUPANCY_PCT = 80.0
"""Occupancy from which a lane that passes nothing is full of standing vehicles (fixed for this port; healthy lanes
stay under 60 %, domain section 1). Too low: one parked lorry is a jam; too high: gaps between lorries hide one."""

COVERED_PCT = 95.0
"""Occupancy from which a lane is covered all the time: moving traffic leaves gaps (domain section 3). Higher: a locked
loop that flickers is believed at once; lower: queues that stop and go wait for a witness."""

EMPTY_OCCUPANCY_PCT = 5.0
"""Occupancy under which a lane that passes nothing is empty: a car at walking pace already gives 13 %. Too low: empty
nights are unknown; too high: a lorry that stops for seconds beside the loop looks like a free road."""

HIGHEST_KMH = 250.0
"""Speed above which it is not one, whatever the kind's own range says."""


def observed(speed_kmh: Float32, occupancy_pct: Float32, flow_veh_h: Float32) -> Float32:
    """Reduce readings to the speed they tell of: 0 standing traffic, inf an empty road, NaN nothing usable.

    Standing lorries and an empty road both pass nothing and have no speed; only occupancy tells them apart, and what
    lies between or has none stays NaN.
    """
    nothing = ~((speed_kmh > 0) | (flow_veh_h > 0))
    speed = np.where((speed_kmh >= 0) & (speed_kmh <= HIGHEST_KMH), speed_kmh, np.float32(np.nan))
    empty = nothing & (flow_veh_h == 0) & (occupancy_pct >= 0) & (occupancy_pct < EMPTY_OCCUPANCY_PCT)
    standing = nothing & np.isnan(speed) & (occupancy_pct >= STANDING_OCCUPANCY_PCT) & np.isfinite(occupancy_pct)
    return np.where(standing, np.float32(0), np.where(empty, np.float32(np.inf), speed))


def unsupported(observed_kmh: Float32, occupancy_pct: Float32) -> Mask:
    """Tell where a speed of exactly 0 has no occupancy that speaks for a vehicle on the loop."""
    alone: Mask = (observed_kmh == 0) & ~(occupancy_pct >= EMPTY_OCCUPANCY_PCT)
    return alone


def judge(states: States, settings: Settings, observed_kmh: Float32, steps: Int16 | int = 1) -> Mask:
    """Step smoothing, alarm and level by one observation each, in place; return who had a usable one.

    Shapes (things,); `observed_kmh` as `observed` gives it, `steps` as `fold.steps`.
    """
    learning = np.isnan(settings.free_kmh)
    if learning.any():
        free_speed.learn(states, observed_kmh, learning)
        free_kmh = free_speed.in_use(states, settings.free_kmh, settings.learn_readings)
    else:
        free_kmh = settings.free_kmh
    raw: Float32 = np.minimum(observed_kmh / free_kmh, CAP)
    valid: Mask = ~np.isnan(raw)
    before = np.where(np.isnan(states.value), raw, states.value)
    ratio = before + settings.weight * (raw - before)
    np.copyto(states.value, ratio, where=valid)
    np.copyto(states.low, (states.low + 1) * (np.maximum(ratio, raw) < ON), where=valid)
    np.copyto(states.high, (states.high + np.where(states.high > 0, steps, 1)) * (ratio > OFF), where=valid)
    np.minimum(states.low, settings.confirm_on, out=states.low)
    np.minimum(states.high, settings.confirm_off, out=states.high)
    alarm = _alarm(states, settings, ratio)
    level = np.where(alarm > 0, alarm, (ratio < FLUID).astype(np.int8))
    np.copyto(states.alarm, alarm, where=valid)
    np.copyto(states.level, level, where=valid)
    return valid


def _alarm(states: States, settings: Settings, ratio: Float32) -> Int8:
    was = states.alarm
    deep = (ratio < AT_ONCE) & (2 * states.low >= settings.confirm_on)
    opens = (states.low >= settings.confirm_on) | deep
    stays = (was > 0) & (states.high < settings.confirm_off)
    jammed = ratio < np.where(was == Level.JAMMED, JAM_UNTIL, JAM_BELOW)
    return ((opens | stays) * (np.int8(Level.CONGESTED) + jammed)).astype(np.int8)
