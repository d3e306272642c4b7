"""Expected ends against ends: how far off they were when a situation was found, and how often the range held it.

What became part of another situation is over when that is: so the driver who stands in it sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from analytics.situations.situation import Expectation, Situation, Step
from service.evaluate.drive import Shown

_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Endings:
    """Of all situations that ended; NaN without any.

    constant: the error of the best constant life, known only afterwards. coverage: share of the ranges of 80 % that
    held the end.
    """

    end_error_median_min: float
    end_error_constant_min: float
    end_coverage_80: float


def endings(shown: Shown) -> Endings:
    """Score what was said when each situation was announced."""
    first = {one.situation.id: one.situation for one in shown.notices if one.step is Step.BEGAN}
    over = {one.id: one for one in shown.situations if one.end_us is not None}
    told = [
        (found.expected_end, end_us, found.at_us)
        for name, found in first.items()
        if found.expected_end is not None and (end_us := _end_us(name, over)) is not None
    ]
    if not told:
        return Endings(nan, nan, nan)
    expected = np.array([_bounds(end) for end, _, _ in told], np.int64)
    ends_us, at_us = (np.array([row[place] for row in told], np.int64) for place in (1, 2))
    left = ends_us - at_us
    held = (expected[:, 0] <= ends_us) & (ends_us <= expected[:, 2])
    return Endings(
        end_error_median_min=_median_min(expected[:, 1] - ends_us),
        end_error_constant_min=_median_min(left - round(float(np.median(left)))),
        end_coverage_80=float(held.mean()),
    )


def _bounds(end: Expectation) -> tuple[int, int, int]:
    return end.low_us, end.median_us, end.high_us


def _end_us(name: str, over: dict[str, Situation]) -> int | None:
    """Return when a situation was over, with what it became part of; None where that still stands."""
    seen = {name}
    while name in over and (host := over[name].parent) is not None and host not in seen:
        name = host
        seen.add(name)
    return over[name].end_us if name in over else None


def _median_min(off_us: NDArray[np.int64]) -> float:
    return float(np.median(np.abs(off_us))) / _MINUTE_US
