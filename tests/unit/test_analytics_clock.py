from __future__ import annotations

import msgspec
import numpy as np

from analytics.clock import LONGEST_INSTANT_US, WALL, GroupClock, group_names, reached
from analytics.state import NEVER
from sensors.catalogue import Catalogue, Site

SECOND = 1_000_000
HOUR = 3600 * SECOND


def follow(clock: GroupClock, rows: list[tuple[int, int]]) -> list[int]:
    """Rows of thing and time, each arriving in an instant of its own."""
    thing, time_us = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return clock.follow(thing.astype(np.intp), time_us, np.arange(len(rows), dtype=np.int64)).latest_us.tolist()


def test_a_clock_alone_is_that_of_its_only_thing() -> None:
    assert follow(GroupClock(1), [(0, 5), (0, 9), (0, 7)]) == [5, 9, 9]


def test_a_wild_timestamp_does_not_move_a_group() -> None:
    clock = GroupClock(20)
    follow(clock, [(thing, 100 * SECOND) for thing in range(20)])
    assert follow(clock, [(3, 9 * HOUR), (4, 8 * HOUR)]) == [100 * SECOND] * 2


def test_a_group_goes_on_while_a_part_of_it_speaks() -> None:
    clock = GroupClock(20)
    follow(clock, [(thing, 100 * SECOND) for thing in range(20)])
    follow(clock, [(thing, 160 * SECOND) for thing in range(3)])
    assert clock.now_us == 160 * SECOND


def test_an_old_burst_does_not_turn_the_clock_back() -> None:
    clock = GroupClock(4)
    follow(clock, [(thing, HOUR) for thing in range(4)])
    assert follow(clock, [(0, 0), (0, SECOND), (0, 2 * SECOND)]) == [HOUR] * 3


def test_who_sent_several_in_one_instant_sent_them_one_after_the_other() -> None:
    clock = GroupClock(4)
    follow(clock, [(thing, 0) for thing in range(4)])
    thing = np.repeat(np.arange(4), 5)
    times = np.tile(np.arange(1, 6) * 60 * SECOND, 4)
    arrived = clock.follow(thing, times, np.full(20, 7))
    assert set(arrived.earliest_us.tolist()) == {0}
    assert set(arrived.latest_us.tolist()) == {300 * SECOND}
    assert np.abs(arrived.likely_us - times).max() <= 30 * SECOND


def test_nothing_is_late_in_an_instant_that_most_of_a_group_fill() -> None:
    clock, thing = GroupClock(12), np.repeat(np.arange(12), 60)
    for hour in range(2):
        times = hour * HOUR + np.tile(np.arange(60) * 60 * SECOND, 12)
        arrived = clock.follow(thing, times, np.full(720, hour))
        assert (arrived.earliest_us <= times).all()


def test_what_one_kept_back_is_late_after_a_silence_of_all() -> None:
    clock = GroupClock(12)
    follow(clock, [(thing, 0) for thing in range(12)])
    kept = np.arange(60) * 120 * SECOND
    thing, times = np.append(np.arange(12), np.zeros(60, np.int64)), np.append(np.full(12, 2 * HOUR), kept)
    arrived = clock.follow(thing, times, np.full(72, 99))
    assert set(arrived.earliest_us.tolist()) == {2 * HOUR - LONGEST_INSTANT_US}


def test_nobody_heard_is_no_time() -> None:
    assert reached(np.full(3, -NEVER, np.int64)) == -NEVER


def test_sites_of_the_port_share_a_clock_and_each_recording_has_its_own() -> None:
    wall = Site(id="W01", name="", basin="west")
    replayed = [msgspec.structs.replace(wall, id=name, clock="recording") for name in ("W02", "E01")]
    alone = [Site(id=name, name="", basin="recording", clock="recording") for name in ("la", "nab")]
    groups = group_names(Catalogue(sites=(wall, *replayed, *alone), sensors=()))
    assert groups["W01"] == WALL
    assert groups["W02"] == groups["E01"] != WALL
    assert len({groups["la"], groups["nab"], groups["W02"]}) == 3
