from __future__ import annotations

from typing import get_args

import pytest

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault, Scope
from service.score.feed import Hint, Named, Verdict
from service.score.ground import Event, Injected
from service.score.naming import RIGHT_WORDS, Cause, judged_causes, lasting, named_right
from service.score.spans import Span
from service.score.watch import watch_of
from service.score.windows import LONG_RUN_ONLY, WINDOW_S
from simulators.interventions import What

WATCH = watch_of(shipped_catalogue())
MIN = 60.0


def span(start: float, end: float) -> Span:
    return Span(start * MIN, end * MIN)


def verdict(fault: str, start: float, end: float = 900, subject: str = "W02-F1") -> Verdict:
    return Verdict(subject, fault, span(start, end))


STUCK = Injected(Fault.STUCK, "W02-F1", span(100, 400))


@pytest.mark.parametrize(
    ("verdicts", "right"),
    [
        ([], False),
        ([verdict("stuck", 160)], True),
        ([verdict("stuck", 99)], False),  # it was said before it was so
        ([verdict("stuck", 100)], True),
        ([verdict("stuck", 519)], True),  # within the window after the end
        ([verdict("stuck", 521)], False),
        ([verdict("drift", 160)], False),
        ([verdict("drift", 130), verdict("stuck", 160)], True),  # better knowledge comes later
        ([verdict("stuck", 130), verdict("drift", 160)], False),  # the last word counts: naming all is no knowledge
        ([verdict("stuck", 160), verdict("silent", 410)], True),  # what is said after it ended is about something else
        ([verdict("stuck", 130), verdict("silent", 160)], True),  # silence is part of many faults
        ([verdict("silent", 130), verdict("stuck", 450)], True),
        ([verdict("silent", 130)], False),
        ([verdict("stuck", 160), verdict("drift", 410)], True),
        ([verdict("stuck", 160, subject="W02-F2")], False),
        ([verdict("stuck", 160, subject="W02")], False),
    ],
)
def test_a_fault_is_named_right_by_the_last_word_on_its_own_subject(verdicts: list[Verdict], *, right: bool) -> None:
    assert named_right(STUCK, verdicts, WATCH) is right


@pytest.mark.parametrize(
    ("fault", "where", "verdicts", "right"),
    [
        (Fault.SITE_DOWN, "W02", [verdict("site_down", 105, subject="W02")], True),
        (Fault.SITE_DOWN, "W02", [verdict("silent", 105, subject="W02-F1")], False),
        (Fault.NETWORK_DOWN, "west", [verdict("network_down", 105, subject="west")], True),
        (Fault.NETWORK_DOWN, "west", [verdict("site_down", 105, subject="W02")], False),
        (Fault.LATE_BATCH, "W02-F1", [verdict("silent", 105), verdict("late_batch", 200)], True),
        (Fault.SILENT, "W02-F1", [verdict("silent", 105), verdict("insufficient", 150)], False),
        (Fault.SILENT, "W15-B1", [verdict("silent", 105, subject="W15-B1")], True),
        (Fault.SILENT, "W15-B1", [verdict("silent", 105, subject="W17-W15")], True),  # the reader speaks for it
        (Fault.SILENT, "W17-W15", [verdict("silent", 105, subject="W15-B1")], False),
    ],
)
def test_a_fault_is_named_where_it_is(fault: Fault, where: str, verdicts: list[Verdict], *, right: bool) -> None:
    assert named_right(Injected(fault, where, span(100, 200)), verdicts, WATCH) is right


def test_only_faults_that_lasted_their_window_count() -> None:
    window_min = WINDOW_S[Fault.STUCK] / MIN
    short = Injected(Fault.STUCK, "W02-F1", span(0, window_min - 1))
    enough = Injected(Fault.STUCK, "W02-F2", span(0, window_min))
    assert lasting([short, enough]) == [enough]


def test_every_fault_has_a_window_of_at_most_two_hours_unless_it_creeps() -> None:
    assert set(WINDOW_S) == set(Fault)
    assert {fault for fault, window_s in WINDOW_S.items() if window_s > 2 * 3600} == LONG_RUN_ONLY
    assert all(fault.scope is Scope.SENSOR for fault in LONG_RUN_ONLY)


def event(
    name: str, cause: str | None, place: str, start: float = 100, end: float = 200, *, kind: str = "section"
) -> Event:
    return Event(name, span(start, end), cause, frozenset({f"{place}-sensor"}), {place: (span(start, end),)}, kind)


def hint(about: str, *named: tuple[float, str], start: float = 100, end: float = 200) -> Hint:
    """A situation that names a cause at each instant, and none before."""
    told, things = [(start, ""), *named], frozenset(about.split())
    until = [*(at for at, _ in named), end]
    words = [Named(span(at, to), things, cause) for (at, cause), to in zip(told, until, strict=True)]
    return Hint(things, span(start, end), tuple(words))


OUTAGE = event("e1", "gate_outage", "A")


@pytest.mark.parametrize(
    ("cause", "hints", "expected"),
    [
        ("gate_outage", [], Cause.UNNAMED),
        ("gate_outage", [hint("A")], Cause.UNNAMED),
        ("gate_outage", [hint("A", (103, "gate_outage"))], Cause.RIGHT),
        ("gate_outage", [hint("A-sensor", (103, "gate_outage"))], Cause.RIGHT),
        ("gate_outage", [hint("B", (103, "gate_outage"))], Cause.UNNAMED),
        ("gate_outage", [hint("A", (103, "surge"))], Cause.WRONG),
        ("gate_outage", [hint("A", (103, "surge"), (110, "gate_outage"))], Cause.WRONG),
        ("gate_outage", [hint("A", (103, "gate_outage"), (110, "surge"))], Cause.WRONG),
        ("gate_outage", [hint("A", (103, "gate_outage"), (206, "surge"), end=300)], Cause.RIGHT),
        ("gate_outage", [hint("A", (10, "surge"), start=10, end=50)], Cause.UNNAMED),
        ("incident", [hint("A", (103, "accident"))], Cause.RIGHT),
        ("lane_closure", [hint("A", (103, "accident"))], Cause.WRONG),
        ("wind", [hint("A", (103, "wind_stop"))], Cause.RIGHT),
        (None, [hint("A", (103, "recurrent"))], Cause.NONE),
        ("gate_outage", [hint("A", (10, "gate_outage"), start=10)], Cause.RIGHT),  # a name stands until another is told
        ("gate_outage", [hint("A", (10, "surge"), (90, "gate_outage"), start=10)], Cause.RIGHT),  # before it began
        (None, [hint("A", (103, "accident"))], Cause.WRONG),
        (None, [], Cause.NONE),
    ],
)
def test_a_cause_is_right_when_nothing_else_was_ever_named(
    cause: str | None, hints: list[Hint], expected: Cause
) -> None:
    assert judged_causes([event("e1", cause, "A")], hints) == [expected]


def test_a_situation_may_tell_of_several_events() -> None:
    events = [event(f"e{k}", "wind", f"S{k}", kind="crane") for k in range(4)]
    assert judged_causes(events, [hint("S0 S1 S2 S3", (101, "wind_stop"))]) == [Cause.RIGHT] * 4
    assert judged_causes(events, [hint("S0 S1 S2 S3", (101, "surge"))]) == [Cause.WRONG] * 4


def test_a_name_that_fits_one_of_the_events_of_its_situation_leaves_the_other_unnamed() -> None:
    other = event("e2", "incident", "B")
    assert judged_causes([OUTAGE, other], [hint("A B", (103, "gate_outage"))]) == [Cause.RIGHT, Cause.UNNAMED]
    assert judged_causes([OUTAGE, other], [hint("A B", (103, "lane_closed"))]) == [Cause.WRONG, Cause.WRONG]


def test_a_name_that_fits_an_event_that_is_over_is_wrong_for_the_next() -> None:
    later = event("e2", "incident", "A", 250, 300)
    assert judged_causes([OUTAGE, later], [hint("A", (103, "gate_outage"), (210, "surge"), end=300)]) == [
        Cause.RIGHT,
        Cause.WRONG,
    ]


def test_a_name_that_fits_the_part_of_a_queue_before_or_after_is_not_wrong() -> None:
    usual, prolonged = event("e1", None, "A", 100, 200), event("e2", "incident", "A", 200, 260)
    told = [hint("A", (103, "recurrent"), (206, "recurrent"), end=260)]
    assert judged_causes([usual, prolonged], told) == [Cause.NONE, Cause.UNNAMED]
    assert judged_causes([usual, event("e2", "incident", "A", 230, 260)], told) == [Cause.NONE, Cause.WRONG]


def test_weather_that_nobody_injected_may_be_named_for_cranes_and_for_nothing_else() -> None:
    stopped = [hint("A", (103, "wind_stop"))]
    assert judged_causes([event("e1", None, "A", kind="crane")], stopped) == [Cause.NONE]
    assert judged_causes([event("e1", None, "A", kind="gate")], stopped) == [Cause.WRONG]


def test_of_two_events_at_once_a_hint_is_about_the_one_it_shares_most_with() -> None:
    other = event("e2", "incident", "B")
    found = judged_causes(
        [OUTAGE, other], [hint("A A-sensor B", (103, "gate_outage")), hint("B B-sensor A", (104, "accident"))]
    )
    assert found == [Cause.RIGHT, Cause.RIGHT]


def test_every_intervention_of_the_world_has_its_words() -> None:
    assert set(RIGHT_WORDS) == set(get_args(What)) - {"demand"}  # a busy day is no cause
