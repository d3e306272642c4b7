"""Readings as they come in, and what the rules see of them: one observation each.

A distrusted reading (`sensors.level.DISTRUSTED`) is implausible as a whole: whoever sends an impossible count is not
believed on speed. A stock is counted apart from what comes in and goes out: where only these are impossible, it is
believed; where it leaps, it is not. A crane that says that it stands, or a rack whose plugs are dark, is believed on
that whatever its other numbers are. The other remarks inform and change nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from analytics import cooling, detector, limits, stoppage, travel
from analytics.plausible import fingerprints
from analytics.remains import has_witness, sound
from analytics.table import Float32, Index, Int8, Int64, Mask, Table
from sensors.kind import Kind
from sensors.level import DISTRUSTED, Quality
from sensors.rule import Cooling, Limits, SpeedRatio, TimeRatio, Work, fields_of


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one kind as columns, in order of arrival; n = len(time_us).

    thing: n ids. time_us: int64, measured, microseconds since 1970 UTC. quality: integers, bits of `Quality`. values:
    float32 (n, fields of the kind), NaN = missing. words: float32 (n, texts of the kind with choices), the place of
    the word among its choices, NaN = missing; readings without any may leave it out. received_us: int64, when it
    reached us; boot, seq: int64, the sender's numbers, -1 = absent; None where nobody knows them.
    """

    kind: str
    thing: Sequence[str]
    time_us: Int64
    quality: NDArray[np.integer]
    values: Float32
    words: Float32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    received_us: Int64 | None = None
    boot: Int64 | None = None
    seq: Int64 | None = None

    def take(self, rows: Index) -> Readings:
        """Copy some rows."""
        words = self.words[rows] if len(self.words) else self.words
        thing = [self.thing[row] for row in rows.tolist()]
        sent = (None if column is None else column[rows] for column in (self.received_us, self.boot, self.seq))
        return Readings(self.kind, thing, self.time_us[rows], self.quality[rows], self.values[rows], words, *sent)

    def wide(self, width: int) -> Float32:
        """Values and then words, (n, width), padded with NaN."""
        count = self.values.shape[1]
        wide = np.full((len(self.values), width), np.nan, np.float32)
        wide[:, :count] = self.values
        wide[: len(self.words), count : count + self.words.shape[1]] = self.words
        return wide


@dataclass(slots=True)
class Arrivals(Table):
    """Readings of known things in order of arrival, all columns of shape (n,).

    thing: intp, index of the thing. time_us: int64. observed: float32, what its rule sees. beside: float32, a second
    observation for the rules that take one: what a travel time weighs, how far the air of a rack is off, what came
    into a stock less what went out. faulty: bool, is distrusted. print: int64, its fingerprint. unsupported: bool, a
    speed of 0 for which no occupancy speaks. alone: int8, whether a lane is covered and passes nothing, and what its
    neighbours say of that (`analytics.company`). source: intp, its row in the values of the batch, -1 for a reading of
    an earlier batch. usual_kmh, spread_kmh: float32, what is usual at its time and the MAD of that, NaN = unknown.
    """

    thing: NDArray[np.intp]
    time_us: Int64
    observed: Float32
    beside: Float32
    faulty: Mask
    print: Int64
    unsupported: Mask
    alone: Int8
    source: NDArray[np.intp]
    usual_kmh: Float32
    spread_kmh: Float32

    @classmethod
    def empty(cls) -> Self:
        none = np.zeros(0, np.intp)
        ints, floats, flags = none.astype(np.int64), none.astype(np.float32), none.astype(np.bool_)
        return cls(none, ints, floats, floats, flags, ints, flags, none.astype(np.int8), none, floats, floats)

    @classmethod
    def of(cls, kind: Kind, thing: Index, readings: Readings, whole: Float32) -> Self:
        """Take readings of one kind as they come; `whole` (n,) as in `observe`."""
        faulty = distrusted(kind, readings)
        if has_witness(kind.level):
            told = replace(readings, values=sound(kind, readings.values)) if faulty.any() else readings
            seen = observe(kind, told, whole)
            leaps = ((readings.quality & Quality.RATE) != 0) & isinstance(kind.level, Cooling)  # Air takes its time.
            observed, beside = seen.value, np.where(leaps, np.float32(np.nan), seen.beside)
        else:
            seen = observe(kind, readings, whole)
            observed = np.where(faulty, np.float32(np.nan), seen.value)
            apart = isinstance(kind.level, Limits)  # What comes and goes is counted apart from the stock.
            beside = np.where(faulty & (not apart), np.float32(np.nan), seen.beside)
        prints, source = fingerprints(readings.values), np.arange(len(thing))
        usual, spread = np.full((2, len(thing)), np.nan, np.float32)
        own = (prints, seen.unsupported, seen.covered.astype(np.int8), source, usual, spread)
        return cls(thing, readings.time_us, observed, beside, faulty, *own)


def distrusted(kind: Kind, readings: Readings) -> Mask:
    """Tell which readings nobody believes, (n,)."""
    quality = readings.quality
    if not isinstance(kind.level, Limits):
        whole: Mask = (quality & DISTRUSTED) != 0
        return whole
    odd = (quality & Quality.OUT_OF_RANGE) != 0
    if odd.any():
        odd &= _outside(kind, kind.level, readings.values)
    found: Mask = odd | ((quality & (Quality.SENTINEL | Quality.RATE)) != 0)
    return found


def _outside(kind: Kind, rule: Limits, values: Float32) -> Mask:
    """Tell whose level rests on a value that cannot be."""
    found = np.zeros(len(values), np.bool_)
    for rests in map(kind.field, fields_of(rule)):
        (value,) = _columns(kind, values, rests.name)
        found |= value < (-np.inf if rests.low is None else rests.low)
        found |= value > (np.inf if rests.high is None else rests.high)
    return found


class Seen(NamedTuple):
    """What the rules see of n readings: the observation, the one beside it, and what speaks against it.

    unsupported: nothing supports a speed of 0. covered: the lane passes nothing and is covered all the time.
    """

    value: Float32
    beside: Float32
    unsupported: Mask
    covered: Mask


def observe(kind: Kind, readings: Readings, whole: Float32) -> Seen:
    """Reduce readings to observations.

    `whole` (n,) stands in for what is missing to divide by: a capacity, or a corridor's length in km.
    """
    values, nothing = readings.values, np.full(len(readings.values), np.nan, np.float32)
    nowhere = np.zeros(len(values), np.bool_)
    match kind.level:
        case SpeedRatio() as rule:
            speed, covered, flow = _columns(kind, values, rule.speed, rule.occupancy, rule.flow)
            seen = detector.observed(speed, covered, flow)
            full = (seen == 0) & (covered >= detector.COVERED_PCT)
            return Seen(seen, nothing, detector.unsupported(seen, covered), full)
        case Limits() as rule:
            return Seen(_limited(kind, rule, values, whole), _net(kind, rule, values, whole), nowhere, nowhere)
        case TimeRatio() as rule:
            times, matched = _columns(kind, values, rule.time, rule.matches)
            return Seen(travel.observed(times, whole), travel.weight(matched, rule.least), nowhere, nowhere)
        case Work() as rule:
            (pace,) = _columns(kind, values, rule.rate)
            return Seen(stoppage.observed(pace, _words(kind, readings, rule.state), rule), nothing, nowhere, nowhere)
        case Cooling() as rule:
            failed, air, set_to = _columns(kind, values, rule.failed, rule.temperature, rule.setpoint)
            return Seen(cooling.plugs(failed), cooling.air(air, set_to, rule), nowhere, nowhere)
        case None:
            return Seen(np.zeros(len(values), np.float32), nothing, nowhere, nowhere)


def _limited(kind: Kind, rule: Limits, values: Float32, whole: Float32) -> Float32:
    (value,) = _columns(kind, values, rule.field)
    if rule.queue is not None:
        queue = rule.queue
        wait = limits.wait_s(*_columns(kind, values, queue.waiting, queue.lanes, queue.service))
        value = np.where(np.isfinite(value), value, wait)
    return _share(kind, rule, value, values, whole)


def _net(kind: Kind, rule: Limits, values: Float32, whole: Float32) -> Float32:
    """What came in less what went out of a stock that is limited, (n,); NaN where nobody can say."""
    if kind.balance is None or kind.balance.stock != rule.field:
        return np.full(len(values), np.nan, np.float32)
    inflow, outflow = _columns(kind, sound(kind, values), kind.balance.inflow, kind.balance.outflow)
    return _share(kind, rule, inflow - outflow, values, whole)


def _share(kind: Kind, rule: Limits, value: Float32, values: Float32, whole: Float32) -> Float32:
    """A value on the scale of the limits, (n,)."""
    if rule.of is None:
        return limits.observed(value, None)
    (told,) = _columns(kind, values, rule.of)
    return limits.observed(value, np.where(np.isfinite(told), told, whole))


def _words(kind: Kind, readings: Readings, text: str) -> NDArray[np.str_]:
    """A text with choices, (n,); empty where it is missing."""
    place = next(place for place, choice in enumerate(kind.choices) if choice.name == text)
    if readings.words.shape[1] <= place:
        return np.full(len(readings.values), "")
    words = np.array([*kind.choices[place].choices, ""])
    at = readings.words[:, place]
    known = np.isfinite(at) & (at >= 0) & (at < len(words) - 1)
    return words[np.where(known, at, len(words) - 1).astype(np.intp)]


def _columns(kind: Kind, values: Float32, *names: str) -> list[Float32]:
    return [values[:, kind.field_names.index(name)] for name in names]
