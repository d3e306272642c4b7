"""The promise about situations: 90,000 sensors, a twentieth of them congested, in 30 ms a step."""

from __future__ import annotations

from sensors.kind import load_kinds
from service.bench.situations import bench_situations


def test_situations_of_90000_sensors_are_within_their_step() -> None:
    figures = bench_situations(load_kinds(), 90_000)
    print(figures)  # noqa: T201
    assert figures.situations == 1_500
    assert figures.step_ms < 30
