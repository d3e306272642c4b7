"""The quarantine over HTTP: chosen, paged, shown with its payload."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from store.quarantine import Dropped, Entry
from store.raw_payloads import RawRow

AT = datetime(2026, 3, 2, 7, tzinfo=UTC)
TOPIC = "vigie/1/readings/W12/W12-F9/traffic"


def entry(number: int, payload: bytes = b"{}", reason: str = "unknown_sensor") -> Entry:
    told = ("no such sensor", "W12", "W12-F9", len(payload), True, False, None, None)
    return Entry(number, AT, AT, 1, TOPIC, reason, *told, payload)


async def test_pages_follow_each_other_without_a_gap(client: httpx.AsyncClient, source) -> None:
    source.entries = [entry(number) for number in range(1, 6)]
    seen: list[str] = []
    before = ""
    while True:
        page = (await client.get(f"/v1/quarantine?limit=2{before}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == ["5", "4", "3", "2", "1"]


async def test_the_list_says_what_had_to_be_dropped_and_keeps_payloads_to_itself(
    client: httpx.AsyncClient, source
) -> None:
    source.entries, source.dropped = [entry(1)], Dropped(120, AT, AT)
    answer = (await client.get("/v1/quarantine?reason=unknown_sensor&sensor=W12-F9")).json()
    assert answer["dropped"]["entries"] == 120
    assert "payload" not in answer["items"][0]
    assert (await client.get("/v1/quarantine?reason=malformed")).json()["items"] == []


async def test_one_entry_is_shown_as_text_or_in_base64(client: httpx.AsyncClient, source) -> None:
    source.entries = [entry(1, b'{"count":1}'), entry(2, b"\xff")]
    text, binary = [(await client.get(f"/v1/quarantine/{number}")).json() for number in (1, 2)]
    assert (text["payload"], text["payload_base64"]) == ('{"count":1}', None)
    assert (binary["payload"], binary["payload_base64"]) == (None, "/w==")


async def test_the_last_messages_of_a_sensor_are_shown_with_their_reason(client: httpx.AsyncClient, source) -> None:
    source.raw["W01-F1"] = [RawRow(AT, TOPIC, b"}", 1, redacted=False, reason="malformed")]
    answer = (await client.get("/v1/sensors/W01-F1/raw")).json()
    assert [(item["payload"], item["reason"]) for item in answer["items"]] == [("}", "malformed")]
    assert (await client.get("/v1/sensors/W17-W15/raw")).json()["items"] == []
    assert (await client.get("/v1/sensors/W99-F1/raw")).json()["type"] == "urn:vigie:problem:unknown-sensor"


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/v1/quarantine/7", 404, "unknown-entry"),
        ("/v1/quarantine/0", 422, "invalid-parameter"),
        ("/v1/quarantine?reason=dislike", 422, "invalid-parameter"),
        ("/v1/quarantine?limit=1001", 422, "invalid-parameter"),
        ("/v1/quarantine?from=yesterday", 422, "invalid-parameter"),
    ],
)
async def test_errors_are_problems(client: httpx.AsyncClient, path: str, status: int, slug: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:vigie:problem:{slug}")
