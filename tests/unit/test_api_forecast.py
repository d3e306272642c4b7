"""What is usual and what is coming, as the API says it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sensors.level import Abnormality
from store.api_rows import StateRow
from store.outlooks import OutlookRow

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
OUTLOOK = OutlookRow(
    thing="W12-F1",
    time=NOW,
    coverage=1.0,
    abnormality=int(Abnormality.UNUSUAL),
    usual=82.0,
    z=4.2,
    minutes=[15, 30, 60],
    speed=[63.2, 68.0, 75.0],
    low=[51.0, 50.0, 48.0],
    high=[71.4, 80.0, 90.0],
    usual_ahead=[80.0, 79.0, 78.0],
)


async def test_forecast_has_three_horizons_with_interval_and_unit(client: httpx.AsyncClient, source: Any) -> None:
    source.outlooks["W12-F1"] = OUTLOOK
    found = (await client.get("/v1/sensors/W12-F1/forecast")).json()
    assert [item["minutes"] for item in found["items"]] == [15, 30, 60]
    assert found["items"][0] == {
        "minutes": 15,
        "time": "2026-03-02T07:49:00Z",
        "speed": 63.2,
        "low": 51.0,
        "high": 71.4,
        "usual": 80.0,
    }
    rest = {name: value for name, value in found.items() if name != "items"}
    assert rest == {
        "sensor": "W12-F1",
        "unit": "km/h",
        "time": "2026-03-02T07:34:00Z",
        "method": "usual",
        "interval": 0.8,
        "coverage": 1.0,
        "reason": None,
    }


async def test_forecast_says_that_the_last_speed_is_kept(client: httpx.AsyncClient, source: Any) -> None:
    source.outlooks["W12-F1"] = replace(OUTLOOK, usual_ahead=[None] * 3)
    assert (await client.get("/v1/sensors/W12-F1/forecast")).json()["method"] == "last"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (None, "no reading"),
        (replace(OUTLOOK, time=None), "no reading"),
        (replace(OUTLOOK, abnormality=None), "measure speed"),
        (replace(OUTLOOK, coverage=0.6), "75 %"),
        (OUTLOOK, "no usable speed"),
    ],
)
async def test_no_forecast_has_a_reason(
    client: httpx.AsyncClient, source: Any, row: OutlookRow | None, reason: str
) -> None:
    if row:
        source.outlooks["W12-F1"] = replace(row, minutes=[], speed=[], low=[], high=[], usual_ahead=[])
    found = (await client.get("/v1/sensors/W12-F1/forecast")).json()
    assert (found["items"], found["method"]) == ([], None)
    assert reason in found["reason"]


async def test_forecast_of_what_is_not_installed_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/sensors/NOBODY/forecast")).status_code == 404


@pytest.mark.parametrize(
    ("abnormality", "usual", "reason"),
    [
        (Abnormality.UNUSUAL, 82.0, None),
        (Abnormality.USUAL, 82.0, None),
        (Abnormality.UNKNOWN, None, "takes a week"),
        (Abnormality.UNKNOWN, 82.0, "no usable speed"),
    ],
)
async def test_abnormality_is_beside_the_level(
    client: httpx.AsyncClient, source: Any, abnormality: Abnormality, usual: float | None, reason: str | None
) -> None:
    source.state["W12-F1"] = StateRow(
        "W12-F1", NOW, 0, NOW, "traffic", {"speed_kmh": 61.0}, 0.98, int(abnormality), usual, 4.2
    )
    items = (await client.get("/v1/states")).json()["items"]
    (state,) = [item for item in items if item["sensor"] == "W12-F1"]
    assert (state["level"], state["abnormality"]) == ("fluid", abnormality.label)
    assert (state["coverage"], state["deviations"]) == (0.98, 4.2)
    assert state["usual"] == (None if usual is None else {"field": "speed_kmh", "unit": "km/h", "value": usual})
    assert state["abnormality_reason"] is None if reason is None else reason in state["abnormality_reason"]
