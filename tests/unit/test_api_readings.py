from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from sensors.catalogue import Sensor, Site
from store.api_rows import ReadingsTable, StateRow

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
READINGS = "/v1/sensors/W12-F1/readings"


def raw(count: int, start: datetime = NOW, step_s: int = 30) -> ReadingsTable:
    times = [start + timedelta(seconds=step_s * n) for n in range(count)]
    return ReadingsTable(times, {"speed_kmh": [float(n) for n in range(count)]}, quality=[0] * count)


@pytest.mark.parametrize(
    ("length", "resolution", "step_s"),
    [
        (timedelta(hours=6), "raw", 30),
        (timedelta(hours=16), "raw", 30),
        (timedelta(days=1), "5min", 300),
        (timedelta(days=6), "5min", 300),
        (timedelta(days=30), "1h", 3600),
        (timedelta(days=365), "1d", 86400),
    ],
)
async def test_auto_chooses_the_finest_resolution_that_fits_and_names_it(
    client: httpx.AsyncClient, source: Any, length: timedelta, resolution: str, step_s: int
) -> None:
    body = (await client.get(READINGS, params={"from": (NOW - length).isoformat(), "to": NOW.isoformat()})).json()
    assert (body["resolution"], body["step_s"]) == (resolution, step_s)
    assert (source.asked[0].resolution, source.asked[0].limit) == (resolution, 2000)


async def test_without_a_range_it_is_the_last_six_hours(client: httpx.AsyncClient) -> None:
    body = (await client.get(READINGS)).json()
    assert (body["from"], body["to"]) == ("2026-03-02T01:34:00Z", "2026-03-02T07:34:00Z")


async def test_columns_have_one_entry_per_time_and_units_beside_them(client: httpx.AsyncClient, source: Any) -> None:
    source.table = raw(3)
    body = (await client.get(READINGS)).json()
    assert body["time"] == ["2026-03-02T07:34:00Z", "2026-03-02T07:34:30Z", "2026-03-02T07:35:00Z"]
    assert body["values"] == {"speed_kmh": [0.0, 1.0, 2.0]}
    assert body["quality"] == [0, 0, 0]
    assert {"speed_kmh": "km/h", "occupancy_pct": "%"}.items() <= {f["name"]: f["unit"] for f in body["fields"]}.items()
    assert body["next"] is None


async def test_gaps_stay_gaps(client: httpx.AsyncClient, source: Any) -> None:
    source.table = ReadingsTable([NOW, NOW + timedelta(hours=1)], {"speed_kmh": [80.0, None]}, quality=[0, 0])
    body = (await client.get(READINGS)).json()
    assert len(body["time"]) == 2
    assert body["values"]["speed_kmh"] == [80.0, None]


async def test_at_most_2000_points_and_where_the_rest_begins(client: httpx.AsyncClient, source: Any) -> None:
    source.table = raw(2001)
    body = (await client.get(READINGS, params={"resolution": "raw"})).json()
    assert len(body["time"]) == len(body["values"]["speed_kmh"]) == len(body["quality"]) == 2000
    assert body["next"] == (NOW + timedelta(seconds=30 * 2000)).isoformat().replace("+00:00", "Z")


async def test_means_carry_extremes_and_coverage(client: httpx.AsyncClient, source: Any) -> None:
    source.table = ReadingsTable([NOW], {"speed_kmh": [80.0]}, {"speed_kmh": [70.0]}, {"speed_kmh": [90.0]}, [0.9])
    body = (await client.get(READINGS, params={"resolution": "5min"})).json()
    assert (body["values"], body["low"], body["high"]) == (
        {"speed_kmh": [80.0]},
        {"speed_kmh": [70.0]},
        {"speed_kmh": [90.0]},
    )
    assert body["coverage"] == [0.9]
    assert body["quality"] is None


async def test_a_gate_gives_its_own_readings_and_its_passages(client: httpx.AsyncClient) -> None:
    own = (await client.get("/v1/sensors/W07-G1/readings")).json()
    passages = (await client.get("/v1/sensors/W07-G1/readings", params={"kind": "passage"})).json()
    assert (own["kind"], passages["kind"], passages["step_s"]) == ("gate", "passage", 0.0)
    assert passages["resolution"] == "raw"


async def test_a_corridor_has_readings_like_a_sensor(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/sensors/W17-W15/readings")).json()
    assert (body["sensor"], body["kind"]) == ("W17-W15", "travel_time")


async def test_a_recording_ends_where_its_readings_end(
    client: httpx.AsyncClient, source: Any, congested: StateRow
) -> None:
    site = Site(id="LA", name="Recording", basin="recording", clock="recording")
    sensor = Sensor(id="LA-1", site="LA", kind="traffic", period_s=300)
    source.installed = msgspec.structs.replace(
        source.installed, sites=(*source.installed.sites, site), sensors=(*source.installed.sensors, sensor)
    )
    end = datetime(2012, 3, 4, 12, tzinfo=UTC)
    source.state["LA-1"] = type(congested)("LA-1", end, 0, end, "traffic", {})
    body = (await client.get("/v1/sensors/LA-1/readings")).json()
    assert body["to"].startswith("2012-03-04T12:00:00")
    assert body["step_s"] == 300


async def test_times_with_an_offset_are_answered_in_utc(client: httpx.AsyncClient) -> None:
    body = (await client.get(READINGS, params={"from": "2026-03-02T06:00:00+02:00"})).json()
    assert body["from"] == "2026-03-02T04:00:00Z"
