"""What the benches of alerts and memory measure is what they say."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from sensors.kind import load_kinds
from service.bench import memory
from service.bench.alerts import _figures
from service.bench.jams import STEP, Jams, places
from service.bench.processes import BenchFailed
from service.score.stage import recorded_port

START = datetime(2026, 3, 2, tzinfo=UTC)


SIGNS = {
    "traffic": lambda said: said["speed_kmh"] < 20,
    "gate": lambda said: said["wait_s"] > 3600,
    "yard": lambda said: said["teu_used"] > 0.95 * said["teu_capacity"],
    "crane": lambda said: said["state"] == "fault",
    "reefer": lambda said: said["plugs_failed"] > 10,
}


def test_what_stands_is_said_by_all_sensors_of_its_kind_at_its_site_and_by_nobody_else() -> None:
    port = recorded_port()
    jams, where = Jams(port, load_kinds(), seed=1), places(port)
    for number in range(40):
        said: dict[tuple[str, str], set[bool]] = {}
        for topic, payload in (reading for part in jams.step(number, START) for reading in part):
            *_, site, _thing, kind = topic.split("/")
            if kind in SIGNS:
                said.setdefault((site, kind), set()).add(SIGNS[kind](json.loads(payload)))
        standing = {(place.site, place.kind) for place in where if place.at(number)}
        assert said == {place: {place in standing} for place in said}
        assert standing <= said.keys()


def test_few_places_begin_together_and_each_stands_again_and_again() -> None:
    where = places(recorded_port())
    began = [sum(one.at(number) and not one.at(number - 1) for one in where) for number in range(504)]
    assert (len(where), max(began)) == (21, 2)
    assert sum(count == 1 for count in began) > 2 * sum(count > 1 for count in began)
    assert sum(began) > 504 / 3  # and a road that is jammed both ways is two alarms


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
