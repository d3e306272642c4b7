"""Speeds 15, 30 and 60 min ahead, with an interval of 80 % that calibrates itself on every sensor.

The point: what is usual then, plus what is left of the present deviation from usual,

    f(t+h) = usual(t+h) + k^n (v(t) - usual(t)),    n = h / 5 min,

with v smoothed as for congestion and k = `KEEP_BELOW` for a road slower than usual, `KEEP_ABOVE` for a faster one
(domain section 4 has k = 0.93 for both). Where nothing is usual yet, the last value is kept.

The interval: f - a to f + b, where a and b are shares of the free speed, apart for each horizon and each class of f
over free speed, since a road that is forecast to be congested is less sure than one that is free. They follow the
outcomes by quantile tracking (Gibbs and Candes 2021; Angelopoulos, Candes and Tibshirani 2023): at each outcome a
margin that was exceeded grows by exp(0.9 `GAIN`) and one that was not shrinks by exp(-0.1 `GAIN`), so every tenth
outcome is beyond each in the long run, whatever the distribution. Before they know anything they are `PRIOR`.

Only readings that no late one can precede any more teach, in order of time: the order of arrival makes no difference.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from analytics.table import Float32, Index, Int64, Mask, Table, run_of

SLOT_S = 300
"""Seconds of a slot: the first reading in each is remembered and teaches. Shorter: more memory, and outcomes that
repeat each other; longer: the horizon is less sharp."""

HORIZONS = (3, 6, 12)
"""Slots ahead: 15, 30 and 60 min."""

HORIZONS_MIN = tuple(slots * SLOT_S // 60 for slots in HORIZONS)

KEEP_BELOW, KEEP_ABOVE = np.float32(0.91), np.float32(0.88)
"""Share of a deviation that is left after a slot (own measurement, docs/detection.md). Higher: jams end too late;
lower: too early."""

AHEAD_US = tuple(slots * SLOT_S * 1_000_000 for slots in HORIZONS)

CLASSES = (0.93, 0.85, 0.75, 0.6)
"""Edges of the classes of forecast over free speed. More: each learns from fewer outcomes; fewer: free and jammed roads
share a margin."""

GAIN = np.float32(0.03)
"""Step of the margins. Higher: they tremble; lower: a sensor with a nature of its own takes weeks to be known."""

MISSED = np.float32(0.1)
"""Share of outcomes beyond each margin: 80 % lie between."""

PRIOR = np.array(
    [
        [[0.042, 0.069, 0.133, 0.203, 0.144], [0.040, 0.103, 0.165, 0.241, 0.170]],
        [[0.039, 0.077, 0.156, 0.242, 0.181], [0.044, 0.104, 0.184, 0.286, 0.191]],
        [[0.036, 0.087, 0.268, 0.275, 0.191], [0.046, 0.111, 0.190, 0.296, 0.246]],
    ],
    np.float32,
)
"""Margins below and above (horizons, 2, classes) as shares of free speed: the tenth and ninetieth percentile over every
second station of the Los Angeles recording. Wrong ones cost coverage for a day or two."""

LEAST_MARGIN, MOST_MARGIN = np.float32(0.005), np.float32(1.0)

PAST = 16
"""Slots remembered: an hour and what it takes to use whole numbers of two."""

CARRIED = 3
"""Slots without a reading into which the last one is carried: sensors that read every 10 or 15 min are taught too."""

_SLOT_US = SLOT_S * 1_000_000
_WIDTH = PRIOR.size
_UNHEARD = -(2**40)


@dataclass(slots=True)
class Outlooks(Table):
    """What is remembered of every thing, one row each.

    phase_us: int64, where the slots of the thing begin, its own, so that not all are taught in one step. slot: int64,
    the newest slot. speed, usual: float32 (things, PAST), smoothed and usual speed at the first reading of
    each slot, NaN = none; slot n is in column n % PAST. margins: float32 (things, horizons x 2 x classes).
    """

    phase_us: Int64
    slot: Int64
    speed: Float32
    usual: Float32
    margins: Float32

    @classmethod
    def blank(cls, phase_us: Int64) -> Self:
        """Things never heard of."""
        count = len(phase_us)
        nothing = np.full((count, PAST), np.nan, np.float32)
        margins = np.tile(PRIOR.reshape(1, _WIDTH), (count, 1))
        return cls(phase_us, np.full(count, _UNHEARD, np.int64), nothing, nothing.copy(), margins)


def phase_us(name: str) -> int:
    """Where the slots of a thing begin: the same for ever."""
    return zlib.crc32(name.encode()) % SLOT_S * 1_000_000


@dataclass(slots=True)
class Settled(Table):
    """Readings that no late one can precede any more, (n,), thing by thing in order of time.

    thing: intp. time_us: int64. speed_kmh: float32, as read, NaN = none. smoothed_kmh, usual_kmh: float32, after it and
    at its time. free_kmh: float32.
    """

    thing: Index
    time_us: Int64
    speed_kmh: Float32
    smoothed_kmh: Float32
    usual_kmh: Float32
    free_kmh: Float32


class Forecast(NamedTuple):
    """Speeds in km/h, float32 (things, horizons), NaN where there is none. usual: NaN = the last value is kept."""

    speed: Float32
    low: Float32
    high: Float32
    usual: Float32


def forecast(
    now_kmh: Float32, usual_now: Float32, usual_then: Float32, free_kmh: Float32, margins: Float32
) -> Forecast:
    """Look ahead from smoothed speeds (n,); `usual_then` is (n, horizons), `margins` as in `Outlooks`."""
    columns = [point(now_kmh, usual_now, usual_then[:, k], slots) for k, slots in enumerate(HORIZONS)]
    speed = np.stack(columns, axis=1)
    free, wide = free_kmh[:, None], margins.reshape(-1, len(HORIZONS), 2, PRIOR.shape[2])
    classes = classes_of(speed, free)[:, :, None, None]
    below, above = np.moveaxis(np.take_along_axis(wide, classes, axis=3)[..., 0], 2, 0)
    kept = np.isnan(usual_now)[:, None] | np.isnan(usual_then)
    low, high = np.maximum(speed - below * free, 0), speed + above * free
    return Forecast(speed, low, high, np.where(kept, np.float32(np.nan), usual_then))


def point(now_kmh: Float32, usual_now: Float32, usual_then: Float32, slots: int) -> Float32:
    """Say where a speed will be in so many slots; shapes (n,)."""
    away = now_kmh - usual_now
    ahead = usual_then + np.where(away < 0, KEEP_BELOW**slots, KEEP_ABOVE**slots) * away
    return np.where(np.isnan(ahead), now_kmh, np.maximum(ahead, 0)).astype(np.float32)


def classes_of(speed: Float32, free_kmh: Float32) -> Index:
    """Return the class of each forecast; one without a number is in the first."""
    classes: Index = np.add.reduce([speed < np.float32(edge) * free_kmh for edge in CLASSES], axis=0, dtype=np.intp)
    return classes


def learn(outlooks: Outlooks, settled: Settled) -> None:
    """Compare what was forecast with what came, in place, and remember what came."""
    things = run_of(settled.thing)
    slots = (settled.time_us - outlooks.phase_us[things]) // _SLOT_US
    fresh = slots > outlooks.slot[things]
    some = np.flatnonzero(fresh & np.isfinite(settled.speed_kmh) & np.isfinite(settled.smoothed_kmh))
    usable, slots = settled.take(some), slots[some]
    first = np.flatnonzero(np.append(True, np.diff(usable.thing) != 0)[: len(usable.thing)])
    rank = np.arange(len(usable.thing)) - np.repeat(first, np.diff(np.append(first, len(usable.thing))))
    for k in range(int(rank.max(initial=-1)) + 1):
        now = np.flatnonzero((rank == k) & (slots > outlooks.slot[usable.thing]))
        if len(now):
            _teach(outlooks, usable.take(now), slots[now])


def _teach(outlooks: Outlooks, rows: Settled, slot: Int64) -> None:
    """Take the first reading of a slot of each thing; no thing twice."""
    _pass_by(outlooks, rows.thing, slot)
    outlooks.slot[rows.thing] = slot
    outlooks.speed[rows.thing, slot % PAST] = rows.smoothed_kmh
    outlooks.usual[rows.thing, slot % PAST] = rows.usual_kmh
    known = np.flatnonzero(rows.free_kmh > 0)
    if len(known):
        _calibrate(outlooks, rows.take(known), slot[known])


def _calibrate(outlooks: Outlooks, rows: Settled, slot: Int64) -> None:
    margins = outlooks.margins.take(rows.thing, axis=0)
    flat, first = margins.reshape(-1), _WIDTH * np.arange(len(rows.thing))
    for k, slots in enumerate(HORIZONS):
        then = (rows.thing, (slot - slots) % PAST)
        ahead = point(outlooks.speed[then], outlooks.usual[then], rows.usual_kmh, slots)
        which = classes_of(ahead, rows.free_kmh)
        off = (rows.speed_kmh - ahead) / rows.free_kmh
        known = np.isfinite(off)
        for side, beyond in enumerate((-off, off)):
            place = first + (2 * k + side) * PRIOR.shape[2] + which
            flat[place] = _moved(flat[place], beyond, known)
    outlooks.margins[rows.thing] = margins


def _moved(margin: Float32, beyond: Float32, known: Mask) -> Float32:
    step = GAIN * ((beyond > margin) - MISSED) * known
    moved: Float32 = np.clip(margin * np.exp(step), LEAST_MARGIN, MOST_MARGIN).astype(np.float32)
    return moved


def _pass_by(outlooks: Outlooks, thing: Index, slot: Int64) -> None:
    """Fill the slots between the newest and `slot`: with what was last, or with nothing after a long gap."""
    last = outlooks.slot[thing]
    gap = np.minimum(slot - last, PAST)
    for back in range(1, int(gap.max(initial=0))):
        some = np.flatnonzero(gap > back)
        carried = gap[some] <= CARRIED + 1
        place = (slot[some] - back) % PAST
        for column in (outlooks.speed, outlooks.usual):
            value = column[thing[some], last[some] % PAST]
            column[thing[some], place] = np.where(carried, value, np.float32(np.nan))


def packed(outlooks: Outlooks) -> NDArray[np.uint8]:
    """Return what was learnt of each thing as bytes (things, n), exactly, whatever the machine."""
    parts = (
        outlooks.slot[:, None].astype("<i8"),
        *(c.astype("<f4") for c in (outlooks.speed, outlooks.usual, outlooks.margins)),
    )
    return np.concatenate([part.view(np.uint8) for part in parts], axis=1)


def taught_of(outlooks: Outlooks) -> Mask:
    """Tell which things have anything to remember."""
    taught: Mask = outlooks.slot != _UNHEARD
    return taught


def unpacked(rows: NDArray[np.uint8], phase_us: Int64) -> Outlooks:
    """Read what `packed` returned."""
    slot, floats = rows[:, :8].copy().view("<i8"), rows[:, 8:].copy().view("<f4").astype(np.float32)
    speed, usual, margins = np.split(floats, (PAST, 2 * PAST), axis=1)
    return Outlooks(phase_us, slot[:, 0].astype(np.int64), speed.copy(), usual.copy(), margins.copy())
