"""What the benches in this process measure is a step of the engine of production, and of its situations."""

from __future__ import annotations

import json

import pytest

from service.cli import main


def test_bench_detect_prints_one_object_for_each_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "detect", "--sensors", "3,30", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["sensors"] for each in found] == [3, 30]
    assert all(set(each) == {"sensors", "detect_ms", "step_ms", "worst_ms", "memory_mb"} for each in found)
    assert all(0 < each["detect_ms"] < each["step_ms"] <= each["worst_ms"] for each in found)


def test_bench_situations_counts_the_jams_that_it_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "situations", "--sensors", "60,300", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["sensors"], each["situations"]) for each in found] == [(60, 1), (300, 5)]
    assert all(0 < each["step_ms"] <= each["worst_ms"] for each in found)
