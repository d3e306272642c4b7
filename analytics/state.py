"""What is remembered of every thing between two readings, and what time alone does to it.

The state is a fold over the thing's readings in event time. Time passing without readings changes it too, at moments
that follow from the state itself (`ageing`), so a silence found by a clock and one found by the next reading's gap are
the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from analytics.abnormal import FIRST_SCATTER
from analytics.plausible import FIRST_HABIT
from analytics.table import Float32, Index, Int8, Int16, Int64, Mask, Table
from sensors.level import Abnormality, Level

NEVER = 2**61
"""An instant (us) after all others, and a duration longer than all others; two of them still fit an int64."""

SILENT_AFTER_PERIODS = 3
"""Periods without data until a thing is silent (domain: no data for N intervals, N as the hold below). Too low: a lost
message or two make a grey sensor; too high: a dead sensor keeps its last level on the screen."""

HOLD_STEPS = 3
"""Readings without a usable value over which the level is held (domain, "fail towards the road"). Too low: a passing
fault hides a jam; too high: a level that nothing supports."""

MOST_MISSES = 127
"""As many as are counted."""

LOST_AFTER_US = 30 * 60 * 1_000_000
"""Microseconds of unknown until an open alarm is closed as no longer seen (domain section 4). Too low: a short outage
of the network closes true alarms; too high: alarms of removed sensors stay."""

FREED_PERIODS = 3
"""Periods by which an open alarm is lost sooner for each reading that spoke for its end before nothing was seen any
more (own choice: at 30 s no time is left for who was free for as long as closes it). Lower: of a jam that dissolved
right before a network failed the alarm stays open for half an hour; higher: one free reading closes a jam."""

UNKNOWN = int(Level.UNKNOWN)


@dataclass(slots=True)
class States(Table):
    """One row a thing, all columns of shape (things,).

    time_us: int64, the newest reading, NEVER before the first. since_us: int64, when the shown level began.
    value: float32, what the level is judged by, smoothed (speed ratio; or the limited field or share), NaN = none.
    free_kmh: float32, the learnt free speed, NaN before the first speed. learnt: int32, speeds it was learnt from.
    low, high: int16, readings in a row below the on and above the off threshold. (Rules other than that of road traffic
    say in their modules where these columns hold something else for them.) misses: int8, readings in a row without a
    usable value, at most `MOST_MISSES`. print: int64, fingerprint of the newest reading. same: int16, how often it was
    repeated in a row. habit: float32, the usual share of repetitions. level: int8, the shown `Level`; 0 while a thing
    without a level rule speaks. alarm: int8, the level of the open alarm (congested or jammed), 0 = none; it outlives
    an unknown level. faulty: bool, the newest reading is distrusted or implausible.

    Of coverage (`analytics.coverage`): got, due: float32, readings that were believed, and those expected.

    Of abnormality (`analytics.abnormal`), for road traffic: speed_kmh: float32, smoothed, NaN = none. usual_kmh:
    float32, what was usual at the newest reading, NaN = unknown. z: float32, deviations below it. scatter: float32,
    running MAD of their ratio. odd, even: int16, readings in a row that speak for unusual and for usual. unusual: int8,
    an `Abnormality`.
    """

    time_us: Int64
    since_us: Int64
    value: Float32
    free_kmh: Float32
    learnt: NDArray[np.int32]
    low: Int16
    high: Int16
    misses: Int8
    print: Int64
    same: Int16
    habit: Float32
    level: Int8
    alarm: Int8
    faulty: Mask
    got: Float32
    due: Float32
    speed_kmh: Float32
    usual_kmh: Float32
    z: Float32
    scatter: Float32
    odd: Int16
    even: Int16
    unusual: Int8

    @classmethod
    def blank(cls, count: int) -> Self:
        """`count` things never heard of."""
        return cls(
            time_us=np.full(count, NEVER, np.int64),
            since_us=np.full(count, NEVER, np.int64),
            value=np.full(count, np.nan, np.float32),
            free_kmh=np.full(count, np.nan, np.float32),
            learnt=np.zeros(count, np.int32),
            low=np.zeros(count, np.int16),
            high=np.zeros(count, np.int16),
            misses=np.zeros(count, np.int8),
            print=np.full(count, -1, np.int64),
            same=np.zeros(count, np.int16),
            habit=np.full(count, FIRST_HABIT, np.float32),
            level=np.full(count, UNKNOWN, np.int8),
            alarm=np.zeros(count, np.int8),
            faulty=np.zeros(count, np.bool_),
            got=np.zeros(count, np.float32),
            due=np.zeros(count, np.float32),
            speed_kmh=np.full(count, np.nan, np.float32),
            usual_kmh=np.full(count, np.nan, np.float32),
            z=np.full(count, np.nan, np.float32),
            scatter=np.full(count, FIRST_SCATTER, np.float32),
            odd=np.zeros(count, np.int16),
            even=np.zeros(count, np.int16),
            unusual=np.full(count, Abnormality.UNKNOWN, np.int8),
        )


class Pace(NamedTuple):
    """How time tells on things, (things,): microseconds until they are silent, and `freed_us`.

    freed_us: how much sooner an alarm is lost for each reading that spoke for its end.
    """

    silence_us: Int64
    freed_us: Int64

    def take(self, index: Index | Mask) -> Pace:
        """Copy the rows of `index`."""
        return Pace(self.silence_us[index], self.freed_us[index])


class Ageing(NamedTuple):
    """What the time until some instant does to each state, and when; shape (things,)."""

    silent: Mask
    silent_us: Int64
    lost: Mask
    lost_us: Int64


def ageing(states: States, pace: Pace, to_us: Int64 | int) -> Ageing:
    """Tell who falls silent, and whose alarm is lost, by `to_us`; the instant itself still belongs to the living."""
    silent_us = states.time_us + pace.silence_us
    silent = to_us > silent_us
    unknown_us = np.where(states.level == UNKNOWN, states.since_us, np.where(silent, silent_us, NEVER))
    freed_us = np.maximum(states.high, 0) * pace.freed_us
    lost_us = unknown_us + np.maximum(LOST_AFTER_US - freed_us, 0)
    return Ageing(silent, silent_us, (states.alarm > 0) & (to_us > lost_us), lost_us)


def age(states: States, pace: Pace, to_us: Int64 | int) -> None:
    """Let time pass without readings, in place."""
    silent = to_us > states.time_us + pace.silence_us
    blind = (states.alarm > 0) & (states.level == UNKNOWN)
    if not (silent.any() or blind.any()):
        return
    aged = ageing(states, pace, to_us)
    np.copyto(states.since_us, aged.silent_us, where=aged.silent & (states.level != UNKNOWN))
    forget(states, aged.silent)
    states.alarm[aged.lost] = 0


def hold(states: States, valid: Mask) -> None:
    """Count readings without a usable value, in place; after `HOLD_STEPS` the level is unknown, never free."""
    misses = np.minimum(states.misses.astype(np.int16) + 1, MOST_MISSES).astype(np.int8)
    misses[valid] = 0
    states.misses[:] = misses
    gone = misses > HOLD_STEPS
    if gone.any():
        forget(states, gone)


def forget(states: States, which: Mask) -> None:
    """Make the level unknown, in place. Smoothing and confirmations start anew; an open alarm stays.

    So does what was counted towards its end: who is heard once in five periods would never be free for long enough.
    """
    states.level[which] = UNKNOWN
    states.value[which] = np.nan
    states.speed_kmh[which] = np.nan
    states.z[which] = np.nan
    states.unusual[which] = Abnormality.UNKNOWN
    for count in (states.low, states.odd, states.even):
        count[which] = 0
