from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault, Scope
from simulators.faults.chance import SLOW, WINDOW_S, Span, random_injections
from simulators.faults.injection import Injection, check_all

CATALOGUE = shipped_catalogue()
HOUR = 3600.0
CONGESTED: list[Span] = [
    *((f"W15-F{lane}", 3 * HOUR, 4 * HOUR) for lane in (1, 2, 3, 4)),
    ("W07-G1", 2 * HOUR, 3 * HOUR),
    ("W07-G1", 8 * HOUR, 9 * HOUR),
    ("W12-W01", 4 * HOUR, 5 * HOUR),
]


def made(
    seed: int,
    *,
    hours: float = 12,
    share: float = 0.1,
    congested: list[Span] = CONGESTED,
    whats: tuple[Fault, ...] = tuple(Fault),
) -> tuple[Injection, ...]:
    return random_injections(
        CATALOGUE,
        share=share,
        start_s=0,
        end_s=hours * HOUR,
        rng=np.random.default_rng(seed),
        congested=congested,
        whats=whats,
    )


def during(injection: Injection) -> bool:
    return any(
        sensor == injection.where and injection.start_s < end_s and start_s < injection.end_s
        for sensor, start_s, end_s in CONGESTED
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_share_of_the_sensors_has_a_fault_a_quarter_of_them_during_congestion(seed: int) -> None:
    injections = made(seed)
    check_all(injections, CATALOGUE)
    assert len(injections) == math.ceil(0.1 * (82 + 14))
    assert len({injection.where for injection in injections}) == len(injections)
    assert sum(map(during, injections)) >= len(injections) / 4
    assert all(0 <= injection.start_s < injection.end_s <= 12 * HOUR for injection in injections)


def test_most_last_longer_than_the_longest_window() -> None:
    lasts_s = [one.end_s - one.start_s for seed in range(20) for one in made(seed)]
    assert 0.8 < np.mean([lasts > WINDOW_S for lasts in lasts_s]) < 1
    assert all(one.end_s - one.start_s >= 0.4 * HOUR for one in made(1, hours=1))


def test_faults_that_need_days_last_days_in_a_run_of_days() -> None:
    found = [one for seed in range(20) for one in made(seed, hours=240, congested=[]) if one.what in SLOW]
    assert {one.what for one in found} == SLOW
    assert all(one.end_s - one.start_s >= 0.4 * 240 * HOUR for one in found)


def test_every_kind_of_fault_comes_up_over_many_runs_and_none_twice_in_one() -> None:
    seen = Counter(one.what for seed in range(20) for one in made(seed))
    assert set(seen) == set(Fault)
    assert all(len({one.what for one in made(seed)}) == 10 for seed in range(20))


def test_only_the_faults_asked_for_come_up_again_and_again() -> None:
    whats = (Fault.STUCK, Fault.SITE_DOWN)
    assert Counter(one.what for one in made(1, whats=whats)).keys() == set(whats)
    assert made(1, whats=()) == ()
    assert {one.what.scope for one in made(3, whats=(Fault.NETWORK_DOWN,))} <= {Scope.BASIN}


def test_the_same_chance_gives_the_same_faults() -> None:
    assert repr(made(5)) == repr(made(5))
    assert made(5) != made(6)
