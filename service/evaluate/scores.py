"""Scores of alarms against a truth, as the recordings' description defines them. Knows nothing of detectors.

An alarm episode is a maximal run of an alarm of one station. It is true when it touches a truth event widened on both
sides, else a nuisance when it touches what is neither here nor there, else false. Precision and F1 count false alarms
and not nuisance: a driver in slow traffic does not call that wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from service.evaluate.runs import Mask, Runs, runs_of

COARSE_FROM_S = 120.0
"""Intervals from which a recording is scored as 5-min data, below as 30-s data; between the two nothing is defined."""
WIDEN_COARSE_S, WIDEN_FINE_S = 900.0, 300.0
"""Seconds by which an alarm may miss a truth event and still be true."""
SMOOTH_COARSE_S, SMOOTH_FINE_S = 1500.0, 300.0
"""Width of the centred median that truth is made of."""
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Scores:
    """Rates as fractions of 1 or per station-day; delays in minutes, negative is early; NaN where nothing was scored.

    alarms_per_event: how many alarms touch an event that was found; an alarm over two events counts in both.
    """

    events: int
    detection_rate: float
    false_per_station_day: float
    nuisance_per_station_day: float
    precision: float
    f1: float
    delay_mean_min: float
    delay_median_min: float
    delay_p90_min: float
    alarms_per_event: float


def score(alarm: Mask, event: Mask, slowed: Mask, interval_s: float) -> Scores:
    """Score alarms; all of shape (times, stations), `slowed` where an alarm is neither true nor false."""
    alarms, events = runs_of(alarm), runs_of(event)
    widened = events.widened(widening(interval_s))
    touching, true = widened.touched_by(alarms), alarms.touched_by(widened) > 0
    found = touching > 0
    band = alarms.touched_by(runs_of(slowed)) > 0
    station_days = alarm.size * interval_s / _DAY_S
    wrong, nuisance = int((~true & ~band).sum()), int((~true & band).sum())
    detection = _share(found.sum(), len(events))
    precision = _share(true.sum(), int(true.sum()) + wrong)
    delays = _delays(alarms, events, widened, found) * interval_s / 60
    return Scores(
        events=len(events),
        detection_rate=detection,
        false_per_station_day=wrong / station_days,
        nuisance_per_station_day=nuisance / station_days,
        precision=precision,
        f1=2 * precision * detection / (precision + detection) if precision + detection > 0 else nan,
        delay_mean_min=float(delays.mean()) if len(delays) else nan,
        delay_median_min=float(np.median(delays)) if len(delays) else nan,
        delay_p90_min=float(np.percentile(delays, 90)) if len(delays) else nan,
        alarms_per_event=_share(touching.sum(), found.sum()),
    )


def widening(interval_s: float) -> int:
    """Steps by which truth events are widened."""
    return int((WIDEN_COARSE_S if interval_s >= COARSE_FROM_S else WIDEN_FINE_S) // interval_s)


def _delays(alarms: Runs, events: Runs, widened: Runs, found: Mask) -> NDArray[np.int64]:
    """Steps from the onset of each found event to its first alarm; one that stood before is as early as can be."""
    first = alarms.first[widened.earliest(alarms)[found]]
    return np.maximum(first, widened.first[found]) - events.first[found]


def _share(part: np.integer | int, whole: np.integer | int) -> float:
    return float(part) / float(whole) if whole else nan


def smoothed(values: NDArray[np.float32], interval_s: float) -> NDArray[np.float32]:
    """Centred running median over time of (times, stations); missing values are left out, NaN where all are."""
    half = int((SMOOTH_COARSE_S if interval_s >= COARSE_FROM_S else SMOOTH_FINE_S) / interval_s / 2)
    padded = np.pad(values, ((half, half), (0, 0)), constant_values=np.nan)
    ordered = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0), axis=-1)
    known = np.isfinite(ordered).sum(axis=-1)
    low, high = (np.maximum(known - 1, 0) // 2)[..., None], (known // 2)[..., None]
    high = np.minimum(high, 2 * half)
    middle = (np.take_along_axis(ordered, low, -1) + np.take_along_axis(ordered, high, -1))[..., 0] / 2
    return np.where(known > 0, middle, np.float32(np.nan)).astype(np.float32)


def levels_exact(level: NDArray[np.int8], ratio: NDArray[np.float32]) -> float:
    """Share of known truth where the level is the one of `ratio`, smoothed speed over free speed; unknown is wrong."""
    true = (ratio < 0.75).astype(np.int8) + (ratio < 0.60) + (ratio < 0.35)  # noqa: PLR2004  the levels' definition
    known = np.isfinite(ratio)
    return _share((level == true)[known].sum(), known.sum())
