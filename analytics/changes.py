"""What is announced: alarms that began, changed, ended or were lost, and things that fell silent or returned.

What was told is remembered apart from the state, so nothing is told twice: a reading newer than all before announces
its transitions at its own time; when a late reading changes the past, the difference shows at the newest reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from analytics.company import DENIED
from analytics.readings import Arrivals
from analytics.state import NEVER, UNKNOWN, Ageing, Pace, States, ageing
from analytics.table import Float32, Index, Int8, Int64, Mask, Table
from sensors.level import Level, Verdict


class What(StrEnum):
    """What changed; lost is closed as no longer seen, which is not ended."""

    SILENT = "silent"
    LOST = "lost"
    RETURNED = "returned"
    BEGAN = "began"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Change:
    """One announcement, at event time. Levels are None for kinds without a level rule.

    value: the observation at that time (`evidence.shown`), None where there is none.
    """

    thing: str
    site: str
    kind: str
    time_us: int
    what: What
    level: Level | None
    previous: Level | None
    verdict: Verdict
    value: float | None
    evidence: Mapping[str, float | str | None]


@dataclass(slots=True)
class Told(Table):
    """What was announced of every thing, columns of shape (things,): alarm level (0 = none), and silence."""

    alarm: Int8
    silent: Mask

    @classmethod
    def blank(cls, count: int) -> Told:
        return cls(np.zeros(count, np.int8), np.zeros(count, np.bool_))


@dataclass(slots=True)
class Notes(Table):
    """Announcements before they are worded, columns of shape (m,).

    thing: index of the thing. time_us: int64. what: int8, position in `What`. level, previous: int8. observed: float32,
    the observation, NaN = none. value, free_kmh, usual_kmh, z: float32, faulty: bool, and unusual: int8, as in `States`
    after the change. source: intp, row of the reading that brought it about in the values of its batch, -1 = none of
    this batch.
    """

    thing: Index
    time_us: Int64
    what: Int8
    level: Int8
    previous: Int8
    observed: Float32
    value: Float32
    free_kmh: Float32
    faulty: Mask
    usual_kmh: Float32
    z: Float32
    unusual: Int8
    source: Index


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one pass of stepping did: rows lie thing by thing in order of time, `counts` of them each.

    before, after: the states around each row. prior_us: newest time of each thing until now, -NEVER = none. pace,
    clock_us: of each thing. heard_us: since when each could be heard; a gap before is not its silence.
    """

    counts: Index
    rows: Arrivals
    before: States
    after: States
    prior_us: Int64
    pace: Pace
    clock_us: Int64
    heard_us: Int64


def uneventful(told: Told, before: States, after: States, time_us: Int64, silence_us: Int64) -> Mask:
    """Tell which of things that were stepped once, by a newer reading, have nothing to announce.

    They were not silent, and the alarm is what it was and what was told; `told` has a row a thing.
    """
    same = (before.alarm == told.alarm) & (after.alarm == told.alarm)
    blind = (before.alarm > 0) & (before.level == UNKNOWN)
    quiet: Mask = same & ~blind & ~told.silent & (time_us <= before.time_us + silence_us)
    return quiet


def eventless(told: Told, states: States, silence_us: Int64, clock_us: Int64) -> Mask:
    """Tell for which things the clocks alone bring nothing about; one row a thing."""
    silent = clock_us > states.time_us + silence_us
    nothing: Mask = (~silent | told.silent) & ((told.alarm == 0) | ~(silent | (states.level == UNKNOWN)))
    return nothing


def announce(told: Told, done: Stepped) -> list[Notes]:
    """Find what has to be announced after stepping, and remember it as told."""
    owner = np.repeat(np.arange(len(done.counts)), done.counts)
    newer = done.rows.time_us > done.prior_us[owner]
    ends = np.append(np.diff(owner) != 0, True)
    notes = [_reconcile(told, done, owner, np.flatnonzero(~newer & (ends | np.append(newer[1:], True))))]
    notes += _transitions(told, done, owner, np.flatnonzero(newer))
    return notes


def _reconcile(told: Told, done: Stepped, owner: Index, newest: Index) -> Notes:
    """Compare what was told with the re-stepped state at the newest reading known before, a row of each thing."""
    thing, past = done.rows.thing[newest], done.after.take(newest)
    follower = np.minimum(newest + 1, len(owner) - 1)
    followed = (follower > newest) & (owner[follower] == owner[newest])
    until = np.where(followed, done.rows.time_us[follower], NEVER)
    aged = ageing(past, done.pace.take(owner[newest]), np.minimum(until, done.clock_us[owner[newest]]))
    was, alarm = told.alarm[thing], np.where(aged.lost, np.int8(0), past.alarm)
    told.alarm[thing] = alarm
    what = np.where((alarm == 0) & (past.level == UNKNOWN), _LOST, _alarm_change(was, alarm))
    previous = np.where(was > 0, was, np.minimum(done.before.level[newest], np.int8(Level.DENSE)))
    past = replace(past, level=np.where(alarm > 0, alarm, past.level))  # an alarm outlives an unknown level
    moment = _Moment(thing, done.rows.time_us[newest], past, done.rows.observed[newest], done.rows.source[newest])
    return _notes(what, was != alarm, moment, previous)


def _transitions(told: Told, done: Stepped, owner: Index, newer: Index) -> list[Notes]:
    """Find the transitions at the rows `newer` than all before, and at the moments of ageing that lead up to them."""
    rows, owner = done.rows.take(newer), owner[newer]
    before, after = done.before.take(newer), done.after.take(newer)
    first = np.insert(np.diff(owner) != 0, 0, values=True)[: len(owner)]
    # Behind the clock a thing that was told silent is still silent: it delivers what it had kept. An alarm of then is
    # none of now; what it is now shows at its first reading of now.
    muted, silence_us = told.silent[rows.thing], done.pace.silence_us[owner]
    alive = (rows.time_us + silence_us >= done.clock_us[owner]) | ~muted
    wakes = alive & muted & (first | ~np.insert(alive, 0, values=False)[:-1])
    was = np.where(first | wakes, told.alarm[rows.thing], before.alarm)
    aged = ageing(before, done.pace.take(owner), rows.time_us)
    ending = _ending_untold(np.where(aged.lost, np.int8(0), was), before, after, owner)
    was[1:][ending[:-1] & ~(first | wakes)[1:]] = 0
    mid, alarm = np.where(aged.lost, np.int8(0), was), np.where(ending, np.int8(0), after.alarm)
    shown = np.where(aged.silent, np.int8(UNKNOWN), before.level)

    quiet = aged.silent & (rows.time_us > done.heard_us[owner] + silence_us)
    silent, returned = alive & quiet & ~wakes, alive & (quiet | wakes)
    told.alarm[rows.thing[alive]] = alarm[alive]
    told.silent[rows.thing[alive]] = False
    at_reading = _Moment(rows.thing, rows.time_us, after, rows.observed, rows.source)
    given_up = (rows.alone >= DENIED) & (after.alarm == 0)
    change = np.where(given_up, _LOST, _alarm_change(mid, alarm))
    return [
        *_aged_notes(rows.thing, before, aged, silent, np.where(aged.lost & alive, was, np.int8(0))),
        _notes(_RETURNED, returned, at_reading, np.full(len(rows.thing), UNKNOWN, np.int8)),
        _notes(change, alive & (mid != alarm), at_reading, np.where(mid > 0, mid, shown)),
    ]


def _ending_untold(was: Int8, before: States, after: States, owner: Index) -> Mask:
    """Tell at which rows an alarm that is not told (`was` is 0) and was there before is ending: then it is not begun.

    Someone was not heard for so long that its alarm was lost, or delivers what it had kept, and what it tells of now is
    free: the alarm only waits for its last confirmations. If it gets worse again, it is told.
    """
    ends = (after.alarm > 0) & (after.high > 0)
    found: Mask = (was == 0) & (before.alarm > 0) & ends
    rows = range(len(owner))
    for start in np.flatnonzero(found).tolist():
        stop = next((row for row in rows[start:] if owner[row] != owner[start] or not ends[row]), len(owner))
        found[start:stop] = True
    return found


def announce_ageing(told: Told, things: Index, states: States, pace: Pace, clock_us: Int64) -> list[Notes]:
    """Find what the clocks alone bring about for `things`, and remember it as told."""
    aged = ageing(states, pace, clock_us)
    silent, lost = aged.silent & ~told.silent[things], np.where(aged.lost, told.alarm[things], np.int8(0))
    told.silent[things] |= aged.silent
    told.alarm[things[lost > 0]] = 0
    return _aged_notes(things, states, aged, silent, lost)


class _Moment(NamedTuple):
    """What announcements rest on: whose, when, the states then, the observations and where their readings are."""

    thing: Index
    time_us: Int64
    states: States
    observed: Float32
    source: Index


def _aged_notes(thing: Index, states: States, aged: Ageing, silent: Mask, lost: Int8) -> list[Notes]:
    """Announce silence and lost alarms (`lost` is their level, 0 = none) at the moments they came about."""
    blind = replace(states, level=np.full(len(thing), UNKNOWN, np.int8))
    nothing, nowhere = np.full(len(thing), np.nan, np.float32), np.full(len(thing), -1, np.intp)
    return [
        _notes(_SILENT, silent, _Moment(thing, aged.silent_us, blind, nothing, nowhere), states.level),
        _notes(_LOST, lost > 0, _Moment(thing, aged.lost_us, blind, nothing, nowhere), lost),
    ]


_SILENT, _LOST, _RETURNED, _BEGAN, _CHANGED, _ENDED = (np.int8(n) for n in range(len(What)))


def _alarm_change(was: Int8, alarm: Int8) -> Int8:
    return np.where(was == 0, _BEGAN, np.where(alarm == 0, _ENDED, _CHANGED))


def _notes(what: Int8 | np.int8, which: Mask, moment: _Moment, previous: Int8) -> Notes:
    thing, time_us, states, observed, source = moment
    codes = np.broadcast_to(np.asarray(what, np.int8), which.shape)
    columns = (states.level, previous, observed, states.value, states.free_kmh, states.faulty)
    return Notes(thing, time_us, codes, *columns, states.usual_kmh, states.z, states.unusual, source).take(which)
