from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from sensors.kind import load_kinds
from simulators.faults.injection import Injection
from simulators.interventions import Intervention
from simulators.profile import PORT_TIME
from simulators.truth import Truth, TruthError, TruthRecorder, read_truth
from simulators.truth.causes import pieces
from simulators.truth.lines import Cause, EventTruth
from simulators.truth.spells import Run, spells, within
from simulators.view import View
from simulators.world import STEP_S, World

KINDS = load_kinds()
CATALOGUE = shipped_catalogue()
MONDAY = datetime(2026, 3, 2, tzinfo=PORT_TIME).timestamp()
HOUR = 3600.0
OUTAGE = Intervention("gate_outage", "W07", MONDAY + 7.5 * HOUR, MONDAY + 8.75 * HOUR)
WIND = Intervention("wind", "", MONDAY + 7.6 * HOUR, MONDAY + 9 * HOUR, 25.0)


def observed(
    from_h: float, to_h: float, *happens: Intervention, injections: Sequence[Injection] = (), compared: bool = True
) -> tuple[Truth, list[View]]:
    world = World(CATALOGUE, KINDS, 1, interventions=happens)
    ordinary = world.ordinary() if compared else None
    recorder = TruthRecorder(CATALOGUE, happens, injections, scenario="test", seed=1, ordinary=ordinary)
    world.start(MONDAY + from_h * HOUR)
    views = []
    for step in range(round((to_h - from_h) * HOUR / STEP_S)):
        world.advance(MONDAY + from_h * HOUR + (step + 1) * STEP_S)
        views.append(world.view())
        recorder.observe(views[-1])
    return recorder.finish(), views


@pytest.fixture(scope="module")
def monday() -> tuple[Truth, list[View]]:
    """Gate outage at Seayard and a mistral, in the Monday peak."""
    return observed(6.5, 11.5, OUTAGE, WIND, injections=[Injection(Fault.STUCK, "W12-F1", MONDAY, MONDAY + HOUR, 0.5)])


def instant(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def of_place(truth: Truth, place: str) -> EventTruth:
    found = [event for event in truth.events if event.place == place]
    assert len(found) == 1, found
    return found[0]


def test_of_an_ordinary_night_only_full_lorry_parks_are_true() -> None:
    truth, _ = observed(0, 5)
    assert {event.kind for event in truth.events} | {"parking"} == {"parking"}
    parks = {sensor.id for sensor in CATALOGUE.sensors if sensor.kind == "parking"}
    assert {span.place for span in truth.slowed} <= parks
    assert truth.faults == ()
    assert truth.run.start == instant(MONDAY + STEP_S)
    assert truth.run.end == instant(MONDAY + 5 * HOUR)


def test_the_queue_of_a_gate_outage_is_one_event_that_grows_upstream(monday: tuple[Truth, list[View]]) -> None:
    event = of_place(monday[0], "W03-W07")
    assert (event.kind, event.cause) == ("section", Cause("gate_outage", "W07"))
    assert event.extent[0].places == ("W03-W07",)
    assert [set(extent.places) for extent in event.extent[:2]] == [{"W03-W07"}, {"W03-W07", "W02-W03"}]
    assert event.extent[0].time == event.onset
    # The gates count the queue of the access road, which has no loop; RD268 has one before the junction.
    assert {"W07-G1", "W07-G2", "W03-F1", "W01-W03"} <= set(event.sensors)


def test_onset_and_end_are_those_of_the_world(monday: tuple[Truth, list[View]]) -> None:
    truth, views = monday
    for place in ("W03-W07", "W07-G1"):
        event = of_place(truth, place)
        if event.kind == "section":
            held = [view.speed_ratio[view.sections.index(place)] < 0.6 for view in views]
            after = [view.speed_ratio[view.sections.index("W02-W03")] < 0.6 for view in views]
        else:
            held = after = [view.gate_wait_s[view.gates.index(place)] >= 1800 for view in views]
        first = held.index(True)
        last = max(step for step, (one, other) in enumerate(zip(held, after, strict=True)) if one or other)
        assert all(held[first : first + 4]), "the two minutes count from the onset"
        assert event.onset == instant(views[first].at_s)
        assert event.end == instant(views[last + 1].at_s)


def test_the_gates_of_the_outage_have_it_as_their_cause_and_not_the_wind(monday: tuple[Truth, list[View]]) -> None:
    gates = [event for event in monday[0].events if event.kind == "gate"]
    assert {event.place for event in gates} >= {"W07-G1", "W07-G2"}
    assert {event.cause for event in gates} == {Cause("gate_outage", "W07")}
    assert all(event.sensors == (event.place,) for event in gates)


def test_what_would_be_there_anyway_has_no_cause(monday: tuple[Truth, list[View]]) -> None:
    for place in ("W12-W01", "E05-E06"):
        assert of_place(monday[0], place).cause is None


def slow_alone(view: View) -> set[str]:
    """Gates, blocks, parks and racks that have come to the dense limit of their kinds."""
    limited = (
        (view.gates, view.gate_wait_s, 900),
        (view.yards, view.yard_fill, 0.75),
        (view.parks, view.park_fill, 0.75),
        (view.racks, view.rack_failed, 1),
    )
    return {
        name for names, values, limit in limited for name, value in zip(names, values, strict=True) if value >= limit
    }


def test_slowed_spans_are_neither_free_nor_part_of_an_event(monday: tuple[Truth, list[View]]) -> None:
    truth, views = monday
    step_of = {instant(view.at_s): step for step, view in enumerate(views)}
    assert {span.place for span in truth.slowed} >= {"W12-W01", "W02-W03", "W07-G1"}
    for span in truth.slowed:
        first, end = step_of[span.start], step_of[span.end]
        for view in views[first:end]:
            if span.place in view.sections:
                section = view.sections.index(span.place)
                seen = view.loop_cell[view.cell_section[view.loop_cell] == section]
                assert min([view.speed_ratio[section], *view.cell_ratio[seen]]) < 0.75
            else:
                assert span.place in slow_alone(view)
        assert not any(
            event.onset < span.end and span.start < (event.end or span.end) and event.place == span.place
            for event in truth.events
        )


def test_an_injected_fault_is_in_the_truth_with_its_span(monday: tuple[Truth, list[View]]) -> None:
    fault = monday[0].faults[0]
    assert (fault.what, fault.where, fault.size) == (Fault.STUCK, "W12-F1", 0.5)
    assert (fault.start, fault.end) == (instant(MONDAY), instant(MONDAY + HOUR))


def test_a_truth_is_read_as_it_was_written(monday: tuple[Truth, list[View]], tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_bytes(b"".join(monday[0].lines()))
    assert read_truth(path) == monday[0]
    assert path.read_bytes().startswith(b'{"type":"run","scenario":"test","seed":1,"start":"2026-03-02T05:30:30Z"')


def test_a_file_that_is_no_truth_says_which_line(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with pytest.raises(TruthError, match=r"truth\.jsonl: cannot be read: No such file"):
        read_truth(path)
    path.write_bytes(b'{"type":"run","scenario":"a","seed":1,"start":"2026-03-02T05:30:30Z","end":"later"}\n')
    with pytest.raises(TruthError, match=r"truth\.jsonl: line 1 is no line of a truth: .*`\$\.end`"):
        read_truth(path)
    path.write_bytes(b"\n")
    with pytest.raises(TruthError, match=r'0 lines of type "run"; expected one'):
        read_truth(path)
    with pytest.raises(TruthError, match="nothing was observed"):
        TruthRecorder(CATALOGUE).finish()


def test_without_an_ordinary_world_the_graph_tells_the_cause_of_the_queue() -> None:
    accident = Intervention("incident", "W15-W12", MONDAY + 9.5 * HOUR, MONDAY + 10.25 * HOUR, 0.95)
    truth, _ = observed(9.25, 10.5, accident, compared=False)
    event = of_place(truth, "W15-W12")
    assert event.cause == Cause("incident", "W15-W12")
    assert {"W15-W12", "W16-W15"} <= {place for extent in event.extent for place in extent.places}


def test_a_bottleneck_that_a_surge_congests_on_its_way_has_the_surge_as_its_cause() -> None:
    surge = Intervention("surge", "W07", MONDAY + 6.25 * HOUR, MONDAY + 8 * HOUR, 3.5)
    truth, _ = observed(6, 8, surge)
    assert {event.cause for event in truth.events if event.place.startswith("W02")} == {Cause("surge", "W07")}
    assert {event.cause for event in truth.events if event.place.startswith("E")} <= {None}


def test_a_busier_day_is_no_cause() -> None:
    busy = Intervention("demand", "", MONDAY + 6 * HOUR, MONDAY + 9 * HOUR, 1.05)
    truth, _ = observed(7, 8.5, busy)
    assert truth.events
    assert {event.cause for event in truth.events} == {None}


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ("0222000", []),  # a minute and a half
        ("0222200", [(1, 5)]),
        ("2222", [(0, 4)]),
        ("0222210222200", [(1, 5), (7, 11)]),  # it was free in between
        ("02222" + "1" * 30 + "2222", [(1, 39)]),
        ("02222" + "1" * 31 + "2222", [(1, 5), (36, 40)]),
        ("0222210212100", [(1, 5)]),
        ("02222121222210", [(1, 12)]),
    ],
)
def test_a_spell_lasts_two_minutes_and_bears_short_relief(levels: str, expected: list[tuple[int, int]]) -> None:
    assert spells(np.array([int(level) for level in levels], np.int8), 30.0) == expected


def cut(spell: Run, *anyway: Run) -> list[tuple[int, int, bool]]:
    found = pieces("W12-W01", spell, within(list(anyway), 200), 30.0)
    return sorted((piece.first, piece.end, piece.ordinary) for piece in found)


def test_a_spell_is_cut_where_it_would_end_anyway() -> None:
    assert cut(Run(10, 100)) == [(10, 100, False)]
    assert cut(Run(10, 100), Run(0, 150)) == [(10, 100, True)]
    assert cut(Run(10, 100), Run(12, 60)) == [(10, 60, True), (60, 100, False)]
    assert cut(Run(10, 100), Run(40, 75)) == [(10, 40, False), (40, 100, True)]
    assert cut(Run(10, 16), Run(0, 13)) == [(10, 16, True)]


def test_wind_stops_every_crane_and_a_trip_darkens_its_rack() -> None:
    start_s, end_s = MONDAY + HOUR, MONDAY + 2 * HOUR
    wind = Intervention("wind", "", start_s, end_s, 24.0)
    trip = Intervention("reefer_trip", "W06-R1", start_s, end_s, 0.8)
    truth, views = observed(0, 3, wind, trip)
    cranes = {sensor.id for sensor in CATALOGUE.sensors if sensor.kind == "crane"}
    stopped = [event for event in truth.events if event.kind == "crane"]
    assert {event.place for event in stopped} == cranes
    assert {event.cause for event in stopped} == {Cause("wind", "")}
    (dark,) = [event for event in truth.events if event.kind == "reefer"]
    assert (dark.place, dark.cause, dark.sensors) == ("W06-R1", Cause("reefer_trip", "W06-R1"), ("W06-R1",))
    assert dark.onset == instant(start_s + STEP_S)
    assert max(view.rack_failed[view.racks.index("W06-R1")] for view in views) > 10
