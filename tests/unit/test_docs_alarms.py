"""docs/alarms.md has every state, every key of a rule, and the numbers that the code has."""

from __future__ import annotations

import re
from pathlib import Path

from analytics.alarms import load, machine
from analytics.alarms.lifecycle import State
from analytics.alarms.rules import AlarmRule

DOCS = (Path(__file__).parents[2] / "docs" / "alarms.md").read_text("utf-8")


def cells(heading: str) -> list[str]:
    section = DOCS.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| ([^|]*`) \|", section, re.MULTILINE)))


def test_every_state_is_documented() -> None:
    assert cells("Lifecycle") == [state.value for state in State]


def test_every_key_of_an_alarm_is_documented() -> None:
    assert sorted(cells("Rules")) == sorted(AlarmRule.__struct_fields__)


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"at most {machine.SHELVE_MOST.total_seconds() / 3600:.0f} hours" in DOCS
    assert f"{machine.ESCALATE_AFTER.total_seconds() / 60:.0f} minutes at high priority" in DOCS
    assert f"from {load.FLOOD_FROM} in 10 min until below {load.FLOOD_BELOW}" in DOCS
    assert f"{load.CHATTER_COUNT} times in 1 min" in DOCS
    assert f"under {load.STALE_MOST}" in DOCS
