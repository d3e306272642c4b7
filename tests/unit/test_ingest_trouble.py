from __future__ import annotations

from random import Random

import structlog
from structlog.testing import capture_logs

from ingest.trouble import Trouble


def trouble(first_s: float = 1.0, longest_s: float = 8.0) -> Trouble:
    return Trouble("sink", structlog.get_logger(), Random(1), first_s=first_s, longest_s=longest_s)


def test_delays_double_up_to_the_longest_less_a_jitter_of_half() -> None:
    failing = trouble()
    delays = [failing.happened("down") for _ in range(6)]
    for delay, full in zip(delays, [1, 2, 4, 8, 8, 8], strict=True):
        assert full / 2 <= delay <= full
    assert len(set(delays)) == 6


def test_delays_begin_anew_after_it_was_over() -> None:
    again = trouble()
    for _ in range(5):
        again.happened("down")
    again.over()
    assert again.happened("down") <= 1.0


def test_the_thousandth_failure_is_still_a_finite_delay() -> None:
    long = trouble()
    assert max(long.happened("down") for _ in range(5_000)) <= 8.0


def test_the_same_failure_is_logged_once_and_its_end_with_the_count() -> None:
    with capture_logs() as logs:
        one = trouble()
        for detail in ["down", "down", "down", "full"]:
            one.happened(detail)
        one.over()
        one.over()
    assert [(entry["event"], entry["failures"]) for entry in logs] == [("sink", 1), ("sink", 4), ("sink: over", 4)]
