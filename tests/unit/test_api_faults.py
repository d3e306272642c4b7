from __future__ import annotations

from datetime import UTC, datetime

import httpx

from store.faults import FaultRow


async def test_what_is_wrong_is_shown_with_its_level(client: httpx.AsyncClient, source) -> None:
    since = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
    source.wrong = [
        FaultRow("W12-F1", "stuck", "sensor", "W12", "traffic", since, since.replace(minute=30)),
        FaultRow("W12-F2", "clock_offset", "sensor", "W12", "traffic", since, since, ahead_h=-2),
        FaultRow("west", "network_down", "basin", None, None, since, since),
    ]
    one, clock, other = (await client.get("/v1/faults")).json()["items"]
    assert one == {
        "place": "W12-F1",
        "fault": "stuck",
        "scope": "sensor",
        "site": "W12",
        "kind": "traffic",
        "since": "2026-03-02T07:10:00Z",
        "found": "2026-03-02T07:30:00Z",
        "ahead_h": None,
    }
    assert (clock["place"], clock["ahead_h"]) == ("W12-F2", -2)
    assert (other["place"], other["scope"], other["site"]) == ("west", "basin", None)
