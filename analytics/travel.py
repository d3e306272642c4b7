"""The level of a corridor: free travel time over travel time, by the two thresholds of the road detector.

A travel time stands on the vehicles that were matched, often one or two a minute, so the vehicle is the unit of
evidence and not the reading. Each vehicle moves the smoothed ratio by its share of a reading's weight, and the level is
judged when `least` of them have come since it was judged last: a level never rests on fewer, and what few vehicles say
is not lost. (Judging only readings of three and more leaves, on a simulated Tuesday from 06:00 to 21:00, 6 % of those
of W15-W01, 12 % of W01-W03 and 33 % of W18-W01: own measurement, 2026-11-27.) A reading without vehicles says nothing:
in standing traffic nobody arrives, so it is not taken for a free road.

A travel time cannot rise faster than the clock: who arrives later set out later, or was overtaken. A reading that is
slower than that, by half and `SLACK_S`, is a matched pair that is none, or a spike, and says nothing.

Thresholds, weights and confirmations to open are those of the road (`analytics.detector`, `analytics.interval`), a
confirmation being `least` vehicles that are slow themselves. A corridor sees a jam later than a loop does, by the time
the vehicles take through it: it is the second witness of its sections, not the first.

It sees a jam diluted by the free rest of its length. So a threshold asks whether its longest section would be that slow
if all that is lost on the way were lost there (`over_all`): a queue that begins behind one loop and ends before the
next is seen by nobody else. An alarm closes where that is not so, and at the threshold of the road at least: higher,
the scatter of few vehicles keeps it open for an hour (own measurement). On a corridor of one section nothing changes.

In `Settings`, `dense` is the share of that section in the free travel time. In `States`, `high` counts confirmations,
below zero for slow ones, `low` the parts of the next judgement, and `print` is the time of the newest reading that
said something, in microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics import detector, free_speed
from analytics.settings import Settings
from analytics.state import States
from analytics.table import Float32, Int8, Int16, Mask

if TYPE_CHECKING:
    from analytics.readings import Arrivals
from sensors.level import Level

NOISE = 1.5
"""Times the smoothed travel time that the next one may be without any time passing: medians of three vehicles scatter,
and the smoothed one lags (own choice). Lower: jams that build up are held; higher: smaller spikes open alarms."""

SLACK_S = 120.0
"""Seconds beyond that: two periods. Lower and higher as above, on short corridors."""

_PARTS = 60
"""Parts of a judgement, in which vehicles are counted."""

_CONFIRM_OFF = 5
"""Judgements in a row that close an alarm (own measurement: on three simulated Tuesdays each of the seven jams on
corridors is one alarm). Fewer: several alarms for one jam; more: an hour where a vehicle comes every minute."""


def observed(time_s: Float32, length_km: Float32) -> Float32:
    """Mean speed over the corridor in km/h, (n,); NaN without a time."""
    valid = np.isfinite(time_s) & (time_s > 0)
    speed: Float32 = np.full(time_s.shape, np.nan, np.float32)
    np.divide(length_km * np.float32(3600), time_s, out=speed, where=valid)
    return speed


def weight(matches: Float32, least: int) -> Float32:
    """What a reading weighs, (n,): its vehicles over those of a judgement, at most 1; 0 without any."""
    return np.where(np.isfinite(matches), np.clip(matches, 0, least) / np.float32(least), np.float32(0))


def over_all(limit: Float32 | np.float32, longest: Float32) -> Float32:
    """The ratio over a corridor at which its longest section is at `limit` and all others are free, (n,).

    T / T' with T' = T + longest T (1 / limit - 1), T the free travel time.
    """
    ratio: Float32 = (1 / (1 + longest * (1 / limit - 1))).astype(np.float32)
    return ratio


def possible(states: States, settings: Settings, rows: Arrivals) -> Float32:
    """Return the observed speeds, km/h, with NaN for those that would take a time that has not passed. Notes the time.

    Shapes (things,). Where nothing is known of before, everything is possible.
    """
    free_kmh = free_speed.in_use(states, settings.free_kmh, settings.learn_readings)
    hours = (rows.time_us - states.print) / np.float64(3.6e9) + SLACK_S / 3600
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slowest_kmh = settings.whole / (NOISE * settings.whole / (states.value * free_kmh) + hours)
        impossible = (rows.observed < slowest_kmh) & (states.print > 0)
    states.print[:] = np.where((rows.beside > 0) & (rows.observed > 0) & ~impossible, rows.time_us, states.print)
    return np.where(impossible, np.float32(np.nan), rows.observed).astype(np.float32)


def judge(states: States, settings: Settings, speed_kmh: Float32, weighs: Float32) -> Mask:
    """Step smoothing, alarm and level by one reading each, in place; return whose said something. Shapes (things,)."""
    learning = np.isnan(settings.free_kmh)
    if learning.any():
        free_speed.learn(states, speed_kmh, learning & (weighs > 0))
    free_kmh = free_speed.in_use(states, settings.free_kmh, settings.learn_readings)
    raw = np.minimum(speed_kmh / free_kmh, detector.CAP)
    valid: Mask = ~np.isnan(raw) & (weighs > 0)
    anew = np.isnan(states.value)
    np.maximum(states.high, 0, out=states.high, where=anew)  # Slow ones are not of one jam across what was unknown.
    before = np.where(anew, raw, states.value)
    ratio = before + (1 - (1 - settings.weight) ** weighs) * (raw - before)
    np.copyto(states.value, ratio, where=valid)
    parts = states.low + np.where(valid, np.floor(weighs * _PARTS + np.float32(0.001)), 0).astype(np.int16)
    ripe = valid & (parts >= _PARTS)
    states.low[:] = np.where(ripe, 0, parts)
    _decide(states, settings, ratio, np.maximum(ratio, raw), ripe)
    return valid


def _decide(states: States, settings: Settings, ratio: Float32, higher: Float32, ripe: Mask) -> None:
    """Judge where it is `ripe`; `higher` is the ratio or that of the reading itself, whichever is freer."""
    longest = settings.dense
    on = over_all(detector.ON, longest)
    slow, free = higher < on, ratio > np.maximum(detector.OFF, on)
    count = np.where(slow, np.minimum(states.high, 0) - 1, np.where(free, np.maximum(states.high, 0) + 1, 0))
    count = np.clip(count, -settings.confirm_on, _CONFIRM_OFF).astype(np.int16)
    alarm = _alarm(states, settings, ratio, count)
    np.copyto(states.high, count, where=ripe)
    np.copyto(states.alarm, alarm, where=ripe)
    dense = (ratio < over_all(detector.FLUID, longest)).astype(np.int8)
    np.copyto(states.level, np.where(alarm > 0, alarm, dense), where=ripe)


def _alarm(states: States, settings: Settings, ratio: Float32, count: Int16) -> Int8:
    longest = settings.dense
    deep = (ratio < over_all(detector.AT_ONCE, longest)) & (-2 * count >= settings.confirm_on)
    opens = deep | (count <= -settings.confirm_on)
    stays = (states.alarm > 0) & (count < _CONFIRM_OFF)
    worst = np.where(states.alarm == Level.JAMMED, detector.JAM_UNTIL, detector.JAM_BELOW)
    jammed = ratio < over_all(worst, longest)
    alarm: Int8 = ((opens | stays) * (np.int8(Level.CONGESTED) + jammed)).astype(np.int8)
    return alarm
