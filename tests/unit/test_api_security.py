from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.security import MAX_BODY_BYTES, NotLoopbackError, host_of, require_loopback
from api.settings import ApiSettings
from sensors.kind import Kinds


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_addresses_may_be_bound(host: str) -> None:
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "example.org", "localhost.example.org"])  # noqa: S104
def test_an_address_that_others_can_reach_is_refused_in_one_line(host: str) -> None:
    with pytest.raises(NotLoopbackError) as refused:
        require_loopback(host)
    assert repr(host) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("localhost", "localhost"),
        ("LocalHost:8080", "localhost"),
        ("[::1]:8080", "::1"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("", None),
        ("a:b:c", None),
        ("user@localhost", None),
        ("localhost:80:80", None),
        ("localhost/x", None),
    ],
)
def test_the_host_of_a_header(header: str, host: str) -> None:
    assert host_of(header) == host


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "vigie.port.example:443"])
async def test_known_hosts_are_answered(source: Any, kinds: Kinds, host: str) -> None:
    app = create_app(source, kinds, settings=ApiSettings(allowed_hosts=frozenset({"Vigie.port.example"})))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        assert (await client.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io:8000"])
async def test_other_hosts_are_refused(client: httpx.AsyncClient, host: str) -> None:
    response = await client.get("/v1/states", headers={"host": host})
    assert response.status_code == 421
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/v1/states", "/nothing", "/v1/alerts?limit=0"])
async def test_every_answer_binds_the_browser(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path, headers={"origin": "https://evil.example"})).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8000", 503),
        ("http://127.0.0.1", 503),
        (None, 503),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost.evil.example", 403),
    ],
)
async def test_only_pages_of_this_service_may_act(client: httpx.AsyncClient, origin: str | None, status: int) -> None:
    """503: it was let in, and there is no database in this test."""
    headers = {} if origin is None else {"origin": origin}
    response = await client.post("/v1/alarms/1/acknowledge", headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_too_long_is_refused_however_it_comes(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    headers = {"content-type": "application/json"}
    for body in (b" " * (MAX_BODY_BYTES + 1), endless()):
        response = await client.post("/v1/alarms/1/comment", content=body, headers=headers)
        assert (response.status_code, response.json()["type"]) == (413, "urn:vigie:problem:body-too-long")
