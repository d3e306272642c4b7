"""Chance as a function of time: the same seed and instant give the same value, whenever the world was started."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def smooth_noise(seed: int, stream: int, at_s: float, knot_s: float, n: int) -> NDArray[np.float64]:
    """N independent values of mean 0 and deviation 1 that wander from knot to knot, every `knot_s` seconds.

    `stream` separates the quantities of one seed from each other.
    """
    knot, part = divmod(at_s, knot_s)
    part /= knot_s
    weight = part * part * (3 - 2 * part)
    before, after = _knot(seed, stream, int(knot), n), _knot(seed, stream, int(knot) + 1, n)
    mixed: NDArray[np.float64] = (1 - weight) * before + weight * after
    mixed /= np.hypot(weight, 1 - weight)
    return mixed


@lru_cache(maxsize=256)
def _knot(seed: int, stream: int, knot: int, n: int) -> NDArray[np.float64]:
    return np.random.default_rng((seed, stream, knot)).standard_normal(n)
