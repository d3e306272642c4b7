from __future__ import annotations

import re
from pathlib import Path

from service.score.naming import RIGHT_WORDS
from service.score.tally import Tally
from service.score.windows import WINDOW_S

DOCS = (Path(__file__).parents[2] / "docs" / "benchmark.md").read_text("utf-8")
SECONDS = {"min": 60, "h": 3600, "d": 86_400}


def test_every_figure_is_defined() -> None:
    defined = set(re.findall(r"`(\w+)`", DOCS.partition("## The figures")[2].partition("## Windows")[0]))
    beside = {"scenario", "seeds"}
    assert set(Tally().figures("x")) - defined == beside | {"false_per_sensor_day"}


def test_the_table_of_windows_is_that_of_the_score() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) (min|h|d) \|$", DOCS, re.MULTILINE)
    assert {name: float(number) * SECONDS[unit] for name, number, unit in rows} == {
        fault.value: window_s for fault, window_s in WINDOW_S.items()
    }


def test_the_table_of_causes_is_that_of_the_score() -> None:
    table = DOCS.partition("| in the world | right words |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", table, re.MULTILINE)
    assert {name: frozenset(re.findall(r"`(\w+)`", words)) for name, words in rows} == RIGHT_WORDS
