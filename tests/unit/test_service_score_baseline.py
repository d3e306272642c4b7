from __future__ import annotations

import json
from typing import Any

import pytest

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.score.baseline import Baseline, rules_of
from service.score.feed import said
from service.score.spans import Span

RULES = rules_of(shipped_catalogue(), load_kinds())
TOPIC = {
    "W02-F1": "traffic",
    "W07-G1": "gate",
    "W08-Y1": "yard",
    "W09-P1": "parking",
    "E02-R1": "reefer",
    "W08-S1": "crane",
}


def told(sensor: str, *readings: dict[str, Any] | bytes, kind: str | None = None) -> list[tuple[str, str]]:
    """Type and time of what it says of readings that come one a minute."""
    baseline = Baseline(RULES)
    for minute, reading in enumerate(readings):
        payload = reading if isinstance(reading, bytes) else json.dumps({"time": at(minute)} | reading).encode()
        baseline.take(f"vigie/1/readings/{sensor[:3]}/{sensor}/{kind or TOPIC[sensor]}", payload)
    assert baseline.taken == len(readings)
    return [(one["type"].split(".")[2], one["time"]) for one in baseline.told]


def at(minute: int) -> str:
    return f"2025-03-03T07:{minute:02}:00Z"


def test_a_road_alarms_under_60_percent_of_its_free_speed() -> None:
    free = RULES["W02-F1"].whole
    slow, fast = {"speed_kmh": 0.59 * free}, {"speed_kmh": 0.6 * free}
    assert told("W02-F1", fast, slow, slow, fast) == [("began", at(1)), ("ended", at(3))]


@pytest.mark.parametrize(
    ("sensor", "field", "limit"),
    [
        ("W07-G1", "wait_s", 1800.0),
        ("W08-Y1", "teu_used", 0.85),
        ("W09-P1", "occupied", 0.85),
        ("E02-R1", "plugs_failed", 3),
    ],
)
def test_others_alarm_at_the_limit_of_their_kind(sensor: str, field: str, limit: float) -> None:
    value = limit * RULES[sensor].whole
    assert told(sensor, {field: value * 0.99}, {field: value}, {field: value * 0.99}) == [
        ("began", at(1)),
        ("ended", at(2)),
    ]


def test_a_crane_alarms_while_it_says_that_it_is_stopped() -> None:
    states = [{"state": word} for word in ("working", "wind_stop", "fault", "idle")]
    assert told("W08-S1", *states) == [("began", at(1)), ("ended", at(3))]


def test_it_believes_every_number_and_passes_over_what_is_none() -> None:
    readings: list[dict[str, Any] | bytes] = [{"speed_kmh": None}, b"{", b"\xff", b"[1]", b"7", {"speed_kmh": "1"}, {}]
    assert told("W02-F1", *readings) == []
    assert told("W02-F1", {"speed_kmh": -99}) == [("began", at(0))]


def test_a_list_of_readings_is_taken_one_by_one() -> None:
    both = [{"time": at(0), "speed_kmh": 1}, {"time": at(1), "speed_kmh": 90}]
    assert told("W02-F1", json.dumps(both).encode()) == [("began", at(0)), ("ended", at(1))]


def test_other_sensors_and_passages_of_gates_are_not_judged() -> None:
    assert told("W07-G1", {"wait_s": 9999}, kind="passage") == []
    assert told("W06-W1", {"mean_ms": 40}, kind="wind") == []


def test_its_feed_has_pages_and_can_be_scored() -> None:
    baseline = Baseline(RULES)
    for minute in range(5):
        speed = 1 if minute % 2 == 0 else 90
        payload = json.dumps({"time": at(minute), "speed_kmh": speed}).encode()
        baseline.take("vigie/1/readings/W02/W02-F1/traffic", payload)
    first = baseline.page(0, 2)
    assert (len(first["items"]), first["next"], first["more"]) == (2, "2", True)
    last = baseline.page(4, 2)
    assert (len(last["items"]), last["next"], last["more"]) == (1, "5", False)
    assert len(said(baseline.told, Span(0, 2e9)).episodes) == 3
