"""Which hint becomes the name, and what a gate's numbers hint at."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from analytics.situations.cause import DROPPED_US, HELD_US, NAMED, UNJUDGED, Cause, Hint, Verdict, judge, ranked
from analytics.situations.gates import GateState, gate_hints

STEP = 30_000_000
OUTAGE, SURGE = Cause.GATE_OUTAGE, Cause.SURGE


def named(*steps: tuple[Hint, ...], before: Verdict = UNJUDGED) -> list[Cause]:
    """Judge step after step; the names."""
    names = []
    for k, hints in enumerate(steps):
        before = judge(before, ranked(hints), k * STEP)
        names.append(before.named)
    return names


def test_sure_hint_is_named_at_once() -> None:
    assert named((Hint(OUTAGE, 0.9),)) == [OUTAGE]


def test_likely_hint_is_named_when_it_holds() -> None:
    likely = (Hint(OUTAGE, 0.7),)
    assert named(likely, likely, likely) == [Cause.UNKNOWN, Cause.UNKNOWN, OUTAGE]
    assert named(likely, (), likely) == [Cause.UNKNOWN] * 3


def test_unlikely_hint_is_listed_and_never_named() -> None:
    verdict = UNJUDGED
    for k in range(10):
        verdict = judge(verdict, ranked([Hint(OUTAGE, 0.5)]), k * HELD_US)
    assert (verdict.named, verdict.hints[0].what) == (Cause.UNKNOWN, OUTAGE)


def test_name_stays_when_nothing_speaks_any_more() -> None:
    assert named((Hint(OUTAGE, 0.9),), (), ()) == [OUTAGE] * 3


def test_name_gives_way_only_to_what_is_sure_for_long() -> None:
    sure, accident = (Hint(OUTAGE, 0.95),), Cause.ACCIDENT
    steps = DROPPED_US // STEP
    assert named((Hint(accident, 0.9),), *[sure] * steps)[-1] is accident
    assert named((Hint(accident, 0.9),), *[sure] * (steps + 1))[-1] is OUTAGE
    assert named((Hint(accident, 0.9),), *[(*sure, Hint(accident, 0.4))] * (steps + 5))[-1] is accident


def test_queue_with_a_cause_does_not_become_an_ordinary_one() -> None:
    assert named((Hint(SURGE, 0.9),), *[(Hint(Cause.RECURRENT, 0.9),)] * 60)[-1] is SURGE


def test_ordinary_queue_that_outlasts_its_hour_keeps_its_name() -> None:
    for after in ((), (Hint(SURGE, 0.95),)):
        assert named((Hint(Cause.RECURRENT, 0.9),), *[after] * 60)[-1] is Cause.RECURRENT


def test_queue_of_a_terminal_that_drains_is_not_taken_for_an_accident_or_a_surge() -> None:
    accident = (Hint(Cause.ACCIDENT, 0.95),)
    assert named((Hint(OUTAGE, 0.9),), *[accident] * 60)[-1] is OUTAGE
    assert named((Hint(OUTAGE, 0.9),), *[(Hint(SURGE, 0.95),)] * 60)[-1] is OUTAGE
    assert named((Hint(SURGE, 0.9),), *[accident] * 60)[-1] is Cause.ACCIDENT


def test_small_gate_is_not_rushed_by_what_may_be_chance() -> None:
    small = replace(BUSY, lanes=2, lanes_open=2, arrivals_h=45.0, arrivals_usual_h=26.9)
    assert max(hint.confidence for hint in gate_hints(small)) < NAMED
    assert ranked(gate_hints(replace(small, arrivals_h=70.0)))[0].what is SURGE


def test_strongest_hint_of_each_cause_is_kept_in_order() -> None:
    hints = ranked([Hint(SURGE, 0.4), Hint(OUTAGE, 0.8), Hint(SURGE, 0.6), Hint(Cause.ACCIDENT, 0.1)])
    assert [(hint.what, hint.confidence) for hint in hints] == [(OUTAGE, 0.8), (SURGE, 0.6)]


BUSY = GateState(
    queue=20,
    queue_m=370,
    lanes_open=6,
    lanes=6,
    lanes_usual=4,
    service_s=90,
    service_usual_s=88,
    arrivals_h=150,
    arrivals_usual_h=145,
    departures_h=150,
    yard_share=0.65,
)


@pytest.mark.parametrize(
    ("change", "best"),
    [
        ({"lanes_open": 0.0}, OUTAGE),
        ({"lanes_open": 1.0, "lanes_usual": nan}, OUTAGE),
        ({"service_s": 170.0}, OUTAGE),
        ({"arrivals_h": 300.0}, SURGE),
        ({"arrivals_h": 300.0, "lanes_open": 0.0}, OUTAGE),
        ({"yard_share": 0.9, "service_s": 110.0}, Cause.YARD_SATURATED),
    ],
)
def test_gate_hints_at_what_is_not_as_usual(change: dict[str, float], best: Cause) -> None:
    hints = ranked(gate_hints(replace(BUSY, **change)))
    assert hints[0].what is best
    assert hints[0].confidence > 0.65


@pytest.mark.parametrize("change", [{}, {"lanes_open": 4.0}, {"arrivals_usual_h": nan}, {"lanes_open": nan}])
def test_gate_that_is_as_usual_hints_at_nothing(change: dict[str, float]) -> None:
    assert ranked(gate_hints(replace(BUSY, **change))) == ()
