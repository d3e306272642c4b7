"""`vigie rules check`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import analytics.alarms
from service.cli import main

SHIPPED = Path(analytics.alarms.__file__).parent / "rules.toml"


def test_the_shipped_rules_are_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check"]) == 0
    assert re.match(r"the shipped rules: \d+ alarms, each with its response", capsys.readouterr().out)


def test_an_alarm_without_a_response_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "rules.toml"
    mine.write_text(re.sub(r"(?s)\[alarm.response\].*?\n\n", "", SHIPPED.read_text("utf-8"), count=1), "utf-8")
    assert main(["rules", "check", str(mine)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"vigie: {mine}: alarm 'road_accident' has no response.do in fr and en")


def test_the_rules_in_use_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_RULES_FILE", str(tmp_path / "nowhere.toml"))
    assert main(["rules", "check"]) == 1
