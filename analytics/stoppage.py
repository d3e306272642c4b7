"""The level of what works at a rate and may be stopped: a crane by its moves per hour and the state it reports.

The rate over the least that is normal is judged as a speed over free speed is (`analytics.detector`): a crane that
works slowly is dense or congested. A word such as `wind_stop` or `fault` is a stoppage: jammed at once, because the
machine says so itself, and over when it was not stopped for `interval.RESUME_S`, so that gusts around the limit make
one stoppage. A word such as `idle` is no work to do: as an empty road is free, that is fluid. A rate of 0 without a
word is unknown: no ship and no power look the same. Why it is stopped - wind above 20 m/s - is for whoever sees the
wind as well; here is only that it is. The word `working` beside a rate that is none ends a stoppage, and says no more.

In `States`, `learnt` is 1 while a stoppage lasts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics import detector
from analytics.settings import Settings
from analytics.state import States
from analytics.table import Float32, Int16, Mask
from sensors.level import Level
from sensors.rule import Work

STOPPED = np.float32(-1)
"""In place of a rate: the machine says that it stands. A rate of 0 while it works is only very slow."""

AT_WORK = np.float32(-2)
"""In place of a rate: the machine says that it works, and its rate is not to be had."""


def observed(rate: Float32, word: NDArray[np.str_], rule: Work) -> Float32:
    """Reduce readings to the rate they tell of, (n,): `STOPPED`, inf nothing to do, `AT_WORK`, NaN unknown.

    No word is "".
    """
    idle, stopped = np.isin(word, rule.idle) & ~(rate > 0), np.isin(word, rule.stopped)
    told = np.isfinite(rate) & ((rate > 0) | ((rate == 0) & (word != "")))
    known = np.where(told, rate, np.where(word == "", np.float32(np.nan), AT_WORK))
    return np.where(stopped, STOPPED, np.where(idle, np.float32(np.inf), known))


def judge(states: States, settings: Settings, rate: Float32, steps: Int16) -> Mask:
    """Step by one observation each, in place; return who had a usable one. Shapes (things,).

    `settings.free_kmh` is the least rate that is normal, `steps` as `fold.steps`.
    """
    stopped, at_work = rate == STOPPED, rate == AT_WORK
    states.value[stopped] = 0
    states.low[stopped] = settings.confirm_on[stopped]
    states.learnt[stopped] = 1
    told = np.where(at_work, np.float32(np.nan), np.maximum(rate, np.float32(0)))
    valid = detector.judge(states, settings, told, steps)
    _resume(states, settings, at_work & (states.learnt > 0), steps)
    states.learnt[states.alarm == 0] = 0
    lasts = states.learnt > 0
    states.alarm[lasts] = Level.JAMMED
    states.level[lasts & valid] = Level.JAMMED
    return valid


def _resume(states: States, settings: Settings, works: Mask, steps: Int16) -> None:
    """Count readings of who works again towards the end of its stoppage, in place."""
    high = states.high + np.where(states.high > 0, steps, 1)
    np.copyto(states.high, np.minimum(high, settings.confirm_off), where=works)
    states.alarm[works & (states.high >= settings.confirm_off)] = 0
