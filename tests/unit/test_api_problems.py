"""Every error is problem+json that names the value and what was expected."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

ROUTES = (
    "/v1/states",
    "/v1/alerts",
    "/v1/sites",
    "/v1/sensors",
    "/v1/sensors/W07-G1",
    "/v1/sensors/W07-G1/readings",
    "/v1/corridors",
    "/v1/geometry/sections",
)


def problem(response: httpx.Response, status: int) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:vigie:problem:")
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/alerts?limit=0", "limit"),
        ("/v1/alerts?limit=1001", "limit"),
        ("/v1/alerts?limit=many", "limit"),
        ("/v1/alerts?after=-1", "after"),
        ("/v1/alerts?after=9223372036854775808", "after"),
        ("/v1/alerts?subject=%27%3B--", "subject.0"),
        ("/v1/alerts?type=vigie.*.began", "type.0"),
        ("/v1/alerts?level=bad", "level.0"),
        ("/v1/alerts?newest=0", "newest"),
        ("/v1/alerts/stream?after=x", "after"),
        ("/v1/sites?format=xml", "format"),
        ("/v1/sensors/%20", "sensor"),
        ("/v1/kpi?recording=%00", "recording"),
        ("/v1/subscriptions/1/deliveries?message=%00", "message"),
        ("/v1/sensors/W07-G1/readings?from=yesterday", "from"),
        ("/v1/sensors/W07-G1/readings?from=2026-03-02T00:00:00", "from"),
        ("/v1/sensors/W07-G1/readings?to=0001-01-01T00:00:00Z", "to"),
        ("/v1/sensors/W07-G1/readings?to=9999-12-31T23:59:59-14:00", "to"),
        ("/v1/sensors/W07-G1/readings?from=2026-03-03T00:00:00Z&to=2026-03-02T00:00:00Z", "from"),
        ("/v1/sensors/W07-G1/readings?from=2020-03-03T00:00:00Z", "from"),
        ("/v1/sensors/W07-G1/readings?resolution=1min", "resolution"),
        ("/v1/sensors/W07-G1/readings?kind=traffic", "kind"),
        ("/v1/sensors/W07-G1/readings?kind=A%20B", "kind"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named_with_what_was_expected(
    client: httpx.AsyncClient, path: str, parameter: str
) -> None:
    body = problem(await client.get(path), 422)
    (error,) = body["errors"]
    assert error["parameter"] == parameter
    assert error["value"]
    assert error["expected"]
    assert parameter in body["detail"]


@pytest.mark.parametrize(
    ("path", "body", "parameter"),
    [
        ("alarms/1/comment", {"comment": "a\x00b"}, "comment"),
        ("alarms/1/shelve", {"reason": "\x1b[2J", "minutes": 5}, "reason"),
        ("shift", {"operator": "M.\nDurand"}, "operator"),
        ("subscriptions", {"kind": "webhook", "name": "a\x00", "target": "https://receiver.example/"}, "name"),
    ],
)
async def test_control_characters_are_refused_before_they_reach_the_database(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], parameter: str
) -> None:
    (error,) = problem(await client.post(f"/v1/{path}", json=body), 422)["errors"]
    assert error["parameter"] == parameter


async def test_a_long_value_is_shortened(client: httpx.AsyncClient) -> None:
    body = problem(await client.get("/v1/alerts", params={"limit": "9" * 3000}), 422)
    assert len(body["detail"]) < 400


@pytest.mark.parametrize("path", ["/v1/sensors/W99-F1", "/v1/sensors/W99-F1/readings"])
async def test_an_unknown_sensor_is_named_with_where_the_ids_are(client: httpx.AsyncClient, path: str) -> None:
    body = problem(await client.get(path), 404)
    assert "W99-F1" in body["detail"]
    assert "/v1/sensors" in body["detail"]


async def test_a_reader_names_the_corridors_that_have_its_readings(client: httpx.AsyncClient) -> None:
    body = problem(await client.get("/v1/sensors/W15-B1/readings"), 404)
    assert "W17-W15" in body["detail"]


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/v1/", "/../etc/passwd", "/index.html/", "/v1/sites/"])
async def test_what_is_not_there_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    problem(await client.get(path), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", [*ROUTES, "/", "/healthz"])
async def test_another_method_is_refused_with_those_allowed(client: httpx.AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, path)
    problem(response, 405)
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/backtests", "POST"),
        ("PUT", "/v1/subscriptions/1", "DELETE, GET, PATCH"),
        ("OPTIONS", "/v1/shift", "GET, POST"),
        ("POST", "/v1/terminals/SEYA/appointments", "GET, PUT"),
    ],
)
async def test_allow_names_every_method_of_a_path(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await client.request(method, path)
    assert allowed in problem(response, 405)["detail"]
    assert sorted(response.headers["allow"].split(", ")) == allowed.split(", ")


@pytest.mark.parametrize("path", ROUTES)
async def test_a_database_that_is_away_is_503_with_when_to_retry(
    client: httpx.AsyncClient, source: Any, path: str
) -> None:
    source.away = True
    response = await client.get(path)
    body = problem(response, 503)
    assert int(response.headers["retry-after"]) > 0
    assert "5432" not in body["detail"]


@pytest.mark.parametrize("path", [*ROUTES, "/readyz"])
async def test_a_defect_shows_nothing_of_the_inside(client: httpx.AsyncClient, source: Any, path: str) -> None:
    source.broken = True
    response = await client.get(path)
    problem(response, 500)
    assert "secret" not in response.text
