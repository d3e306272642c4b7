from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from service.score.alarms import Alarms, Fate
from service.score.feed import Episode, Verdict
from service.score.ground import Event, Ground, Injected, Slowed
from service.score.spans import Span, gaps
from service.score.watch import watch_of

WATCH = watch_of(shipped_catalogue())
MIN = 60.0
RUN = Span(0, 600 * MIN)


def event(start: float, end: float, *places: str, sensors: Sequence[str] = ()) -> Event:
    """Congestion of these places from start to end, in minutes."""
    span = Span(start * MIN, end * MIN)
    return Event("e1", span, None, frozenset(sensors), dict.fromkeys(places, (span,)))


def alarms(ground: Ground, *episodes: tuple[str, float, float]) -> Alarms:
    return Alarms(ground, WATCH, [Episode(name, Span(a * MIN, b * MIN)) for name, a, b in episodes])


def ground(*events: Event, slowed: Sequence[Slowed] = (), faults: Sequence[Injected] = ()) -> Ground:
    return Ground("made", 1, RUN, events, tuple(slowed), tuple(faults))


def fate(what: Ground, *episode: str | float) -> Fate:
    name, start, end = episode
    ((_, found),) = alarms(what, (str(name), float(start), float(end))).fates()
    return found


# W02-F1 watches W01-W02 at its end, W03-F1 watches W02-W03; both are lanes towards Port-Saint-Louis.
JAM = event(100, 160, "W01-W02", sensors=["W02-F1", "W01-F3"])


@pytest.mark.parametrize(
    ("subject", "start", "end", "expected"),
    [
        ("W02-F1", 102, 165, Fate.TRUE),
        ("W02-F1", 80, 95, Fate.TRUE),  # as early as may be
        ("W02-F1", 80, 94, Fate.FALSE),
        ("W02-F1", 165, 170, Fate.TRUE),  # as late as may be
        ("W02-F1", 166, 170, Fate.FALSE),
        ("W02-F1", 102, 195, Fate.TRUE),
        ("W02-F1", 102, 196, Fate.FALSE),  # it outlives everything by more than half an hour
        ("W02-F1", 64, 120, Fate.FALSE),  # it stood for more than half an hour before there was anything
        ("W01-F3", 102, 165, Fate.TRUE),  # it stands at the congestion
        ("W01-W03", 102, 165, Fate.TRUE),  # a corridor over W01-W02
        ("W03-W01", 102, 165, Fate.FALSE),  # the corridor of the other direction
        ("W03-F1", 102, 165, Fate.FALSE),  # the next section, which is free
        ("W02-F2", 102, 165, Fate.FALSE),  # the other direction of the road
        ("W07-G1", 102, 165, Fate.FALSE),
        ("nobody", 102, 165, Fate.FALSE),
    ],
)
def test_an_alarm_is_true_only_at_its_own_congestion(subject: str, start: float, end: float, expected: Fate) -> None:
    assert fate(ground(JAM), subject, start, end) is expected


def test_alarms_of_what_the_truth_says_nothing_about_are_not_judged() -> None:
    assert alarms(ground(JAM), ("W06-W1", 10, 20)).fates() == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (200, 210, Fate.NUISANCE),
        (190, 200, Fate.NUISANCE),
        (190, 199, Fate.FALSE),
        (240, 270, Fate.NUISANCE),
        (240, 271, Fate.FALSE),
        (165, 210, Fate.FALSE),  # it tells of the jam, and stood too long where nothing was
        (120, 170, Fate.TRUE),
    ],
)
def test_an_alarm_where_it_is_only_slow_is_a_nuisance(start: float, end: float, expected: Fate) -> None:
    slow = Slowed("W01-W02", frozenset({"W02-F1"}), Span(200 * MIN, 240 * MIN))
    assert fate(ground(JAM, slowed=[slow]), "W02-F1", start, end) is expected


def test_slow_traffic_between_two_jams_keeps_one_alarm_over_both_true() -> None:
    slow = Slowed("W01-W02", frozenset({"W02-F1"}), Span(160 * MIN, 300 * MIN))
    both = ground(JAM, event(300, 330, "W01-W02"), slowed=[slow])
    assert fate(both, "W02-F1", 102, 335) is Fate.TRUE


GROWING = Event(
    "e1",
    Span(100 * MIN, 300 * MIN),
    None,
    frozenset({"W02-F1", "W03-F1"}),
    {"W02-W03": (Span(100 * MIN, 300 * MIN),), "W01-W02": (Span(200 * MIN, 260 * MIN),)},
)


def test_a_sensor_tells_of_growing_congestion_only_while_it_reaches_its_section() -> None:
    assert fate(ground(GROWING), "W02-F1", 110, 130) is Fate.FALSE
    assert fate(ground(GROWING), "W02-F1", 201, 230) is Fate.TRUE
    assert fate(ground(GROWING), "W03-F1", 110, 130) is Fate.TRUE


@pytest.mark.parametrize(
    ("episodes", "after_min"),
    [
        ([("W02-F1", 103, 160)], 3),
        ([("W02-F1", 98, 160)], -2),
        ([("W02-F1", 95, 160)], -5),
        ([("W02-F1", 70, 160)], 0),  # it stood before and meant something else: neither early nor late
        ([("W01-W03", 70, 160)], None),  # over several sections it may still stand for another one
        ([("W02-F1", 110, 120), ("W01-W03", 104, 110)], 4),  # the first of all that see it
        ([("W02-F1", 163, 170)], 63),
        ([("W03-F1", 103, 160)], None),
        ([], None),
    ],
)
def test_detection_is_the_first_alarm_that_tells_of_the_event(
    episodes: list[tuple[str, float, float]], after_min: float | None
) -> None:
    (found,) = alarms(ground(JAM), *episodes).detections([])
    assert found.after_s == (None if after_min is None else after_min * MIN)


def test_what_is_no_road_is_detected_by_itself() -> None:
    gate, yard = event(100, 160, "W07-G1"), event(100, 160, "W08-Y1")
    for alone in ("W09-P1", "W08-S1", "E02-R1"):
        assert fate(ground(event(100, 160, alone)), alone, 102, 150) is Fate.TRUE
    assert fate(ground(gate), "W07-G1", 102, 150) is Fate.TRUE
    assert fate(ground(yard), "W08-Y1", 102, 150) is Fate.TRUE
    assert fate(ground(yard), "W08-Y2", 102, 150) is Fate.FALSE


def dead(fault: Fault, where: str, start: float, end: float) -> Injected:
    return Injected(fault, where, Span(start * MIN, end * MIN))


@pytest.mark.parametrize(
    ("faults", "counts"),
    [
        ([], True),
        ([dead(Fault.SITE_DOWN, "E01", 90, 200)], False),
        ([dead(Fault.NETWORK_DOWN, "east", 90, 200)], False),
        ([dead(Fault.SILENT, "E01-G1", 90, 200)], False),
        ([dead(Fault.SILENT, "E01-G1", 102, 200)], True),  # two minutes of it were there to see
        ([dead(Fault.SILENT, "E01-G1", 101, 200)], False),
        ([dead(Fault.SILENT, "E01-G1", 90, 158)], True),
        ([dead(Fault.NETWORK_DOWN, "west", 90, 200)], True),
        ([dead(Fault.STUCK, "E01-G1", 90, 200)], False),
        ([dead(Fault.TRUNCATED, "E01-G1", 90, 200)], False),
        ([dead(Fault.LATE_BATCH, "E01-G1", 90, 200)], False),
        ([dead(Fault.CHATTER, "E01-G1", 90, 200)], True),  # its other fields still tell: it counts, and may be missed
    ],
)
def test_an_event_counts_unless_nobody_could_see_it(faults: list[Injected], *, counts: bool) -> None:
    found = alarms(ground(event(100, 160, "E01-G1"), faults=faults))
    assert len(found.detections([])) == counts


@pytest.mark.parametrize(
    ("slow", "counts"),
    [
        ((), False),  # nobody stands on the road to Eurofos, and its gate has no queue
        ((Span(100 * MIN, 150 * MIN),), True),
        ((Span(100 * MIN, 101 * MIN),), False),
        ((Span(40 * MIN, 99 * MIN), Span(161 * MIN, 200 * MIN)), False),
    ],
)
def test_who_stands_beside_an_event_sees_it_while_it_feels_it(slow: Sequence[Span], *, counts: bool) -> None:
    queue = event(100, 160, "W02-W05", sensors=["W05-G1"])
    beside = [Slowed("W05-G1", frozenset({"W05-G1"}), span) for span in slow]
    found = alarms(ground(queue, slowed=beside)).detections([said("W05-G1", 90, 200)])
    assert [one.muted for one in found] == [True] * counts
    own = event(104, 130, "W05-G1")
    assert len(alarms(ground(queue, own)).detections([])) == 2


def said(subject: str, start: float, end: float, fault: str = "stuck") -> Verdict:
    return Verdict(subject, fault, Span(start * MIN, end * MIN))


@pytest.mark.parametrize(
    ("verdicts", "faults", "episodes", "muted"),
    [
        ([], [], [], False),
        ([said("W02-F1", 120, 140)], [], [], True),
        ([said("W02-F1", 20, 99)], [], [], False),
        ([said("W02-F1", 120, 140)], [], [("W02-F1", 102, 118)], False),
        ([said("W02", 120, 140, "site_down")], [], [], True),
        ([said("west", 120, 140, "network_down")], [], [], True),
        ([said("W03-F1", 120, 140)], [], [], False),
        # A dead or frozen sensor tells nothing that a verdict could hide; one whose clock is wrong does.
        ([said("W02-F1", 120, 140)], [dead(Fault.STUCK, "W02-F1", 90, 200)], [], False),
        ([said("W02-F1", 120, 140)], [dead(Fault.STUCK, "W02-F1", 90, 130)], [], True),
        ([said("W02-F1", 120, 140)], [dead(Fault.STUCK, "W02-F1", 90, 139)], [], False),
        ([said("W02-F1", 120, 140)], [dead(Fault.CLOCK_OFFSET, "W02-F1", 90, 200)], [], True),
        # What comes from a loop that is wired to another one is that one's; whose messages are lost is silent in truth.
        ([said("W02-F1", 120, 140)], [dead(Fault.DIRECTION_SWAPPED, "W02-F1", 90, 200)], [], False),
        ([said("W02-F1", 120, 140, "silent")], [dead(Fault.INSUFFICIENT, "W02-F1", 90, 200)], [], False),
        ([said("W02-F1", 120, 140, "silent")], [dead(Fault.INSUFFICIENT, "W02-F1", 90, 130)], [], True),
        ([said("W02-F1", 120, 140, "insufficient")], [dead(Fault.INSUFFICIENT, "W02-F1", 90, 200)], [], True),
    ],
)
def test_an_event_is_muted_when_a_verdict_hid_what_would_have_shown_it(
    verdicts: list[Verdict], faults: list[Injected], episodes: list[tuple[str, float, float]], *, muted: bool
) -> None:
    (found,) = alarms(ground(JAM, faults=faults), *episodes).detections(verdicts)
    assert found.muted is muted


def test_a_gate_that_counts_the_wrong_way_still_tells_of_itself() -> None:
    what = ground(event(100, 160, "W05-G1"), faults=[dead(Fault.DIRECTION_SWAPPED, "W05-G1", 90, 200)])
    (found,) = alarms(what).detections([said("W05-G1", 95, 200, "direction_swapped")])
    assert found.muted


@pytest.mark.parametrize(
    ("subject", "fault", "expected"),
    [
        ("W02-F1", dead(Fault.SPIKE, "W02-F1", 90, 110), True),
        ("W02-F1", dead(Fault.SPIKE, "W02-F1", 90, 96), True),
        ("W02-F1", dead(Fault.SPIKE, "W02-F1", 90, 94), False),
        ("W02-F1", dead(Fault.SPIKE, "W02-F1", 125, 130), False),
        ("W02-F1", dead(Fault.SPIKE, "W02-F2", 90, 130), False),
        ("W02-F1", dead(Fault.SITE_DOWN, "W02", 90, 110), True),
        ("W17-W15", dead(Fault.SPIKE, "W15-B1", 90, 110), True),
        ("W17-W15", dead(Fault.SPIKE, "W17-B1", 90, 110), True),
        ("W17-W15", dead(Fault.SPIKE, "W12-B1", 90, 110), False),
    ],
)
def test_an_alarm_comes_from_a_fault_on_what_it_rests_on(subject: str, fault: Injected, *, expected: bool) -> None:
    found = alarms(ground(faults=[fault]), (subject, 100, 120))
    assert [found.under_fault(episode) for episode, _ in found.fates()] == [expected]


spans = st.tuples(st.integers(0, 100), st.integers(0, 50)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))


@given(spans, st.lists(spans))
def test_gaps_are_exactly_what_no_part_covers(whole: Span, parts: list[Span]) -> None:
    found = list(gaps(whole, parts))
    for second in range(int(whole.start_s), int(whole.end_s)):
        middle = second + 0.5
        covered = any(part.start_s < middle < part.end_s for part in parts)
        assert sum(gap.start_s < middle < gap.end_s for gap in found) == (not covered)
