"""The promises about speed (README): measured side by side on this machine, in a run of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest


def bench(*arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "service", "bench", *arguments, "--json"], stdout=subprocess.PIPE, text=True, check=True
    )
    sys.stdout.write(done.stdout)
    return json.loads(done.stdout)


@pytest.mark.timeout(1800)
def test_ingest_keeps_up_with_the_broker_and_leaves_the_obvious_service_far_behind() -> None:
    found = bench("ingest", "--messages", "300000", "--rounds", "2")
    assert found["vigie_per_broker_only"] >= 0.9
    assert found["vigie_per_naive"] >= 5
    assert found["naive_cpu_per_vigie_cpu"] >= 5
    assert found["drain_per_broker_drain"] >= 0.5


@pytest.mark.timeout(300)
def test_a_reading_is_committed_while_it_is_news() -> None:
    assert bench("latency", "--sensors", "90", "--seconds", "60")["p99_ms"] < 25
