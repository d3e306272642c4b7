import re
from pathlib import Path

import pytest

from sensors.kind import Kind, load_kinds
from sensors.level import DISTRUSTED, Quality

PAGE = (Path(__file__).parents[2] / "docs/quality.md").read_text("utf-8")


def test_every_bit_is_listed_with_what_happens() -> None:
    listed = re.findall(r"^\| (\d+) \| `(\w+)` \| .* \| (\*\*distrusted\*\*|informs) \|$", PAGE, re.MULTILINE)
    happens = {True: "**distrusted**", False: "informs"}
    assert listed == [(str(int(bit)), bit.label, happens[bit in DISTRUSTED]) for bit in Quality]
    assert f"quality & {int(DISTRUSTED)} " in PAGE


def test_every_limit_of_the_shipped_kinds_is_listed() -> None:
    section = PAGE.split("## Limits of the shipped kinds")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| ([\w, ]+) \| (\d+)", section, re.MULTILINE)
    listed = {(kind, field, float(limit)) for kind, fields, limit in rows for field in fields.split(", ")}
    declared = {
        (kind.name, field.name, field.max_change_per_min)
        for kind in load_kinds().values()
        for field in kind.fields
        if field.max_change_per_min is not None
    }
    assert listed == declared


@pytest.mark.parametrize("kind", load_kinds().values(), ids=lambda kind: kind.name)
def test_every_mismatch_of_the_shipped_kinds_is_listed(kind: Kind) -> None:
    mismatches = PAGE.split("| kind | mismatch | why |")[1].split("\n## ")[0]
    assert mismatches.count(f"| {kind.name} | ") == len(kind.mismatches)
