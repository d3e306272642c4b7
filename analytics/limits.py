"""Levels by limits: a value, or a share of a capacity, against three limits (gates, parking, yards, any new kind).

The level rises at once when the value reaches a limit, and falls when it has been clearly under it for
`interval.FALL_S`; the alarm is open at congested or worse. Counts and waits are integrated by their nature, so nothing
is smoothed and nothing needs confirmation to rise, but for two things that a stock cannot do. It does not leap: what
raises the level right after a leap waits until it has stayed for `state.HOLD_STEPS` readings more. And it is over its
capacity only for who saw it fill up, by what came in. An extreme first reading of all might be a leap: it waits for
the next.

A stock that is not believed is counted on from the last one that was, by what comes in and goes out.

In `States`, `low` counts the readings that a leap still makes wait, `learnt` those since the stock was last seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analytics.settings import Settings
from analytics.state import HOLD_STEPS, NEVER, SILENT_AFTER_PERIODS, States
from analytics.table import Float32, Int8, Int16, Mask
from sensors.level import Level

RELEASE = np.float32(0.95)
"""Share of a limit under which its level ends (own choice: 5 % of a car park is the lorries of a few minutes). Nearer
to 1: the level chatters around the limit; much lower: a yard, which empties over days, stays congested for days."""

COUNTED_S = 7200.0
"""Seconds for which a stock is counted on without being seen, 2 h: of one lorry a minute in and out, with one in a
hundred missed (own assumption), two by then. Shorter: a park whose count is broken is unknown sooner; longer: what was
missed fills or empties it."""

MISSED = np.float32(0.1)
"""Share of a capacity that may have come in uncounted between two readings, of which a lost one counts nothing (own
choice: five lorries of a small park, two or three readings of them). Lower: a park that is really too full is counted
on instead; higher: what leaps over the capacity from a busy park is believed."""

AT_FIRST = np.float32(2)
"""Times the highest limit from which the first reading of all may be a leap: two hours of wait at a gate, as only the
worst days saw. Lower: a jam that is there at the start is told one reading later; higher: a spike then is a jam."""

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


class Told(NamedTuple):
    """One reading each, (things,): what is limited, and what came in less what went out, on the same scale.

    leaps: whose reading is not believed, a leap most often, and has no value.
    """

    value: Float32
    net: Float32
    leaps: Mask


def judge(states: States, settings: Settings, told: Told, steps: Int16) -> Mask:
    """Step level and alarm by one reading each, in place; return who had a usable one. Shapes (things,).

    steps: readings that each stands for (`fold.steps`).
    """
    held, leaps = np.maximum(states.level, states.alarm), told.leaps
    seen = np.where(_impossible(states, settings, told, held), np.float32(np.nan), told.value)
    value = _counted_on(states, settings, seen, told.net)
    states.low[:] = np.where(leaps, HOLD_STEPS, np.maximum(states.low - 1, 0))
    valid = ~np.isnan(value)
    left = reached(settings, value, RELEASE)
    np.copyto(states.high, (states.high + np.where(states.high > 0, steps, 1)) * (left < held), where=valid)
    np.minimum(states.high, settings.confirm_off, out=states.high)
    kept = np.where(states.high >= settings.confirm_off, np.minimum(held, left), held)
    level = np.maximum(reached(settings, value), kept)
    np.copyto(states.value, value, where=valid)
    np.copyto(states.level, level, where=valid)
    np.copyto(states.alarm, level * (level >= Level.CONGESTED), where=valid)
    return valid


def _counted_on(states: States, settings: Settings, seen: Float32, net: Float32) -> Float32:
    """What is seen, or else what was plus what came and went since, (things,); remember for how long, in place."""
    missing = np.isnan(seen)
    most = COUNTED_S * 1e6 * SILENT_AFTER_PERIODS / settings.silence_us
    states.learnt[:] = np.where(missing, states.learnt + 1, 0)
    with np.errstate(over="ignore"):
        counted = states.value + net
    return np.where(missing & (states.learnt <= most) & np.isfinite(counted), counted, seen)


def _impossible(states: States, settings: Settings, told: Told, held: Int8) -> Mask:
    """Tell what a stock cannot be: higher all at once, or over its capacity (limits up to 1 are shares of one)."""
    value, came = told.value, np.fmax(told.net, 0)
    leapt = (states.low > 0) & (reached(settings, value) > held)
    over = (value > 1) & (settings.jammed <= 1) & ~(value <= states.value + came + MISSED)
    sudden = (states.time_us == NEVER) & (value >= AT_FIRST * settings.jammed)
    found: Mask = leapt | over | sudden
    return found


def reached(settings: Settings, value: Float32, share: np.float32 = _ALL) -> Int8:
    """The level whose limit, or `share` of it, a value has reached, (things,)."""
    limits = (settings.dense, settings.congested, settings.jammed)
    level: Int8 = np.add.reduce([value >= limit * share for limit in limits], axis=0, dtype=np.int8)
    return level
