"""The promise about detection: 90,000 sensors in 30 ms, 3 ms of it for congestion, time and memory linear."""

from __future__ import annotations

from sensors.kind import load_kinds
from service.bench.detect import bench_detect

FEW, MANY = 9_000, 90_000
KINDS = load_kinds()


def test_detection_of_90000_sensors_is_within_its_step_and_linear() -> None:
    few, many = (bench_detect(KINDS, sensors) for sensors in (FEW, MANY))
    print(few, many, sep="\n")  # noqa: T201
    assert many.detect_ms < 3
    assert many.step_ms < 30
    assert many.step_ms / few.step_ms < 1.5 * MANY / FEW
    assert many.memory_mb / few.memory_mb < 1.5 * MANY / FEW
