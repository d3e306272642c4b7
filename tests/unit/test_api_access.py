"""Who gets in: keys, scopes, terminals, sessions and limits, over every operation that there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.access.caller import BELIEVED_FOR_S, Callers
from api.access.limit import Limiter
from api.access.scopes import FOR_TERMINALS, NEEDS, OPEN, Scope, granted
from api.access.tokens import hash_of, new_token
from api.app import _MODULES

ROUTES = [route for module in _MODULES for route in module.router.routes if isinstance(route, APIRoute)]
OPERATIONS = [(min(route.methods), route.path, route.name) for route in ROUTES if route.name not in OPEN]
IDS = [name for _, _, name in OPERATIONS]
COOKIE = "vigie_session"


def key_of(source: Any, *scopes: str, **rest: Any) -> dict[str, str]:
    token = new_token()
    source.grants.add(token, "key", name=f"with {scopes}", scopes=list(scopes), **rest)
    return {"authorization": f"Bearer {token}"}


def path_of(template: str) -> str:
    filled = template.replace("{path:path}", "")
    for name, value in (("sensor", "W07-G1"), ("terminal", "SEYA"), ("type", "vigie.alarm.raised.v1")):
        filled = filled.replace(f"{{{name}}}", value)
    return re.sub(r"\{\w+\}", "1", filled)


def test_every_operation_has_a_scope_and_no_scope_is_for_nothing() -> None:
    assert {route.name for route in ROUTES} | {"openapi"} == set(NEEDS) | OPEN
    assert set(NEEDS) >= FOR_TERMINALS
    assert not set(NEEDS) & OPEN


@pytest.mark.parametrize(("method", "template", "name"), [*OPERATIONS, ("GET", "/openapi.json", "openapi")], ids=str)
async def test_without_a_key_401_and_without_the_scope_403(
    client: httpx.AsyncClient, source: Any, method: str, template: str, name: str
) -> None:
    """Also with a body that is none: nobody learns what an operation wants before it is known who asks."""
    path, headers = path_of(template), dict(client.headers)
    del client.headers["authorization"]

    async def ask(**given: str) -> httpx.Response:
        return await client.request(method, path, content=b"{", headers={"content-type": "application/json", **given})

    for wrong in (
        {},
        {"authorization": f"Bearer {new_token()}"},
        {"authorization": "Bearer x"},
        {"authorization": "Basic eA=="},
    ):
        answer = await ask(**wrong)
        if path == "/":
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
            assert "vigie keys link" in answer.text
            continue
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:vigie:problem:no-access")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    others = [scope for scope in Scope if NEEDS[name] not in granted([scope])]
    for scope in ([], *([scope] for scope in others)):
        answer = await ask(**key_of(source, *scope))
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:vigie:problem:scope-missing")
    if name not in FOR_TERMINALS:
        answer = await ask(**key_of(source, "admin", terminal="SEYA"))
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:vigie:problem:other-audience")
    assert headers["authorization"]


async def test_health_is_open(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    assert [(await client.get(path)).status_code for path in ("/healthz", "/readyz")] == [200, 200]


async def test_another_method_or_an_unknown_path_needs_a_key_too(client: httpx.AsyncClient) -> None:
    assert (await client.put("/v1/states")).status_code == 405
    assert (await client.get("/nothing")).status_code == 404
    del client.headers["authorization"]
    assert (await client.put("/v1/states")).status_code == 401
    assert (await client.get("/nothing")).status_code == 401


async def test_a_link_signs_in_once_and_the_cookie_opens_everything_of_its_scopes(
    client: httpx.AsyncClient, source: Any
) -> None:
    del client.headers["authorization"]
    link = new_token()
    source.grants.add(link, "link", name="M. Durand", scopes=["operate"])
    answer = await client.get("/sign-in", params={"link": link})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert re.search(r"httponly", cookie, re.IGNORECASE)
    assert re.search(r"samesite=strict", cookie, re.IGNORECASE)
    assert (await client.get("/v1/states")).status_code == 200
    assert "<main" in (await client.get("/")).text
    client.cookies.clear()
    assert (await client.get("/sign-in", params={"link": link})).status_code == 401
    assert (await client.get("/sign-in", params={"link": "x"})).status_code == 401
    assert (await client.get("/v1/states")).status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8000", 503),
        ("http://localhost:9999", 403),
        ("http://127.0.0.1:8000", 403),
        ("https://evil.example", 403),
        ("null", 403),
        (None, 403),
    ],
)
async def test_a_cookie_acts_from_the_services_own_page_only(
    client: httpx.AsyncClient, source: Any, origin: str | None, status: int
) -> None:
    """503: it was let in, and there is no database in this test. Another port is another page."""
    del client.headers["authorization"]
    session = new_token()
    source.grants.add(session, "session", name="M. Durand", scopes=["operate"])
    client.cookies.set(COOKIE, session)
    headers = {} if origin is None else {"origin": origin}
    answer = await client.post("/v1/alarms/1/acknowledge", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_key_is_no_cookie_and_a_session_no_key(client: httpx.AsyncClient, source: Any) -> None:
    token = client.headers["authorization"].removeprefix("Bearer ")
    del client.headers["authorization"]
    client.cookies.set(COOKIE, token)
    assert (await client.get("/v1/states")).status_code == 401
    session = new_token()
    source.grants.add(session, "session", name="M. Durand", scopes=["read"])
    assert (await client.get("/v1/states", headers={"authorization": f"Bearer {session}"})).status_code == 401


async def test_the_limit_is_told_and_what_is_too_often_is_refused(client: httpx.AsyncClient, source: Any) -> None:
    headers = key_of(source, "read", per_minute=2)
    answers = [await client.get("/v1/kinds", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"2"}
    assert answers[2].json()["type"] == "urn:vigie:problem:too-many-requests"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert (await client.get("/v1/kinds", headers=key_of(source, "read"))).status_code == 200


async def test_a_bucket_fills_evenly(source: Any) -> None:
    clock = Clock()
    caller = await Callers(source.grants, clock).find(_held(source, per_minute=60), "key")
    assert caller is not None
    limiter = Limiter(clock)
    assert [limiter.take(caller).wait_s for _ in range(61)] == [*[0.0] * 60, 1.0]
    clock.now = 1.5
    assert [limiter.take(caller).wait_s for _ in range(2)] == [0.0, 0.5]


async def test_a_revoked_key_is_believed_for_seconds_only(source: Any) -> None:
    clock, token = Clock(), _held(source)
    callers = Callers(source.grants, clock)
    assert await callers.find(token, "key")
    del source.grants.held[hash_of(token), "key"]
    assert await callers.find(token, "key")
    clock.now = BELIEVED_FOR_S
    assert await callers.find(token, "key") is None


async def test_a_terminal_sees_its_own_rows_and_no_others(client: httpx.AsyncClient, source: Any, app: FastAPI) -> None:
    catalogue = source.installed
    own = {site.id for site in catalogue.sites if site.terminal == "SEYA"}
    await source.add_event(site="W07", kind="gate")
    await source.add_event("W05-G1", site="W05", kind="gate")
    await source.add_event("both", sites=["W05", "W07"], kind="gate")
    await source.add_event("W12-F1", site="W12", kind="traffic")
    await source.add_event("nowhere", began="x")
    client.headers.update(key_of(source, "integrate", terminal="SEYA"))

    async def items(path: str) -> list[Any]:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    assert {state["site"] for state in await items("/v1/states")} == own
    assert {site["id"] for site in await items("/v1/sites")} == own
    assert {sensor["site"] for sensor in await items("/v1/sensors")} == own
    assert await items("/v1/corridors") == []
    assert [terminal["terminal"] for terminal in await items("/v1/terminals")] == ["SEYA"]
    for query in ("", "?site=W05&site=W07", "?terminal=EURFO&terminal=SEYA", "?newest=10"):
        assert [alert["subject"] for alert in await items(f"/v1/alerts{query}")] == ["W07-G1"], query
    assert await items("/v1/alerts?terminal=EURFO") == []
    for path in (
        "sensors/W05-G1",
        "sensors/W05-G1/readings",
        "sensors/W05-G1/forecast",
        "terminals/EURFO",
        "terminals/EURFO/outlook",
    ):
        assert (await client.get(f"/v1/{path}")).status_code == 404, path
    assert (await client.put("/v1/terminals/EURFO/appointments", json={"slots": []})).status_code == 404


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _held(source: Any, **rest: Any) -> str:
    return key_of(source, "read", **rest)["authorization"].removeprefix("Bearer ")


@pytest.fixture(autouse=True)
def no_cookies(client: httpx.AsyncClient) -> Iterator[None]:
    yield
    client.cookies.clear()
