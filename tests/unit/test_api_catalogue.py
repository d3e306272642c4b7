from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace as replace_struct

from api.present import Present
from sensors.catalogue import Sensor
from sensors.kind import Kinds
from store.api_rows import ClockRow, StandingRow, StateRow


async def test_sites_and_sensors_of_the_port(client: httpx.AsyncClient) -> None:
    sites = (await client.get("/v1/sites")).json()["items"]
    sensors = (await client.get("/v1/sensors")).json()["items"]
    assert len(sites) == 30
    assert len(sensors) == 90
    assert {sensor["site"] for sensor in sensors} == {site["id"] for site in sites}


@pytest.mark.parametrize("path", ["/v1/sites", "/v1/sensors"])
async def test_geojson_by_accept_or_by_parameter(client: httpx.AsyncClient, path: str) -> None:
    by_accept = await client.get(path, headers={"accept": "application/geo+json"})
    by_parameter = await client.get(path, params={"format": "geojson"})
    assert by_accept.headers["content-type"] == "application/geo+json"
    assert by_accept.json() == by_parameter.json()
    for feature in by_accept.json()["features"]:
        longitude, latitude = feature["geometry"]["coordinates"]
        assert 4 < longitude < 6
        assert 43 < latitude < 44


async def test_a_thing_without_a_place_has_a_null_geometry(client: httpx.AsyncClient, source: Any) -> None:
    site = msgspec.structs.replace(source.installed.sites[0], latitude=None, longitude=None)
    source.installed = msgspec.structs.replace(source.installed, sites=(site, *source.installed.sites[1:]))
    features = (await client.get("/v1/sites?format=geojson")).json()["features"]
    assert features[0]["geometry"] is None


async def test_a_sensor_takes_place_and_period_from_site_and_kind(client: httpx.AsyncClient) -> None:
    sensor = (await client.get("/v1/sensors/W07-G1")).json()
    site = next(site for site in (await client.get("/v1/sites")).json()["items"] if site["id"] == "W07")
    assert (sensor["latitude"], sensor["longitude"]) == (site["latitude"], site["longitude"])
    assert sensor["period_s"] > 0
    assert sensor["kinds"] == ["gate", "passage"]


async def test_a_reader_names_its_corridors(client: httpx.AsyncClient) -> None:
    reader = (await client.get("/v1/sensors/W15-B1")).json()
    corridors = (await client.get("/v1/corridors")).json()["items"]
    assert len(corridors) == 14
    assert reader["corridors"] == [corridor["id"] for corridor in corridors if corridor["reader"] == "W15-B1"]
    assert reader["kinds"] == []


async def test_a_sensor_that_was_just_added_is_found(client: httpx.AsyncClient, source: Any) -> None:
    assert (await client.get("/v1/sensors/W07-G9")).status_code == 404
    added = Sensor(id="W07-G9", site="W07", kind="gate")
    source.installed = msgspec.structs.replace(source.installed, sensors=(*source.installed.sensors, added))
    assert (await client.get("/v1/sensors/W07-G9")).status_code == 200


@pytest.mark.parametrize(
    ("offset_s", "whole_hours", "remark"),
    [(7199.5, 2, "2 h ahead: daylight saving or time zone"), (-95.2, None, "95 s behind")],
)
async def test_a_sensor_shows_how_far_its_clock_is_off(
    client: httpx.AsyncClient, source: Any, offset_s: float, whole_hours: int | None, remark: str
) -> None:
    source.clocks["W07-G1"] = ClockRow(offset_s, datetime(2026, 3, 2, 7, 30, tzinfo=UTC), whole_hours)
    assert (await client.get("/v1/sensors/W07-G1")).json()["clock"] == {
        "offset_s": offset_s,
        "measured_at": "2026-03-02T07:30:00Z",
        "whole_hours": whole_hours,
        "remark": remark,
    }
    assert (await client.get("/v1/sensors/W07-G2")).json()["clock"] is None


async def test_the_clock_of_a_reader_is_that_of_its_corridors(client: httpx.AsyncClient, source: Any) -> None:
    source.clocks["W17-W15"] = ClockRow(3600.0, datetime(2026, 3, 2, 7, 30, tzinfo=UTC), 1)
    assert (await client.get("/v1/sensors/W15-B1")).json()["clock"]["whole_hours"] == 1


async def test_a_sensor_shows_what_of_its_readings_is_stored(client: httpx.AsyncClient, source: Any) -> None:
    at = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    source.standing = [StandingRow("W07-G1", -1, 411, 440, 5, 1, at), StandingRow("W07-G2", 7, 3, 3, 0, 0, at)]
    assert (await client.get("/v1/sensors/W07-G1")).json()["receipts"] == [
        {
            "sensor": "W07-G1",
            "boot": None,
            "settled": 411,
            "highest": 440,
            "missing": 5,
            "quarantined": 1,
            "at": "2026-03-02T07:30:00Z",
        }
    ]
    assert (await client.get("/v1/sensors/W07-G3")).json()["receipts"] == []


async def test_kinds_carry_units_and_labels_in_both_languages(client: httpx.AsyncClient, kinds: Kinds) -> None:
    items = {item["name"]: item for item in (await client.get("/v1/kinds")).json()["items"]}
    assert items.keys() == kinds.keys()
    speed = next(field for field in items["traffic"]["fields"] if field["name"] == "speed_kmh")
    assert speed["unit"] == "km/h"
    assert set(speed["title"]) == {"en", "fr"}
    assert items["traffic"]["level"]["rule"] == "speed_ratio"
    assert items["wind"]["level"] is None
    assert items["gate"]["level"]["dense"] < items["gate"]["level"]["congested"] < items["gate"]["level"]["jammed"]


async def test_states_list_everything_installed_and_what_never_spoke_is_unknown(
    client: httpx.AsyncClient, source: Any, congested: StateRow
) -> None:
    source.state["W07-G1"] = congested
    states = {state["sensor"]: state for state in (await client.get("/v1/states")).json()["items"]}
    assert len(states) == 104
    assert states["W07-G1"] == {
        "sensor": "W07-G1",
        "kind": "gate",
        "site": "W07",
        "level": "congested",
        "since": "2026-03-02T07:14:00Z",
        "time": "2026-03-02T07:34:00Z",
        "verdict": "traffic",
        "abnormality": None,
        "abnormality_reason": None,
        "usual": None,
        "deviations": None,
        "coverage": None,
        "value": {"field": "wait_s", "unit": "s", "value": 1830.0},
        "reading": {"queue_trucks": 34.0, "wait_s": 1830.0, "service_s": None},
    }
    assert states["W12-F1"]["level"] == "unknown"
    assert states["W12-F1"]["time"] is None
    assert states["W17-W15"]["site"] == "W15"


async def test_who_has_the_present_states_is_sent_nothing_until_one_changes(
    client: httpx.AsyncClient, source: Any, congested: StateRow
) -> None:
    source.state["W07-G1"] = congested
    first = await client.get("/v1/states")
    has = {"if-none-match": first.headers["etag"]}
    again = await client.get("/v1/states", headers=has)
    assert (again.status_code, again.content) == (304, b"")
    source.state["W07-G1"] = replace(congested, level=3)
    changed = await client.get("/v1/states", headers=has)
    assert changed.status_code == 200
    assert {state["sensor"]: state for state in changed.json()["items"]}["W07-G1"]["level"] == "jammed"


async def test_only_states_that_changed_are_read_again(
    client: httpx.AsyncClient, source: Any, congested: StateRow
) -> None:
    asked = []
    reading = source.states

    async def states(things: Any = None) -> Any:
        asked.append(things)
        return await reading(things)

    source.states = states
    await client.get("/v1/states")
    source.state["W07-G1"] = congested
    for _ in range(2):
        items = {state["sensor"]: state for state in (await client.get("/v1/states")).json()["items"]}
        assert items["W07-G1"]["level"] == "congested"
    assert asked[1:] == [["W07-G1"]]


async def test_a_slow_look_does_not_bring_back_what_another_found_changed(
    source: Any, kinds: Kinds, congested: StateRow
) -> None:
    present, catalogue = Present(source, kinds), source.installed
    held = [asyncio.Event(), asyncio.Event(), asyncio.Event()]
    held[1].set()
    waits, reading = iter(held), source.states

    async def states(things: Any = None) -> Any:
        found = await reading(things)
        await next(waits).wait()
        return found

    async def begun() -> asyncio.Task[Any]:
        look = asyncio.create_task(present.look(catalogue))
        for _ in range(10):
            await asyncio.sleep(0)
        return look

    source.states = states
    source.state["W07-G1"] = congested
    looks = [await begun()]
    source.state["W07-G1"] = replace(congested, level=3)
    looks.append(await begun())
    source.state["W07-G2"] = replace(congested, thing="W07-G2")
    looks.append(await begun())
    held[0].set()
    await looks[0]
    held[2].set()
    last = (await asyncio.gather(*looks))[-1]
    assert json.loads(last.texts["W07-G1"])["level"] == "jammed"


async def test_a_sensor_that_moves_has_its_state_at_its_new_site_and_one_that_goes_has_none(
    source: Any, kinds: Kinds, congested: StateRow
) -> None:
    present, catalogue = Present(source, kinds), source.installed
    source.state["W07-G1"] = congested
    before = await present.look(catalogue)
    sensors = [replace_struct(one, site="W05") if one.id == "W07-G1" else one for one in catalogue.sensors]
    moved = await present.look(replace_struct(catalogue, sensors=tuple(sensors)))
    gone = await present.look(replace_struct(catalogue, sensors=catalogue.sensors[1:]))
    assert json.loads(moved.texts["W07-G1"]) == json.loads(before.texts["W07-G1"]) | {"site": "W05"}
    assert before.texts.keys() - gone.texts.keys() == {catalogue.sensors[0].id}


async def test_a_kind_without_levels_has_none(client: httpx.AsyncClient, source: Any, congested: StateRow) -> None:
    wind = next(sensor.id for sensor in source.installed.sensors if sensor.kind == "wind")
    source.state[wind] = replace(congested, thing=wind, level=None, since=None, reading={"mean_ms": 12.0})
    states = {state["sensor"]: state for state in (await client.get("/v1/states")).json()["items"]}
    assert states[wind]["level"] is None


async def test_the_state_of_what_is_no_longer_installed_is_left_out(
    client: httpx.AsyncClient, source: Any, congested: StateRow
) -> None:
    source.state["GONE"] = replace(congested, thing="GONE")
    assert "GONE" not in {state["sensor"] for state in (await client.get("/v1/states")).json()["items"]}
