"""Clocks of sensors from when their readings arrive: offsets found, backlogs and wild timestamps not believed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clock import REFRESH_US, WINDOW_US, Clocks
from ingest.columns import ClockOffset

SECOND_US = 1_000_000
START_US = 1_772_438_400 * SECOND_US
assert START_US % WINDOW_US == 0
WINDOW_S = WINDOW_US // SECOND_US


class Heard:
    """One sensor: `hear` takes (received, delay) in seconds."""

    def __init__(self) -> None:
        self.clocks = Clocks(60)
        self.clocks.grow(1)

    def hear(self, arrivals: Iterable[tuple[float, float]]) -> list[bool]:
        pairs = list(arrivals)
        received = np.array([START_US + round(at * 1e6) for at, _ in pairs], np.int64)
        delay = np.array([round(delay * 1e6) for _, delay in pairs], np.int64)
        return self.clocks.observe(np.zeros(len(pairs), np.intp), delay, received).tolist()

    def told(self) -> list[ClockOffset]:
        return list(self.clocks.take(["A"], 10))

    @property
    def offset_s(self) -> float | None:
        told = self.told()
        return round(told[-1].offset_s, 3) if told else None


def steadily(delay_s: float, *, start_s: float = 0, for_s: float = 3 * WINDOW_S) -> list[tuple[float, float]]:
    """A reading every 30 s, with some seconds of jitter on the way."""
    jitter = [0.4, 0.1, 3.0, 0.2, 7.5]
    return [(start_s + n * 30, delay_s + jitter[n % 5]) for n in range(int(for_s // 30))]


@pytest.mark.parametrize("ahead_s", [0, 45, -45, 95, -95, 3600, -3600, 7200])
def test_a_steady_offset_is_known_after_two_windows(ahead_s: float) -> None:
    heard = Heard()
    off = heard.hear(steadily(-ahead_s))
    assert heard.offset_s == pytest.approx(ahead_s, abs=0.2)
    first_known = 2 * WINDOW_S // 30
    assert not any(off[:first_known])
    assert all(found is (abs(ahead_s) > 60) for found in off[first_known:])
    assert heard.clocks.off == (abs(ahead_s) > 60)


def test_one_window_alone_is_not_believed() -> None:
    heard = Heard()
    heard.hear(steadily(3600, for_s=WINDOW_S + 30))
    assert heard.offset_s is None


def test_a_backlog_that_drains_is_not_a_clock() -> None:
    heard = Heard()
    heard.hear(steadily(0.0))
    three_hours = [(900 + second, 10_800 - 9.0 * second) for second in range(1200)]
    assert not any(heard.hear(three_hours))
    heard.hear(steadily(0.0, start_s=2100))
    assert heard.offset_s == pytest.approx(-0.1)


def test_a_burst_among_readings_in_time_is_not_a_clock() -> None:
    heard = Heard()
    burst = [(WINDOW_S + 10.0, 7200.0 - 30 * n) for n in range(200)]
    heard.hear([*steadily(0, for_s=WINDOW_S), *burst, *steadily(0, start_s=WINDOW_S + 30)])
    assert heard.offset_s == pytest.approx(-0.1)


def test_one_wild_timestamp_is_not_believed() -> None:
    heard = Heard()
    arrivals = steadily(0, for_s=5 * WINDOW_S)
    arrivals[25] = (arrivals[25][0], -7200.0)
    assert not any(heard.hear(arrivals))
    assert heard.offset_s == pytest.approx(-0.1)


def test_a_clock_that_was_set_right_is_known_again_after_two_windows() -> None:
    heard = Heard()
    heard.hear(steadily(-7200))
    assert heard.offset_s == pytest.approx(7200, abs=0.2)
    off = heard.hear(steadily(0, start_s=3 * WINDOW_S))
    assert off[0] is True
    assert off[-1] is False
    assert heard.offset_s == pytest.approx(-0.1)
    assert heard.clocks.off == 0


def test_our_own_clock_set_back_closes_no_window_twice() -> None:
    heard = Heard()
    heard.hear([(0, 0), (WINDOW_S, 0), (WINDOW_S - 100, 0), (WINDOW_S + 1, 0)])
    assert heard.offset_s is None
    heard.hear([(2 * WINDOW_S, 0)])
    assert heard.offset_s == 0


def test_an_offset_is_told_when_it_moves_and_now_and_then() -> None:
    heard = Heard()
    heard.hear(steadily(0, for_s=3 * WINDOW_S))
    assert len(heard.told()) == 1
    assert heard.told() == []
    heard.hear(steadily(0.5, start_s=3 * WINDOW_S))
    assert heard.told() == []
    heard.hear(steadily(0.5, start_s=6 * WINDOW_S, for_s=REFRESH_US // SECOND_US))
    assert len(heard.told()) == 1
    heard.hear(steadily(5, start_s=6 * WINDOW_S + REFRESH_US // SECOND_US))
    assert len(heard.told()) == 1


def test_few_are_told_at_once_and_the_others_next() -> None:
    clocks = Clocks(60)
    clocks.grow(25)
    places, none = np.arange(25), np.zeros(25, np.int64)
    for window in range(3):
        clocks.observe(places, none, np.full(25, START_US + window * WINDOW_US))
    things = [f"S{place}" for place in range(25)]
    told = [[offset.thing for offset in clocks.take(things, 10)] for _ in range(4)]
    assert [len(part) for part in told] == [10, 10, 5, 0]
    assert sorted(thing for part in told for thing in part) == sorted(things)


@given(
    st.lists(
        st.tuples(st.floats(0, 5 * WINDOW_S), st.sampled_from([0.0, 1.0, 90.0, -3600.0])), min_size=1, max_size=40
    ),
    st.lists(st.integers(1, 39), max_size=5),
)
def test_cutting_arrivals_into_batches_changes_nothing(arrivals: list[tuple[float, float]], cuts: list[int]) -> None:
    whole, parts = Heard(), Heard()
    expected = whole.hear(arrivals)
    edges = [0, *sorted(min(cut, len(arrivals)) for cut in cuts), len(arrivals)]
    found = [off for start, end in itertools.pairwise(edges) for off in parts.hear(arrivals[start:end])]
    assert found == expected
    assert parts.told() == whole.told()
