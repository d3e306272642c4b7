"""Turn times as quantiles. Never the mean: half a dozen lorries that stay for hours say more in it than all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

SHARES = (0.50, 0.90, 0.95)


class Quantiles(NamedTuple):
    """Seconds under which 50, 90 and 95 % of the turns stay; None where there are too few to say so."""

    p50_s: float | None
    p90_s: float | None
    p95_s: float | None


def quantiles(turns_s: Iterable[float]) -> Quantiles:
    """Interpolate linearly, as numpy and SQL do (type 7 of Hyndman and Fan, American Statistician 50, 1996).

    A quantile needs 1 / (1 - share) turns, one of which lies beyond it: 2, 10 and 20.

    >>> quantiles([1500, 1800, 1900])
    Quantiles(p50_s=1800.0, p90_s=None, p95_s=None)
    """
    turns = np.fromiter(turns_s, np.float64)
    enough = [round(len(turns) * (1 - share), 9) >= 1 for share in SHARES]
    found = np.quantile(turns, SHARES) if len(turns) else np.zeros(len(SHARES))
    known = zip(found.tolist(), enough, strict=True)
    return Quantiles(*(round(value, 1) if may else None for value, may in known))
