from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.score.feed import Episode, FeedError, Named, Verdict, said
from service.score.spans import Span

RUN = Span(0.0, 1000.0)


def alert(at_s: float, kind: str, subject: str = "W02-F1", **data: Any) -> dict[str, Any]:
    time = datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")
    return {"id": "7", "type": f"vigie.{kind}.v1", "subject": subject, "time": time, "data": data}


def test_an_alarm_lasts_from_began_to_ended_or_lost() -> None:
    feed = [
        alert(100, "congestion.began"),
        alert(150, "congestion.changed"),
        alert(200, "congestion.ended"),
        alert(300, "congestion.began"),
        alert(400, "congestion.lost"),
    ]
    assert said(feed, RUN).episodes == (Episode("W02-F1", Span(100, 200)), Episode("W02-F1", Span(300, 400)))


def test_an_alarm_that_never_ended_lasts_until_the_end_and_one_that_never_began_was_there_before() -> None:
    assert said([alert(100, "congestion.began")], RUN).episodes == (Episode("W02-F1", Span(100, 1000)),)
    assert said([alert(100, "congestion.ended")], RUN).episodes == (Episode("W02-F1", Span(float("-inf"), 100)),)
    assert said([alert(100, "congestion.changed")], RUN).episodes == (Episode("W02-F1", Span(100, 1000)),)


def test_an_alarm_that_was_lost_is_closed_though_what_came_late_tells_that_it_went_on_and_ended() -> None:
    feed = [
        alert(100, "congestion.began"),
        alert(300, "congestion.lost"),
        alert(200, "congestion.began"),
        alert(400, "congestion.ended"),
    ]
    assert said(feed, RUN).episodes == (Episode("W02-F1", Span(100, 300)),)


def test_what_happened_after_the_end_or_ended_before_the_start_is_left_out() -> None:
    feed = [alert(1001, "congestion.began"), alert(-10, "congestion.began", "A"), alert(-5, "congestion.ended", "A")]
    assert said(feed, RUN).episodes == ()


def test_alerts_are_taken_in_order_of_time_whatever_their_order_in_the_feed() -> None:
    feed = [alert(200, "congestion.ended"), alert(100, "congestion.began")]
    assert said(feed, RUN).episodes == (Episode("W02-F1", Span(100, 200)),)


def test_verdicts_stand_beside_each_other_until_they_are_taken_back() -> None:
    feed = [
        alert(100, "sensor.silent"),
        alert(120, "sensor.faulty", fault="drift"),
        alert(150, "sensor.returned"),
        alert(180, "sensor.recovered", fault="drift"),
        alert(200, "sensor.faulty", "W02", fault="site_down"),
    ]
    assert set(said(feed, RUN).verdicts) == {
        Verdict("W02-F1", "silent", Span(100, 150)),
        Verdict("W02-F1", "drift", Span(120, 180)),
        Verdict("W02", "site_down", Span(200, 1000)),
    }


def test_a_recovery_that_names_no_fault_takes_all_back() -> None:
    feed = [
        alert(120, "sensor.faulty", fault="drift"),
        alert(130, "sensor.faulty", fault="stuck"),
        alert(180, "sensor.recovered"),
    ]
    assert {(v.fault, v.span.end_s) for v in said(feed, RUN).verdicts} == {("drift", 180), ("stuck", 180)}


def test_alarm_without_a_word_on_causes_hides_no_situation_that_has_one() -> None:
    feed = [
        alert(100, "congestion.began", "W06-S1"),
        alert(100, "situation.began", "S1", cause="wind_stop", sensors=["W06-S1"]),
    ]
    assert [hint.about for hint in said(feed, RUN).hints] == [{"S1", "W06-S1"}]


def test_hints_come_from_situations_with_all_their_sensors_and_from_alarms() -> None:
    feed = [
        alert(100, "situation.began", "S1", cause="unknown", sensors=["W02-F1"], places=["W01-W02"]),
        alert(130, "situation.changed", "S1", cause="surge", sensors=["W03-F1"]),
        alert(200, "situation.ended", "S1", cause="surge"),
        alert(110, "congestion.began", "W02-F1", cause="accident"),
    ]
    found = said(feed, RUN)
    by_subject = {min(hint.about): hint for hint in found.hints}
    assert by_subject["S1"].about == {"S1", "W02-F1", "W03-F1", "W01-W02"}
    assert by_subject["S1"].span == Span(100, 200)
    assert by_subject["S1"].named == (
        Named(Span(100, 130), frozenset({"S1", "W02-F1", "W01-W02"}), ""),
        Named(Span(130, 200), frozenset({"S1", "W03-F1"}), "surge"),
        Named(Span(200, 200), frozenset({"S1"}), "surge"),
    )
    assert by_subject["W02-F1"].named == (Named(Span(110, RUN.end_s), frozenset({"W02-F1"}), "accident"),)


def test_a_situation_is_no_alarm_of_a_sensor() -> None:
    assert said([alert(100, "situation.began", "S1", cause="surge")], RUN).episodes == ()


@pytest.mark.parametrize(("data", "names"), [({}, False), ({"cause": None}, True), ({"cause": "unknown"}, True)])
def test_a_system_that_says_unknown_does_name_causes(data: dict[str, Any], *, names: bool) -> None:
    assert said([alert(100, "congestion.began", **data)], RUN).hints_causes is names


def test_other_events_of_the_feed_are_passed_over() -> None:
    found = said([alert(100, "aggregate.revised"), alert(100, "appointments.changed", "EURFO")], RUN)
    assert (found.episodes, found.verdicts, found.hints) == ((), (), ())


@pytest.mark.parametrize(
    "change", [{"time": "yesterday"}, {"time": "2026-03-02T07:14:00"}, {"type": None}, {"data": 7}, {"subject": 3}]
)
def test_an_alert_that_is_none_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(FeedError, match="alert '7' is no CloudEvent"):
        said([alert(100, "congestion.began") | change], RUN)
