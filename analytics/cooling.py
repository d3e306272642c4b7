"""The level of a reefer rack: one event for all boxes that are without power, and a return air that is not as set.

Power is judged by the number of plugs that report none, against three limits; nothing needs confirmation, a plug knows.
Temperature is the second witness, for plugs that say nothing: return air off its setpoint by more than the tolerance is
an excursion, and a defrost is one too. Taken for a defrost is what is warmer than set but not too warm, no longer than
a defrost lasts, and not sooner after the last excursion than defrosts come. Anything else twice in a row, or any
excursion that outlasts a defrost, is congested. So a failure of cooling alone is known after the longest defrost (45
min at one reading in 5), a loss of power at once.

An open alarm stays until the plugs are clearly under their limit and the temperature is as set: power that comes back
to a warm rack does not end it, and a second event for the same boxes does not begin.

In `States`, `value` is the number of plugs without power, `low` counts the readings of an excursion, `learnt` those
since the last one ended (0 = there was none). In `Settings`, `confirm_on` is the longest defrost and `learn_readings`
the shortest time between two, in readings.
"""

from __future__ import annotations

import numpy as np

from analytics import limits
from analytics.settings import Settings
from analytics.state import States
from analytics.table import Float32, Int8, Mask
from sensors.level import Level
from sensors.rule import Cooling

AS_SET, NEARLY, WARM, STRANGE = (np.float32(n) for n in range(4))
"""Return air as set; so far off that it ends no excursion; as in a defrost; as never in one."""

NEARLY_SHARE = 0.75
"""Share of the tolerance under which an excursion ends (own choice: 1.5 of 2 degrees, above the noise of a rack that is
as set). Nearer to 1: one defrost counts as two, and the second comes too soon; lower: a rack is never as set."""

KEEPS = np.float32(0.5)
"""Share of the congested limit down to which plugs keep an alarm (own choice: two of three plugs). Nearer to 1: one
plug that flickers makes an event each time; lower: one that stays dark keeps the event of the others open."""

TWICE = 2
"""Readings of what cannot be a defrost until it counts, and of an excursion until it keeps an alarm that plugs opened.
One may be a door or a spike; three are a quarter hour."""

_MOST = 2**30


def plugs(failed: Float32) -> Float32:
    """Plugs without power, (n,); NaN where it is not told."""
    return np.where(np.isfinite(failed) & (failed >= 0), failed, np.float32(np.nan))


def air(temperature_c: Float32, setpoint_c: Float32, rule: Cooling) -> Float32:
    """How far the return air is off, (n,): `AS_SET` to `STRANGE`, NaN unknown."""
    off_c = np.where(np.isfinite(temperature_c) & np.isfinite(setpoint_c), temperature_c - setpoint_c, np.nan)
    off = np.where(np.abs(off_c) <= NEARLY_SHARE * rule.tolerance_c, AS_SET, NEARLY)
    off[off_c > rule.tolerance_c] = WARM
    off[(off_c > rule.defrost_c) | (off_c < -rule.tolerance_c)] = STRANGE
    return np.where(np.isnan(off_c), np.float32(np.nan), off).astype(np.float32)


def judge(states: States, settings: Settings, failed: Float32, off: Float32) -> Mask:
    """Step by one reading each, in place; return who had a usable one. Shapes (things,)."""
    failing = _failing(states, settings, off)
    told, known = ~np.isnan(failed), ~np.isnan(off)
    np.copyto(states.value, failed, where=told)
    dark = np.nan_to_num(states.value)
    power = limits.reached(settings, dark)
    stays = (states.alarm > 0) & ((dark >= KEEPS * settings.congested) | (states.low >= TWICE))
    level: Int8 = np.maximum(power, np.int8(Level.CONGESTED) * (failing | stays))
    valid: Mask = told | (known & (failing | (off < WARM)))
    np.copyto(states.level, level, where=valid)
    np.copyto(states.alarm, level * (level >= Level.CONGESTED), where=valid)
    return valid


def _failing(states: States, settings: Settings, off: Float32) -> Mask:
    """Count excursions, in place; tell who has one that is no defrost. What is unknown changes nothing."""
    before = states.low.copy()
    out = (off >= WARM) | ((off == NEARLY) & (before > 0))
    ends = (off < WARM) & ~out & (before > 0)
    soon = (states.learnt > 0) & (states.learnt < settings.learn_readings)
    states.learnt[:] = np.where(ends, 1, np.minimum(states.learnt + (states.learnt > 0), _MOST))
    states.low[:] = np.where(out, np.minimum(before, settings.confirm_on) + 1, np.where(ends, 0, before))
    long = states.low > settings.confirm_on
    failing: Mask = out & (long | (((off == STRANGE) | soon) & (states.low >= TWICE)))
    return failing
