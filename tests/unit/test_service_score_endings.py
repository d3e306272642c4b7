"""Ends that were foretold against when events were over."""

from __future__ import annotations

import pytest

from service.score.endings import Ending, end_figures, judged_ends
from service.score.feed import FeedError, Foretold, Hint, said
from service.score.ground import Event
from service.score.spans import Span

MIN = 60.0


def event(sensor: str, start: float, end: float) -> Event:
    span = Span(start * MIN, end * MIN)
    return Event(sensor, span, None, frozenset({sensor}), {sensor: (span,)})


def hint(about: str, *told: tuple[float, float, float, float]) -> Hint:
    """Of each told end: when, median, low, high in minutes."""
    things = frozenset(about.split())
    ends = tuple(Foretold(at * MIN, things, median * MIN, low * MIN, high * MIN) for at, median, low, high in told)
    return Hint(things, Span(told[0][0] * MIN, 1000 * MIN), (), ends)


def test_first_told_end_counts_from_when_it_was_told() -> None:
    told = hint("a", (12, 40, 20, 80), (20, 60, 50, 70))
    assert list(judged_ends([event("a", 10, 60)], [told], 100 * MIN)) == [Ending(-20 * MIN, 48 * MIN, held=True)]


@pytest.mark.parametrize("at", [4, 41])
def test_what_is_told_long_before_or_after_the_onset_is_not_about_it(at: int) -> None:
    assert not list(judged_ends([event("a", 10, 60)], [hint("a", (at, 60, 50, 70))], 100 * MIN))


def test_what_is_told_elsewhere_or_ends_after_the_run_does_not_count() -> None:
    told = [hint("b", (12, 40, 20, 80))]
    assert not list(judged_ends([event("a", 10, 60)], told, 100 * MIN))
    assert not list(judged_ends([event("b", 10, 60)], told, 50 * MIN))


def test_situation_that_shares_most_is_asked() -> None:
    both = Event("e", Span(600, 3600), None, frozenset({"a", "b"}), {})
    (found,) = judged_ends([both], [hint("a", (11, 20, 15, 30)), hint("a b", (12, 50, 45, 55))], 9000)
    assert (found.off_s, found.held) == (-10 * MIN, False)


def test_constant_is_the_median_of_what_was_left() -> None:
    ends = [Ending(5 * MIN, left * MIN, held=True) for left in (10, 20, 60)]
    assert end_figures(ends) == {
        "end_error_median_min": 5,
        "end_error_constant_min": 10,
        "end_coverage_80": 1,
    }
    assert set(end_figures([]).values()) == {None}


def test_feed_is_read_with_and_without_a_range() -> None:
    def alert(**data: str) -> dict[str, object]:
        time = "1970-01-01T00:01:00Z"
        return {"id": "1", "type": "vigie.situation.began.v1", "subject": "s", "time": time, "data": data}

    bounds = {"expected_end_low": "1970-01-01T00:10:00Z", "expected_end_high": "1970-01-01T00:40:00Z"}
    (told,) = said([alert(expected_end="1970-01-01T00:20:00Z", **bounds)], Span(0, 9e3)).hints[0].foretold
    assert (told.at_s, told.low_s, told.median_s, told.high_s) == (60, 600, 1200, 2400)
    (bare,) = said([alert(expected_end="1970-01-01T00:20:00Z")], Span(0, 9e3)).hints[0].foretold
    assert list(judged_ends([event("s", 1, 20)], [Hint(frozenset({"s"}), Span(60, 9e3), (), (bare,))], 9e3)) == [
        Ending(0, 19 * MIN, held=None)
    ]
    with pytest.raises(FeedError, match="expected end 'soon' of s is no time"):
        said([alert(expected_end="soon")], Span(0, 9e3))
