from __future__ import annotations

from datetime import UTC, datetime

import httpx

from store.faults import FaultRow


async def test_what_is_wrong_is_shown_with_its_level(client: httpx.AsyncClient, source) -> None:
    since = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
    source.wrong = [
        FaultRow("W12-F1", "stuck", "sensor", "W12", "traffic", since, since.replace(minute=30)),
        FaultRow("west", "network_down", "basin", None, None, since, since),
    ]
    one, other = (await client.get("/v1/faults")).json()["items"]
    assert one == {
        "place": "W12-F1",
        "fault": "stuck",
        "scope": "sensor",
        "site": "W12",
        "kind": "traffic",
        "since": "2026-03-02T07:10:00Z",
        "found": "2026-03-02T07:30:00Z",
    }
    assert (other["place"], other["scope"], other["site"]) == ("west", "basin", None)
