"""The load that alarms put on an operator, in the measures of ISA-18.2 and EEMUA 191."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alarms.lifecycle import Priority
from analytics.alarms.load import Announcement, Flood, flood, load

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
END = START + 60 * MINUTE


def at(minutes: Iterable[float], source: str = "W07-G1", priority: Priority = Priority.LOW) -> list[Announcement]:
    return [Announcement(START + minute * MINUTE, source, priority) for minute in minutes]


def test_load_is_told_per_ten_minutes_and_operator() -> None:
    found = load(at([1, 2, 31, 32, 33, 59, 60, -1]), START, END, operators=2)
    assert (found.announced, found.per_span, found.busiest) == (6, 0.5, 3)


def test_a_flood_begins_with_ten_in_ten_minutes_and_ends_below_five() -> None:
    found = load(at([*range(10, 20), 24.5]), START, END)
    assert found.floods == [Flood(START + 19 * MINUTE, START + 26 * MINUTE, 10)]
    assert found.flooded_share == 7 / 60


def test_nine_in_ten_minutes_are_no_flood_and_a_flood_may_outlast_the_time() -> None:
    assert load(at(range(10, 19)), START, END).floods == []
    assert load(at([50 + n / 2 for n in range(20)]), START, END).floods == [Flood(START + 54.5 * MINUTE, None, 20)]


def test_a_source_chatters_with_three_calls_in_a_minute() -> None:
    calls = at([1, 1.4, 1.9, 2.2, 40, 40.5, 41]) + at([1, 2, 3], "W12-F1")
    assert load(calls, START, END).chattering == {"W07-G1": 2}


def test_the_ten_worst_sources_and_their_share() -> None:
    calls = [one for n in range(12) for one in at(range(n, n + 2), f"S{n}")] + at(range(6), "S0")
    found = load(calls, START, END)
    assert (found.worst[0], len(found.worst)) == (("S0", 8), 10)
    assert found.worst_share == 26 / 30


def test_priorities_are_counted_and_nothing_has_no_shares() -> None:
    found = load(at([1], priority=Priority.HIGH) + at([2, 3]), START, END)
    assert found.split == {Priority.LOW: 2, Priority.MEDIUM: 0, Priority.HIGH: 1}
    assert load([], START, END).worst_share is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 119), max_size=60))
def test_floods_found_afterwards_are_those_declared_live(halves: list[int]) -> None:
    """Looking all the time while it happens finds the same floods as the KPI over the stored calls."""
    times = sorted(START + half * MINUTE / 2 for half in halves)
    live: list[Flood] = []
    last: Flood | None = None
    for half in range(120):
        now = START + half * MINUTE / 2
        last = flood(last, [time for time in times if now - 10 * MINUTE < time <= now], now)
        if last is not None and last.ended_at is not None:
            live.append(last)
            last = None
    found = load([Announcement(time, "s", Priority.LOW) for time in times], START, END).floods
    assert found == ([*live, last] if last else live)
