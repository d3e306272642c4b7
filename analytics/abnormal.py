"""How unusual it is for the time of week, apart from how bad it is: slower than this road is wont to be.

The speed is smoothed as for congestion and compared with the usual one (`analytics.usual`): share = smoothed / usual,
z = (usual - smoothed) / (1.4826 MAD). Unusual when z is at least `FROM_Z` and share and reading below `UNUSUAL` for as
many readings in a row as an alarm needs, half of them below `DEEP`; usual again when the share has been above `USUAL`
for as many as an alarm takes to close. Source: domain section 4 (z >= 3 and below 75 % of usual). Where a profile
has no spread of its own (what a recording brings), a running MAD of the share is learnt from the sensor itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.table import Float32, Mask
from sensors.level import Abnormality

if TYPE_CHECKING:
    from analytics.readings import Arrivals
    from analytics.settings import Settings
    from analytics.state import States

UNUSUAL = np.float32(0.72)
"""Share of the usual speed under which confirmations count. The published 0.75 is met by too many single dips: 0.025
false alarms a station-day on the Los Angeles recording, against 0.022. Too low: late; too high: ordinary noise."""

USUAL = np.float32(0.85)
"""Share over which it becomes usual again. Nearer to `UNUSUAL`: it chatters; higher: it lingers."""

DEEP = np.float32(0.5)
"""Share that needs half the confirmations. Too high: a single bad reading is unusual; too low: sudden jams wait."""

FROM_Z = np.float32(3.0)
"""Robust standard deviations below usual (domain section 4). Too low: roads that vary every day are unusual every
other; too high: only the worst on calm roads is found."""

SIGMA = np.float32(1.4826)
"""Standard deviation over MAD of a normal distribution."""

FIRST_SCATTER = np.float32(0.06)
"""Running MAD of the share before it is learnt; the stations of the recording have 0.02 to 0.07."""

SCATTER_GAIN = np.float32(0.005)
"""Relative step of the running MAD at each reading: it doubles or halves in 140 readings. Higher: an hour of jam makes
itself usual; lower: a noisy sensor takes days to be known as one."""

LEAST_SCATTER, MOST_SCATTER = np.float32(0.02), np.float32(1.0)
"""Bounds of the spread as a share of the usual speed. Less than 2 % would make every flicker three deviations."""


def judge(states: States, settings: Settings, rows: Arrivals, observed_kmh: Float32) -> None:
    """Step smoothed speed, scatter and abnormality by one observation each, in place. Shapes (things,).

    `observed_kmh` as the detector takes it: an empty road (inf) is as fast as it is usually, or free. Where nothing is
    usual yet, abnormality is unknown; where there is no observation, all stays as it was.
    """
    empty: Float32 = np.fmax(rows.usual_kmh, settings.free_kmh)
    speed: Float32 = np.where(np.isinf(observed_kmh), empty, observed_kmh)
    valid = np.isfinite(speed)
    before = np.where(np.isnan(states.speed_kmh), speed, states.speed_kmh)
    np.copyto(states.speed_kmh, before + settings.weight * (speed - before), where=valid)
    states.usual_kmh[:] = rows.usual_kmh
    compared = valid & (rows.usual_kmh > 0)
    np.copyto(states.unusual, np.int8(Abnormality.UNKNOWN), where=valid & ~compared)
    if compared.any():
        _compare(states, settings, rows, speed, compared)


def _compare(states: States, settings: Settings, rows: Arrivals, speed: Float32, which: Mask) -> None:
    share, raw = (_share(part, rows.usual_kmh, which) for part in (states.speed_kmh, speed))
    own = _share(rows.spread_kmh, rows.usual_kmh, which)
    scatter = np.clip(np.where(np.isnan(own), states.scatter, own), LEAST_SCATTER, MOST_SCATTER)
    np.copyto(states.z, (1 - share) / (SIGMA * scatter), where=which)
    odd = (np.maximum(share, raw) < UNUSUAL) & (states.z >= FROM_Z)
    np.copyto(states.odd, np.minimum((states.odd + 1) * odd, settings.confirm_on), where=which)
    np.copyto(states.even, np.minimum((states.even + 1) * (share > USUAL), settings.confirm_off), where=which)
    unusual = _unusual(states, settings, share)
    _learn(states, share, which & ~unusual)
    np.copyto(states.unusual, unusual.astype(np.int8), where=which)


def _share(part: Float32, usual_kmh: Float32, which: Mask) -> Float32:
    """Divide by what is usual; 1 where nothing is compared."""
    return np.divide(part, usual_kmh, out=np.ones_like(part), where=which)


def _unusual(states: States, settings: Settings, share: Float32) -> Mask:
    deep = (share < DEEP) & (2 * states.odd >= settings.confirm_on)
    stays = (states.unusual == Abnormality.UNUSUAL) & (states.even < settings.confirm_off)
    unusual: Mask = (states.odd >= settings.confirm_on) | deep | stays
    return unusual


def _learn(states: States, share: Float32, which: Mask) -> None:
    """Move the running MAD towards the median of |1 - share|; unusual times do not count."""
    up = np.sign(np.abs(1 - share) - states.scatter)
    np.multiply(states.scatter, 1 + SCATTER_GAIN * up, out=states.scatter, where=which)
    np.clip(states.scatter, LEAST_SCATTER / 2, MOST_SCATTER, out=states.scatter)
