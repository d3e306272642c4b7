"""The feed: pages and stream have the same ids as cursor, and nothing falls in between."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.broadcast import Told
from api.settings import ApiSettings
from sensors.kind import Kinds
from store.api_rows import EventRow, StateRow

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)


async def test_feed_is_oldest_first_and_its_cursor_continues(client: httpx.AsyncClient, source: Any) -> None:
    for _ in range(5):
        await source.add_event()
    first = (await client.get("/v1/alerts", params={"limit": 3})).json()
    rest = (await client.get("/v1/alerts", params={"after": first["next"]})).json()
    assert [item["id"] for item in first["items"]] == ["1", "2", "3"]
    assert (first["next"], first["more"]) == ("3", True)
    assert [item["id"] for item in rest["items"]] == ["4", "5"]
    assert (rest["next"], rest["more"]) == ("5", False)


async def test_cursor_stays_while_nothing_is_new(client: httpx.AsyncClient, source: Any) -> None:
    await source.add_event()
    page = (await client.get("/v1/alerts", params={"after": 1})).json()
    assert page == {"items": [], "next": "1", "more": False}


async def test_alert_is_a_cloudevent_with_its_data_as_recorded(client: httpx.AsyncClient, source: Any) -> None:
    await source.add_event("W07-G1", previous="dense", extra=1)
    (item,) = (await client.get("/v1/alerts")).json()["items"]
    assert item == {
        "specversion": "1.0",
        "id": "1",
        "source": "/vigie",
        "type": "vigie.congestion.began.v1",
        "subject": "W07-G1",
        "time": "2026-03-02T07:34:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:vigie:schema:vigie.congestion.began.v1",
        "data": {"level": "congested", "previous": "dense", "extra": 1},
    }


async def test_feed_of_one_subject(client: httpx.AsyncClient, source: Any) -> None:
    for subject in ("W07-G1", "W12-F1", "W07-G1"):
        await source.add_event(subject)
    page = (await client.get("/v1/alerts", params={"subject": "W07-G1"})).json()
    assert [item["id"] for item in page["items"]] == ["1", "3"]


async def test_feed_by_type_site_terminal_and_level(client: httpx.AsyncClient, source: Any) -> None:
    await source.add_event("W07-G1", site="W07")
    await source.add_event("W12-F1", sites=["W12", "W15"], level="jammed")
    for query, found in (
        ("type=vigie.congestion.*", ["1", "2"]),
        ("type=vigie.congestion.began.v1&site=W15", ["2"]),
        ("type=vigie.alarm.*", []),
        ("terminal=SEYA", ["1"]),
        ("terminal=SEYA&site=W12", ["1", "2"]),
        ("level=jammed", ["2"]),
        ("priority=high", []),
    ):
        page = (await client.get(f"/v1/alerts?{query}")).json()
        assert [item["id"] for item in page["items"]] == found, query


async def test_a_stream_has_the_filters_of_a_page(served: Any, source: Any, sse: Any) -> None:
    await source.add_event("W07-G1", site="W07")
    async with sse(served.url + "v1/alerts/stream?after=0&site=W12") as events:
        await source.add_event("W07-G1", site="W07")
        await source.add_event("W12-F1", site="W12")
        assert (await anext(events))["id"] == "3"


async def test_a_heartbeat_tells_how_far_the_feed_is_and_how_old_the_data(
    source: Any, kinds: Kinds, sse: Any, served_with: Any
) -> None:
    source.behind = replace(source.behind, now=NOW + timedelta(seconds=7.5))
    await source.add_event()
    app = create_app(source, kinds, settings=ApiSettings(heartbeat_s=0.05))
    async with served_with(app) as served, sse(served.url + "v1/alerts/stream?after=1") as events:
        beat = await anext(events)
    assert (beat["event"], "id" in beat) == ("heartbeat", False)
    assert json.loads(beat["data"]) == {
        "time": "2026-03-02T07:34:07.500000Z",
        "cursor": "1",
        "data_age_s": 7.5,
        "valid_until": "2026-03-02T07:34:07.650000Z",
    }


async def test_no_heart_beats_while_nobody_knows_the_state(
    source: Any, kinds: Kinds, sse: Any, served_with: Any
) -> None:
    app = create_app(source, kinds, settings=ApiSettings(heartbeat_s=0.01))
    async with served_with(app) as served, sse(served.url + "v1/alerts/stream?after=0") as events:
        assert (await anext(events))["event"] == "heartbeat"
        source.away = True
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_all(events), 0.3)


async def _all(events: Any) -> list[Any]:
    return [event async for event in events]


async def test_newest_alerts_still_come_oldest_first(client: httpx.AsyncClient, source: Any) -> None:
    for _ in range(5):
        await source.add_event()
    page = (await client.get("/v1/alerts", params={"newest": 2})).json()
    assert [item["id"] for item in page["items"]] == ["4", "5"]
    assert page["next"] == "5"


async def test_newest_and_after_together_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/alerts", params={"newest": 2, "after": 1})
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "newest"


async def test_stream_without_a_cursor_is_snapshot_then_changes(
    served: Any, source: Any, sse: Any, congested: StateRow
) -> None:
    source.state["W07-G1"] = congested
    await source.add_event()
    async with sse(served.url + "v1/alerts/stream") as events:
        snapshot = await anext(events)
        await source.add_event()
        alert = await anext(events)
    states = {state["sensor"]: state for state in json.loads(snapshot["data"])["items"]}
    assert (snapshot["event"], snapshot["id"], json.loads(snapshot["data"])["after"]) == ("snapshot", "1", "1")
    assert states["W07-G1"]["level"] == "congested"
    assert (alert["event"], alert["id"]) == ("alert", "2")


@pytest.mark.parametrize("headers", [{"last-event-id": "2"}, {}])
async def test_stream_resumes_after_the_last_event(served: Any, source: Any, sse: Any, headers: dict[str, str]) -> None:
    for _ in range(4):
        await source.add_event()
    after = "" if headers else "?after=2"
    async with sse(served.url + "v1/alerts/stream" + after, **headers) as events:
        assert [(await anext(events))["id"] for _ in range(2)] == ["3", "4"]
        await source.add_event()
        assert (await anext(events))["id"] == "5"


async def test_the_browsers_cursor_wins_over_the_address(served: Any, source: Any, sse: Any) -> None:
    for _ in range(4):
        await source.add_event()
    async with sse(served.url + "v1/alerts/stream?after=0", **{"last-event-id": "3"}) as events:
        assert (await anext(events))["id"] == "4"


async def test_a_cursor_that_the_feed_never_gave_gets_a_snapshot(served: Any, source: Any, sse: Any) -> None:
    await source.add_event()
    async with sse(served.url + "v1/alerts/stream?after=99") as events:
        assert (await anext(events))["event"] == "snapshot"
        await source.add_event()
        assert (await anext(events))["id"] == "2"


async def test_stream_of_one_subject(served: Any, source: Any, sse: Any) -> None:
    for subject in ("W12-F1", "W07-G1"):
        await source.add_event(subject)
    async with sse(served.url + "v1/alerts/stream?after=0&subject=W07-G1") as events:
        assert (await anext(events))["id"] == "2"
        await source.add_event("W12-F1")
        await source.add_event("W07-G1")
        assert (await anext(events))["id"] == "4"


async def test_a_client_that_reconnects_often_misses_nothing(served: Any, source: Any, sse: Any) -> None:
    seen: list[str] = []
    for _ in range(20):
        await source.add_event()
        async with sse(served.url + "v1/alerts/stream", **{"last-event-id": seen[-1] if seen else "0"}) as events:
            seen.append((await anext(events))["id"])
            await source.add_event()
            seen.append((await anext(events))["id"])
    assert seen == [str(number) for number in range(1, 41)]


async def test_stream_is_refused_while_the_database_is_away(served: Any, source: Any, bearer: dict[str, str]) -> None:
    source.away = True
    async with httpx.AsyncClient(headers=bearer) as client:
        response = await client.get(served.url + "v1/alerts/stream")
    assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")


async def test_stream_survives_a_database_that_goes_away(served: Any, source: Any, sse: Any) -> None:
    async with sse(served.url + "v1/alerts/stream") as events:
        await anext(events)
        source.away = True
        await source.add_event()
        source.away = False
        assert (await anext(events))["id"] == "1"


async def test_a_client_that_falls_behind_is_told_where_to_resume(
    source: Any, kinds: Kinds, sse: Any, served_with: Any
) -> None:
    app = create_app(source, kinds, settings=ApiSettings(stream_backlog=2))
    async with served_with(app) as served, sse(served.url + "v1/alerts/stream") as events:
        await anext(events)
        feed = app.state.context.feed
        for number in range(1, 5):
            feed._offer(Told(b"", EventRow(number, NOW, "t", "s", {})))
        last = [event async for event in events][-1]
    assert (last["event"], json.loads(last["data"])) == ("resume", {"after": "0"})


async def test_more_streams_than_allowed_are_refused(source: Any, kinds: Kinds, bearer: dict[str, str]) -> None:
    app = create_app(source, kinds, settings=ApiSettings(max_streams=1))
    transport = httpx.ASGITransport(app)
    with app.state.context.feed.subscribe():
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=bearer) as client:
            response = await client.get("/v1/states/stream")
    assert (response.status_code, response.json()["type"]) == (503, "urn:vigie:problem:too-many-streams")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_streams_are_packed_for_those_who_accept_it_and_never_held_back(
    served: Any, encoding: str, bearer: dict[str, str]
) -> None:
    headers = {"accept-encoding": encoding}
    async with (
        httpx.AsyncClient(headers=bearer) as client,
        client.stream("GET", served.url + "v1/states/stream", headers=headers) as response,
    ):
        assert response.headers.get("content-encoding", "identity") == encoding
        assert response.headers["cache-control"] == "no-cache"
        lines = response.aiter_lines()
        while "event: snapshot" not in await anext(lines):
            pass


async def test_an_open_stream_ends_when_the_service_stops(served: Any, sse: Any) -> None:
    async with sse(served.url + "v1/alerts/stream") as alerts, sse(served.url + "v1/states/stream") as states:
        await anext(alerts)
        await anext(states)
        async with asyncio.timeout(5):
            await served.stop()
            assert [event async for event in alerts] == []
            async for _ in states:
                pass


async def test_states_stream_says_that_nothing_changed(
    source: Any, kinds: Kinds, sse: Any, congested: StateRow, served_with: Any
) -> None:
    app = create_app(source, kinds, settings=ApiSettings(states_every_s=0.01))
    source.state["W07-G1"] = congested
    async with served_with(app) as served, sse(served.url + "v1/states/stream") as events:
        async for event in events:
            if event["event"] == "states" and not json.loads(event["data"])["items"]:
                return
    pytest.fail("the stream fell silent")


async def test_states_stream_is_snapshot_then_what_changed(
    source: Any, kinds: Kinds, sse: Any, congested: StateRow, served_with: Any
) -> None:
    app = create_app(source, kinds, settings=ApiSettings(states_every_s=0.01))
    source.state["W07-G1"] = congested
    async with served_with(app) as served, sse(served.url + "v1/states/stream") as events:
        snapshot = json.loads((await anext(events))["data"])["items"]
        source.state["W07-G2"] = replace(congested, thing="W07-G2", level=3)
        async for event in events:
            changed = {state["sensor"]: state["level"] for state in json.loads(event["data"])["items"]}
            if changed.get("W07-G2") == "jammed":
                break
    assert len(snapshot) > 90
    assert event["event"] == "states"
