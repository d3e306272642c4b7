from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from service.score.ground import Event, Ground, Injected, Slowed
from service.score.spans import Span
from service.score.tally import Tally, table, tallied
from service.score.watch import watch_of

WATCH = watch_of(shipped_catalogue())
MIN = 60.0
DAY_MIN = 1440.0
KEYS = [
    "scenario",
    "seeds",
    "events",
    "sensor_days",
    "detection_rate",
    "false_alarms",
    "false_per_sensor_day",
    "detect_median_min",
    "cause_right",
    "cause_wrong",
    "faults",
    "faults_right",
    "alarms_from_faults",
    "true_events_muted",
    "end_error_median_min",
    "end_error_constant_min",
    "end_coverage_80",
]

PLACES = {"W02-F1": "W01-W02", "W03-F1": "W02-W03", "W07-G1": "W07-G1", "W08-Y1": "W08-Y1"}


def alert(at_min: float, kind: str, subject: str, **data: Any) -> dict[str, Any]:
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=at_min)
    return {"id": f"{at_min:g}", "type": f"vigie.{kind}.v1", "subject": subject, "time": time.isoformat(), "data": data}


def span(start: float, end: float) -> Span:
    return Span(start * MIN, end * MIN)


def jam(name: str, sensor: str, start: float, end: float, cause: str | None = None) -> Event:
    return Event(name, span(start, end), cause, frozenset({sensor}), {PLACES[sensor]: (span(start, end),)})


def ground(*events: Event, seed: int = 1, **rest: Any) -> Ground:
    return Ground("made", seed, span(0, DAY_MIN), events, **rest)


def test_nothing_at_all_gives_null_rates_and_zero_counts() -> None:
    (_, pooled) = table([("quiet", tallied(ground(), [], WATCH))])
    assert list(pooled) == KEYS
    assert pooled == {
        "scenario": "all",
        "seeds": 1,
        "events": 0,
        "sensor_days": WATCH.sensors,
        "detection_rate": None,
        "false_alarms": 0,
        "false_per_sensor_day": 0.0,
        "detect_median_min": None,
        "cause_right": None,
        "cause_wrong": None,
        "faults": 0,
        "faults_right": None,
        "alarms_from_faults": 0,
        "true_events_muted": 0,
        "end_error_median_min": None,
        "end_error_constant_min": None,
        "end_coverage_80": None,
    }
    assert Tally().figures("none")["false_per_sensor_day"] is None


def test_one_day_with_everything_in_it() -> None:
    truth = ground(
        jam("e1", "W02-F1", 100, 160, "incident"),
        jam("e2", "W07-G1", 300, 400, "gate_outage"),
        jam("e3", "W08-Y1", 600, 700),
        slowed=(Slowed("W02-W03", frozenset({"W03-F1"}), span(500, 520)),),
        faults=(
            Injected(Fault.STUCK, "W03-F1", span(800, 1000)),
            Injected(Fault.SPIKE, "W08-Y1", span(550, 800)),
            Injected(Fault.SPIKE, "W08-Y2", span(550, 560)),
        ),
    )
    feed = [
        alert(102, "congestion.began", "W02-F1", cause="accident"),
        alert(170, "congestion.ended", "W02-F1"),
        alert(306, "congestion.began", "W07-G1", cause="surge"),
        alert(390, "congestion.ended", "W07-G1"),
        alert(505, "congestion.began", "W03-F1"),
        alert(515, "congestion.ended", "W03-F1"),
        alert(580, "sensor.faulty", "W08-Y1", fault="drift"),
        alert(830, "congestion.began", "W03-F1"),
        alert(840, "congestion.ended", "W03-F1"),
        alert(850, "sensor.faulty", "W03-F1", fault="stuck"),
        alert(1200, "congestion.began", "W02-F1"),
        alert(1210, "congestion.lost", "W02-F1"),
    ]
    figures = tallied(truth, feed, WATCH).figures("made")
    assert figures == {
        "scenario": "made",
        "seeds": 1,
        "events": 3,
        "sensor_days": WATCH.sensors,
        "detection_rate": 0.6667,
        "false_alarms": 2,
        "false_per_sensor_day": round(2 / WATCH.sensors, 4),
        "detect_median_min": 4.0,
        "cause_right": 0.5,
        "cause_wrong": 0.5,
        "faults": 2,
        "faults_right": 0.5,
        "alarms_from_faults": 1,
        "true_events_muted": 1,
        "end_error_median_min": None,
        "end_error_constant_min": None,
        "end_coverage_80": None,
    }


def test_runs_are_pooled_by_their_events_and_not_by_their_rates() -> None:
    first = tallied(ground(jam("e1", "W02-F1", 100, 160), seed=1), [alert(101, "congestion.began", "W02-F1")], WATCH)
    missed = [jam(f"e{number}", "W02-F1", 100 * number, 100 * number + 50) for number in range(1, 4)]
    second = tallied(ground(*missed, seed=2), [], WATCH)
    *_, pooled = table([("one", first), ("other", second)])
    assert (pooled["scenario"], pooled["seeds"], pooled["events"], pooled["detection_rate"]) == ("all", 2, 4, 0.25)
    assert pooled["detect_median_min"] == 1.0


def test_causes_are_null_only_where_nothing_names_any() -> None:
    truth = ground(jam("e1", "W02-F1", 100, 160, "incident"))
    silent = tallied(truth, [alert(101, "congestion.began", "W02-F1")], WATCH).figures("made")
    unsure = tallied(truth, [alert(101, "congestion.began", "W02-F1", cause="unknown")], WATCH).figures("made")
    assert (silent["cause_right"], silent["cause_wrong"]) == (None, None)
    assert (unsure["cause_right"], unsure["cause_wrong"]) == (0.0, 0.0)


def test_the_sensors_that_can_be_false_are_all_but_wind_and_readers() -> None:
    kinds = [sensor.kind for sensor in shipped_catalogue().sensors]
    assert WATCH.sensors == sum(kind not in {"wind", "travel_time"} for kind in kinds) == 80


minutes = st.integers(0, int(DAY_MIN))
pieces = st.tuples(st.sampled_from(sorted(PLACES)), minutes, st.integers(2, 200))


@st.composite
def grounds(draw: st.DrawFn) -> Ground:
    found: list[Event] = []
    for number, (sensor, start, lasts) in enumerate(draw(st.lists(pieces, max_size=5))):
        new = jam(f"e{number}", sensor, start, start + lasts)
        if not any(new.sensors & old.sensors and new.span.touches(old.span.widened(MIN)) for old in found):
            found.append(new)
    return ground(*found).cut(span(0, DAY_MIN))


@st.composite
def feeds(draw: st.DrawFn) -> list[dict[str, Any]]:
    feed: list[dict[str, Any]] = []
    for sensor, start, lasts in draw(st.lists(pieces, max_size=8)):
        feed += [alert(start, "congestion.began", sensor), alert(start + lasts, "congestion.ended", sensor)]
    return feed


@given(grounds(), feeds(), st.randoms())
def test_the_order_of_the_feed_changes_nothing(truth: Ground, feed: list[dict[str, Any]], random: Any) -> None:
    apart = {one["time"]: one for one in feed}
    shuffled = list(apart.values())
    random.shuffle(shuffled)
    assert tallied(truth, shuffled, WATCH) == tallied(truth, list(apart.values()), WATCH)


@given(grounds(), feeds(), pieces)
def test_one_more_alarm_never_loses_an_event_and_never_mends_a_false_one(
    truth: Ground, feed: list[dict[str, Any]], piece: tuple[str, int, int]
) -> None:
    _, start, lasts = piece
    # A subject of its own over the same place: alarms of one subject would join.
    more = [*feed, alert(start, "congestion.began", "W01-W03"), alert(start + lasts, "congestion.ended", "W01-W03")]
    before, after = tallied(truth, feed, WATCH), tallied(truth, more, WATCH)
    assert len(after.detected_after_s) >= len(before.detected_after_s)
    assert after.false_alarms >= before.false_alarms
    assert after.events == before.events


@given(grounds())
def test_who_says_nothing_detects_nothing_and_is_never_wrong(truth: Ground) -> None:
    found = tallied(truth, [], WATCH)
    assert (found.detected_after_s, found.false_alarms, found.muted) == ((), 0, 0)


@given(grounds())
def test_who_always_alarms_detects_everything_and_is_found_out(truth: Ground) -> None:
    feed = [alert(-60, "congestion.began", sensor) for sensor in PLACES]
    found = tallied(truth, feed, WATCH)
    assert len(found.detected_after_s) == found.events
    assert found.events == sum(event.span.length_s >= 120 for event in truth.events)
    assert all(after_s == 0 for after_s in found.detected_after_s)
    free = {sensor for sensor in PLACES if all(sensor not in event.sensors for event in truth.events)}
    assert found.false_alarms >= len(free)


@given(grounds())
def test_who_says_exactly_what_is_so_is_perfect(truth: Ground) -> None:
    feed: list[dict[str, Any]] = []
    for event in truth.events:
        (sensor,), (start_s, end_s) = event.sensors, event.span
        feed += [alert(start_s / MIN, "congestion.began", sensor), alert(end_s / MIN, "congestion.ended", sensor)]
    found = tallied(truth, feed, WATCH)
    assert len(found.detected_after_s) == found.events
    assert found.false_alarms == 0


@given(grounds(), grounds())
def test_pooling_does_not_depend_on_the_order_of_runs(one: Ground, other: Ground) -> None:
    mine, theirs = tallied(one, [], WATCH), tallied(other, [], WATCH)
    assert (mine + theirs).figures("all") == (theirs + mine).figures("all")


@pytest.mark.parametrize(
    ("start", "end", "events", "days"), [(0, 1440, 2, 1.0), (0, 200, 1, 200 / 1440), (700, 900, 0, 200 / 1440)]
)
def test_a_part_of_a_run_is_scored_by_what_lies_in_it(start: float, end: float, events: int, days: float) -> None:
    truth = ground(jam("e1", "W02-F1", 100, 160), jam("e2", "W02-F1", 300, 400))
    found = tallied(truth.cut(span(start, end)), [], WATCH)
    assert found.events == events
    assert found.sensor_days == pytest.approx(days * WATCH.sensors)
