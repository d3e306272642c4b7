from __future__ import annotations

import doctest

import numpy as np
import pytest

from analytics import turns
from analytics.turns import Quantiles, quantiles


def test_quantiles_are_those_of_numpy() -> None:
    sample = np.random.default_rng(3).lognormal(np.log(1700), 0.35, 500)
    found = quantiles(sample)
    assert found == pytest.approx(np.quantile(sample, [0.5, 0.9, 0.95]), abs=0.05)


@pytest.mark.parametrize(("count", "known"), [(0, 0), (1, 0), (2, 1), (9, 1), (10, 2), (19, 2), (20, 3), (1000, 3)])
def test_a_quantile_needs_a_turn_beyond_it(count: int, known: int) -> None:
    found = quantiles(range(count))
    assert [value is not None for value in found] == [True] * known + [False] * (3 - known)


def test_nothing_is_no_quantile() -> None:
    assert quantiles([]) == Quantiles(None, None, None)


def test_the_example_holds() -> None:
    assert doctest.testmod(turns).failed == 0
