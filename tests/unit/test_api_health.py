from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest


async def failing(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    body = response.json()
    failing = [check["name"] for check in body["checks"] if not check["ok"]]
    assert body["ready"] == (not failing)
    assert response.status_code == (503 if failing else 200)
    return failing


async def test_ready_when_everybody_is_at_work(client: httpx.AsyncClient) -> None:
    assert await failing(client) == []


async def test_ready_before_the_first_reading(client: httpx.AsyncClient, source: Any) -> None:
    source.behind = replace(source.behind, committed_at=None, readers=())
    assert await failing(client) == []


async def test_no_holder_of_a_slot_is_not_ready(client: httpx.AsyncClient, source: Any) -> None:
    source.behind = replace(source.behind, held=())
    assert await failing(client) == ["ingest"]


async def test_a_silent_port_is_no_fault_of_ingest(client: httpx.AsyncClient, source: Any) -> None:
    source.behind = replace(source.behind, committed_at=source.behind.now - timedelta(days=1))
    assert await failing(client) == []


@pytest.mark.parametrize(("age_s", "late"), [(5, []), (31, ["analytics"])])
async def test_analytics_is_late_when_batches_wait_too_long(
    client: httpx.AsyncClient, source: Any, age_s: int, late: list[str]
) -> None:
    since = source.behind.now - timedelta(seconds=age_s)
    source.behind = replace(source.behind, unread={"analytics": since})
    assert await failing(client) == late


async def test_batches_that_nobody_ever_read_are_not_ready(client: httpx.AsyncClient, source: Any) -> None:
    source.behind = replace(source.behind, readers=())
    assert await failing(client) == ["analytics"]


async def test_a_database_that_is_away_is_not_ready_but_alive(client: httpx.AsyncClient, source: Any) -> None:
    source.away = True
    assert await failing(client) == ["database"]
    assert (await client.get("/healthz")).status_code == 200


async def test_metrics_count_by_route_and_not_by_path(client: httpx.AsyncClient) -> None:
    for path in ("/v1/sensors/W07-G1", "/v1/sensors/W12-F1", "/stranger"):
        await client.get(path)
    text = (await client.get("/metrics")).text
    assert 'vigie_http_requests_total{method="GET",route="/v1/sensors/{sensor}",status="200"} 2.0' in text
    assert "stranger" not in text
    assert 'vigie_http_streams{stream="alerts"} 0.0' in text
