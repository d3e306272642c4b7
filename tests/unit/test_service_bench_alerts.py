"""What the benches of alerts and memory measure is what they say."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from sensors.kind import load_kinds
from service.bench import memory
from service.bench.alerts import _figures
from service.bench.jams import JAM_STEPS, STEP, TURN_STEPS, Jams
from service.bench.processes import BenchFailed
from service.score.stage import recorded_port

START = datetime(2026, 3, 2, tzinfo=UTC)


def standing(jams: Jams, number: int) -> set[str]:
    """The sites at which something stands at one step."""
    found = set()
    for readings in jams.step(number, START):
        for topic, payload in readings:
            said = {"speed_kmh": 99, "wait_s": 0, "teu_used": 0, "teu_capacity": 1, **json.loads(payload)}
            if said["speed_kmh"] < 20 or said["wait_s"] > 3600 or said["teu_used"] > 0.95 * said["teu_capacity"]:
                found.add(topic.split("/")[3])
    return found


def test_one_site_of_a_basin_stands_and_flows_again_before_the_next() -> None:
    jams = Jams(recorded_port(), load_kinds(), seed=1)
    first, second = ([standing(jams, turn * TURN_STEPS + step) for step in range(TURN_STEPS)] for turn in (0, 1))
    assert sorted(site[0] for site in first[0]) == ["E", "W"]
    assert first == [first[0]] * JAM_STEPS + [set()] * (TURN_STEPS - JAM_STEPS)
    assert not first[0] & second[0]


def test_one_reading_of_each_basin_completes_a_step_and_none_is_left_out() -> None:
    port = recorded_port()
    ahead, completing, rest = Jams(port, load_kinds(), seed=1).step(0, START)
    readers = sum(sensor.kind == "travel_time" for sensor in port.sensors)
    assert len({one.topic for one in (*ahead, *completing, *rest)}) == len(port.sensors) - readers + len(port.corridors)
    assert len(completing) == 2
    assert 0 < len(ahead) < len(rest)


def alarm(at: datetime, arrived: float) -> tuple[float, dict[str, object]]:
    return arrived, {"id": "7", "time": at.isoformat(), "data": {"onset": (at - timedelta(minutes=1)).isoformat()}}


def test_the_reading_that_completes_is_that_of_the_first_step_beyond_the_window() -> None:
    """As of minute 5, known when readings of more than a minute later have come: those of step 13."""
    published = [float(step) for step in range(20)]
    figures = _figures([alarm(START + 10 * STEP, 13.08)], START, published)
    assert figures["p50_ms"] == 80.0
    assert figures["onset_p50_s"] == pytest.approx(60 + 90 + 0.08, abs=0.05)


def test_an_alarm_before_its_reading_ends_the_measurement() -> None:
    with pytest.raises(BenchFailed, match="alarm 7"):
        _figures([alarm(START + 10 * STEP, 12.9)], START, [float(step) for step in range(20)])


def test_parts_are_summed_and_the_simulators_counted_apart() -> None:
    found = [memory.Held("service", 80, 100), memory.Held("database", 5, 30), memory.Held("database", 7, 20)]
    figures = memory.figures([*found, memory.Held("simulators", 40, 60)])
    assert (figures["database_mb"], figures["without_simulators_mb"]) == (12, 92)
    assert (figures["largest_process_mb"], figures["largest_process_rss_mb"]) == (80, 100)


def test_a_process_is_looked_at_with_its_proportional_share() -> None:
    ours = next(memory.held(os.getpid()))
    assert ours.part == "service"
    assert 1 < ours.pss_mb <= ours.rss_mb
