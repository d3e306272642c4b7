"""Truth beside verdict, as `vigie demo` tells it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.demo.board import Board
from service.demo.changes import Change, Truly, Verdicts, delay
from service.demo.table import table
from simulators.interventions import Intervention
from simulators.profile import PORT_TIME
from simulators.truth import Truth, TruthRecorder, read_truth
from simulators.world import STEP_S, World

PORT, KINDS = shipped_catalogue(), load_kinds()
NOON = datetime(2026, 3, 3, 12, tzinfo=PORT_TIME).timestamp()
STANDING = Intervention("standing_lorries", "W02-W03", NOON + 600, NOON + 1800)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def alert(type_: str, subject: str, at_s: float, **data: str) -> dict[str, Any]:
    return {
        "type": f"vigie.{type_}.v1",
        "subject": subject,
        "time": datetime.fromtimestamp(at_s, UTC).isoformat(),
        "data": data,
    }


@pytest.fixture(scope="module")
def standing() -> tuple[Truth, list[Change], Truly]:
    """Lorries stand on RD268 from 12:10 to 12:30; how it looks at 12:20, and all that was told until 13:10."""
    world = World(PORT, KINDS, 1, interventions=[STANDING])
    recorder, truly, changes = TruthRecorder(PORT, [STANDING]), Truly(PORT, KINDS), list[Change]()
    amid = Truly(PORT, KINDS)
    world.start(NOON)
    for step in range(1, 141):
        world.advance(NOON + step * STEP_S)
        recorder.observe(world.view())
        changes += truly.observe(world.view())
        if step <= 40:
            list(amid.observe(world.view()))
    return recorder.finish(), changes, amid


def test_what_is_told_live_is_the_truth_of_the_run(standing: tuple[Truth, list[Change], Truly]) -> None:
    truth, changes, _ = standing
    began: dict[str, float] = {}
    for change in changes:
        if change.words is not None:
            began.setdefault(change.name, change.at_s)
    true = {place: event.onset.timestamp() for event in truth.events for place in event.extent[0].places}
    assert true
    assert {place: began[place] for place in true} == true
    assert set(began) == {place for event in truth.events for extent in event.extent for place in extent.places}
    assert {change.name for change in changes if change.words is None} == set(began), "all is free at the end"


def test_how_bad_it_is_is_told_at_every_step(standing: tuple[Truth, list[Change], Truly]) -> None:
    words = [change.words for change in standing[1] if change.name == "W02-W03" and change.words is not None]
    assert len(words) > 20
    assert all(word.endswith("% speed") for word in words)


@pytest.mark.parametrize(
    ("subject", "late_s", "remark"),
    [
        ("W03-F1", 90, "1:30 after the onset"),
        ("W03-F1", -30, "0:30 before the onset"),
        ("E05-F1", 90, "where nothing is congested"),
        ("W06-W1", 90, ""),
    ],
)
def test_an_alarm_is_told_with_its_delay(
    standing: tuple[Truth, list[Change], Truly], subject: str, late_s: float, remark: str
) -> None:
    truth, _, amid = standing
    onset_s = truth.events[0].onset.timestamp()
    said = alert("congestion.began", subject, onset_s + late_s, level="jammed")
    assert list(Verdicts(PORT, amid).read(said)) == [Change(onset_s + late_s, subject, "jammed", remark)]


@pytest.mark.parametrize(
    ("type_", "data", "change"),
    [
        ("congestion.changed", {"level": "jammed"}, ("W03-F1", "jammed")),
        ("congestion.ended", {}, ("W03-F1", None)),
        ("congestion.lost", {}, ("W03-F1", None)),
        ("sensor.silent", {}, ("sensor W03-F1", "silent")),
        ("sensor.faulty", {"fault": "stuck"}, ("sensor W03-F1", "stuck")),
        ("sensor.recovered", {}, ("sensor W03-F1", None)),
    ],
)
def test_every_event_of_the_feed_about_a_sensor_is_told(
    type_: str, data: dict[str, str], change: tuple[str, str | None]
) -> None:
    found = list(Verdicts(PORT, Truly(PORT, KINDS)).read(alert(type_, "W03-F1", NOON, **data)))
    assert [(one.name, one.words) for one in found] == [change]


def test_other_events_change_nothing() -> None:
    assert not list(Verdicts(PORT, Truly(PORT, KINDS)).read(alert("situation.began", "s", NOON)))


@pytest.mark.parametrize(("seconds", "told"), [(0, "0:00"), (59.6, "1:00"), (90, "1:30"), (-45, "-0:45")])
def test_a_delay_is_minutes_and_seconds(seconds: float, told: str) -> None:
    assert delay(seconds) == told


def told(out: io.StringIO) -> str:
    board = Board(out, NOON)
    board.note(NOON + 70, "something happens")
    board.truth([Change(NOON + 95, "W02-W03", "20 % speed"), Change(NOON + 125, "W02-W03", "10 % speed")])
    board.verdicts([Change(NOON + 100, "W03-F1", "congested", "0:05 after the onset")])
    board.tell(NOON + 185)
    board.verdicts([Change(NOON + 150, "W03-F1", None)])  # too late for its minute
    board.truth([Change(NOON + 200, "W02-W03", None)])
    board.tell(NOON + 300)
    return out.getvalue()


def test_each_minute_tells_what_changed_beside_each_other_or_what_stands() -> None:
    lines = told(io.StringIO()).splitlines()
    assert [line.split() for line in lines] == [
        ["12:01", "something", "happens"],
        [*["12:01", "+", "W02-W03", "20", "%", "speed", "+", "W03-F1", "congested,", "0:05", "after", "the", "onset"]],
        [*["12:02", "W02-W03", "10", "%", "speed", "W03-F1", "congested"]],
        ["12:03", "-", "W02-W03", "-", "W03-F1"],
    ]
    assert lines[1].index("+ W03-F1") == lines[3].index("- W03-F1")


def test_on_a_terminal_a_minute_without_a_change_is_rewritten() -> None:
    text = told(Terminal())
    assert "\x1b[K12:02" in text
    assert text.count("\n") == 3
    assert text.count("\r") == 3, "12:00, 12:02 and 12:04"


def test_what_stands_is_cut_to_the_room_there_is() -> None:
    board = Board(out := io.StringIO(), NOON)
    board.verdicts([Change(NOON, f"W{number:02d}-F1", "congested") for number in range(30)])
    board.tell(NOON + 120)
    last = out.getvalue().splitlines()[-1]
    assert "W00-F1 congested" in last
    assert "+ 27" in last
    assert len(last) <= 120


TRUTH = """
{"type":"run","scenario":"s","seed":1,"start":"2026-03-02T06:00:00Z","end":"2026-03-02T10:00:00Z"}
{"type":"event","id":"a","place":"W07-G1","kind":"gate","onset":"2026-03-02T06:30:00Z","end":"2026-03-02T07:00:00Z",
"cause":{"what":"gate_outage","where":"W07"},"sensors":["W07-G1"],"extent":[{"time":"2026-03-02T06:30:00Z","places":["W07-G1"]}]}
{"type":"event","id":"b","place":"W02-W03","kind":"section","onset":"2026-03-02T08:00:00Z","end":null,
"cause":null,"sensors":["W03-F1"],"extent":[{"time":"2026-03-02T08:00:00Z","places":["W02-W03"]}]}
"""


def test_the_table_has_a_line_for_each_event_and_what_was_told_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "truth").write_text(TRUTH.replace(",\n", ",").strip() + "\n")
    at_s = datetime(2026, 3, 2, 6, 31, 30, tzinfo=UTC).timestamp()
    alerts = [
        alert("congestion.began", "W07-G1", at_s, level="congested"),
        alert("situation.began", "s", at_s),
        alert("congestion.ended", "W07-G1", at_s + 1500),
        alert("congestion.began", "E05-F1", at_s, level="congested"),
        alert("congestion.ended", "E05-F1", at_s + 60),
    ]
    lines = list(table(read_truth(tmp_path / "truth"), alerts, PORT))
    assert [line.split() for line in lines[1:3]] == [
        ["W07-G1", "07:30", "08:00", "gate", "outage", "1:30", "min"],
        ["W02-W03", "09:00", "later", "an", "ordinary", "day", "not", "told"],
    ]
    assert lines[-2] == "1 of 2 told, by 2 alarms in 1 situations"
    assert lines[-1].startswith("alarms where nothing was congested: 1; where it was only slow: 0;")
