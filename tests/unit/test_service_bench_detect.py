"""What the bench of detection measures is a step of the engine of production."""

from __future__ import annotations

import json

import pytest

from service.cli import main


def test_bench_detect_prints_one_object_for_each_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "detect", "--sensors", "3,30", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["sensors"] for each in found] == [3, 30]
    assert all(set(each) == {"sensors", "detect_ms", "step_ms", "memory_mb"} for each in found)
    assert all(0 < each["detect_ms"] < each["step_ms"] for each in found)
