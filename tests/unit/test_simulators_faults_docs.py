from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault, Scope
from simulators.drawing import Axis, Box, Line, panel, picture, text, upwards
from simulators.faults.injection import Injection, check_all
from simulators.faults.sense import KINDS
from simulators.faults.sights import DAYS, SIGHTS
from simulators.faults.sizes import SIZES

DOCS = Path(__file__).parents[2] / "docs"
ROWS = {
    name: cells.split(" | ")
    for name, cells in re.findall(
        r"^\| \[`(\w+)`\]\(faults/\1\.svg\) \| (.*) \|$", (DOCS / "faults.md").read_text("utf-8"), re.MULTILINE
    )
}


def test_every_fault_has_its_line_and_its_picture() -> None:
    assert list(ROWS) == [fault.value for fault in Fault]
    assert {path.stem for path in (DOCS / "faults").glob("*.svg")} == set(ROWS)


@pytest.mark.parametrize("fault", Fault)
def test_the_line_tells_where_a_fault_can_be_and_its_sizes(fault: Fault) -> None:
    _, where, size = ROWS[fault]
    scopes = {Scope.SITE: "a site", Scope.BASIN: "a basin", Scope.SENSOR: ", ".join(KINDS.get(fault, ("all",)))}
    assert where == scopes[fault.scope]
    known = SIZES.get(fault)
    assert size == ("-" if known is None else f"{known.meaning}: {known.default:.10g} ({known.expected})")


def test_every_fault_is_shown_once_and_all_can_be_together() -> None:
    shown = [*SIGHTS, *DAYS]
    assert sorted(sight.what for sight in shown) == sorted(Fault)
    for sights in (SIGHTS, DAYS):
        check_all([Injection(one.what, one.where, 0, 1, one.size) for one in sights], shipped_catalogue())


@pytest.mark.parametrize("fault", Fault)
def test_a_picture_has_two_panels_or_the_payloads(fault: Fault) -> None:
    root = ET.parse(DOCS / "faults" / f"{fault}.svg").getroot()  # noqa: S314  our own file
    words = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert words[0].startswith(f"{fault}: ")
    assert sum(word.startswith("without") for word in words) == 1
    assert sum(word.startswith("with the fault") for word in words) == 1


def test_a_panel_leaves_a_gap_where_there_is_no_value() -> None:
    up = upwards(9.0)
    lines = [Line("a < b", [0, 1, 2, 3], [1, 2, float("nan"), 4])]
    drawn = picture(100, 100, [text(0, 0, "a & b"), *panel(Box(10, 10, 80, 80), Axis(0, 4, 2), up, lines)])
    root = ET.fromstring(drawn)  # noqa: S314  our own text
    (curve,) = (e.get("d") or "" for e in root.iter() if e.get("fill") == "none")
    assert curve == "M10.0 82.0L30.0 74.0M70.0 58.0"
    assert [name for _, name in up.ticks()] == ["0", "2", "4", "6", "8", "10"]
