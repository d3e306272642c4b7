"""The figures for people: a table on the terminal, or in Markdown with several systems side by side. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from service.score.tally import Figures

_HEADS: Final[Mapping[str, str]] = {
    "scenario": "scenario",
    "seeds": "seeds",
    "events": "events",
    "sensor_days": "sensor-days",
    "detection_rate": "detected",
    "false_alarms": "false",
    "false_per_sensor_day": "false/day",
    "detect_median_min": "median min",
    "cause_right": "cause right",
    "cause_wrong": "wrong",
    "faults": "faults",
    "faults_right": "right",
    "alarms_from_faults": "from faults",
    "true_events_muted": "muted",
    "end_error_median_min": "end off",
    "end_error_constant_min": "constant",
    "end_coverage_80": "in range",
}
"""Short words for the keys of the score's objects."""


def as_lines(rows: Sequence[Figures]) -> list[str]:
    """A table with one line a scenario."""
    cells = [list(_HEADS.values()), *([_shown(row[key]) for key in _HEADS] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]


def as_markdown(scored: Mapping[str, Sequence[Figures]]) -> list[str]:
    """A Markdown table with a line for each scenario and system."""
    heads = ["system", *_HEADS.values()]
    lines = [heads, [":---", ":---", *["---:"] * (len(_HEADS) - 1)]]
    by_place = zip(*scored.values(), strict=True)
    for rows in by_place:
        for system, row in zip(scored, rows, strict=True):
            lines.append([system, *(_shown(row[key]) for key in _HEADS)])
    return ["| " + " | ".join(line) + " |" for line in lines]


def _shown(value: str | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
