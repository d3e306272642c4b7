from __future__ import annotations

from service.score.report import as_lines, as_markdown
from service.score.tally import Tally, table

ROWS = table([("quiet", Tally(seeds=frozenset({1}), events=3, detected_after_s=(60.0, 90.0), sensor_days=8.0))])


def test_every_figure_has_its_column() -> None:
    head, quiet, pooled = as_lines(ROWS)
    assert len(head.split("  ")) >= len(ROWS[0])
    assert quiet.split()[:5] == ["quiet", "1", "3", "8", "0.667"]
    assert pooled.split()[0] == "all"
    assert "-" in quiet.split()  # a rate over nothing


def test_systems_stand_beside_each_other_scenario_by_scenario() -> None:
    lines = as_markdown({"vigie": ROWS, "baseline": ROWS})
    cells = [line.strip("| ").split(" | ") for line in lines]
    assert [line[:2] for line in cells[2:]] == [
        ["vigie", "quiet"],
        ["baseline", "quiet"],
        ["vigie", "all"],
        ["baseline", "all"],
    ]
    assert len({len(line) for line in cells}) == 1
