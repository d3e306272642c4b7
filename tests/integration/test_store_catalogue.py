from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import psycopg
import pytest

from sensors.catalogue import Catalogue, Sensor, Site, shipped_catalogue
from sensors.kind import load_kinds
from store.catalogue import (
    CATALOGUE_CHANNEL,
    CatalogueRefused,
    load_catalogue,
    register_recording,
    seed,
    set_limits,
)
from store.database import connected, listen, wait_for_notices

WAIT_S = 10.0
RECORDING = Site(id="metr", name="metr", basin="recording", clock="recording", timezone="UTC")
STATIONS = [Sensor(id=f"s{n}", site="metr", kind="traffic", period_s=300, free_speed_kmh=100.5) for n in range(3)]


@dataclass(frozen=True)
class Extra:
    neighbours: tuple[tuple[str, str, float], ...] = (("s0", "s1", 0.5), ("s1", "s0", 0.25))
    usual: tuple[tuple[str, int, int, Any], ...] = (("s0", 300, 86_400, np.array([1.5, np.nan], np.float32)),)


async def loaded(url: str) -> Catalogue:
    async with connected(url, name="test") as conn:
        return await load_catalogue(conn)


async def register(url: str, site: Site = RECORDING, sensors: list[Sensor] = STATIONS) -> None:
    async with connected(url, name="test") as conn:
        extra = Extra()
        await register_recording(conn, site, sensors, neighbours=extra.neighbours, usual_speeds=extra.usual)


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


async def test_an_empty_database_gets_the_shipped_catalogue(migrated_url: str) -> None:
    assert await seed(migrated_url)
    found, shipped = await loaded(migrated_url), shipped_catalogue()
    assert found.site_by_id == shipped.site_by_id
    assert found.sensor_by_id == shipped.sensor_by_id
    assert found.corridor_by_id == shipped.corridor_by_id
    assert {t.code: t for t in found.terminals} == {t.code: t for t in shipped.terminals}
    assert {s.id: s for s in found.sections} == {s.id: s for s in shipped.sections}


async def test_what_was_changed_in_the_database_is_not_seeded_over(migrated_url: str) -> None:
    await seed(migrated_url)
    ask(migrated_url, "update sensor set name = 'moved' where id = 'W07-G1' returning 1")
    assert not await seed(migrated_url)
    assert (await loaded(migrated_url)).sensor_by_id["W07-G1"].name == "moved"


async def test_processes_that_start_together_seed_once(migrated_url: str) -> None:
    assert sorted(await asyncio.gather(*(seed(migrated_url) for _ in range(3)))) == [False, False, True]


async def test_a_recording_is_registered_beside_the_port(migrated_url: str) -> None:
    await seed(migrated_url)
    await register(migrated_url)
    found = await loaded(migrated_url)
    assert found.site_by_id["metr"] == RECORDING
    assert [found.sensor_by_id[sensor.id] for sensor in STATIONS] == STATIONS
    assert len(found.sensors) == len(shipped_catalogue().sensors) + len(STATIONS)
    usual = ask(migrated_url, "select sensor, interval_s, start_s, speed_kmh from usual_speed")
    assert usual == [("s0", 300, 86_400, [1.5, None])]


async def test_registering_a_recording_again_changes_nothing(migrated_url: str) -> None:
    queries = ("select * from sensor", "select * from neighbour order by 1", "select * from usual_speed")
    await register(migrated_url)
    before = [ask(migrated_url, query) for query in queries]
    await register(migrated_url)
    assert [ask(migrated_url, query) for query in queries] == before


async def test_a_recording_does_not_keep_the_port_from_being_seeded(migrated_url: str) -> None:
    await register(migrated_url)
    assert await seed(migrated_url)


async def test_a_recording_cannot_take_a_site_of_the_port(migrated_url: str) -> None:
    await seed(migrated_url)
    with pytest.raises(CatalogueRefused, match="W01"):
        await register(migrated_url, msgspec.structs.replace(RECORDING, id="W01"), [])


async def test_a_recording_cannot_take_a_sensor_of_another_site(migrated_url: str) -> None:
    await seed(migrated_url)
    with pytest.raises(CatalogueRefused, match="W07-G1"):
        await register(migrated_url, RECORDING, [msgspec.structs.replace(STATIONS[0], id="W07-G1")])
    assert ask(migrated_url, "select count(*) from site where id = 'metr'") == [(0,)]


async def test_an_id_that_cannot_be_in_a_topic_is_refused(migrated_url: str) -> None:
    with pytest.raises(CatalogueRefused, match="a/b"):
        await register(migrated_url, RECORDING, [msgspec.structs.replace(STATIONS[0], id="a/b")])


async def limited(url: str, place: str, kind: str | None, limits: tuple[float, float, float] | None) -> list[str]:
    async with connected(url, name="test") as conn:
        return await set_limits(conn, place, kind, limits, load_kinds())


async def test_the_gates_of_a_site_get_limits_of_their_own_and_lose_them(migrated_url: str) -> None:
    await seed(migrated_url)
    assert await limited(migrated_url, "W07", "gate", (600, 1200, 2400)) == ["W07-G1", "W07-G2", "W07-G3"]
    assert (await loaded(migrated_url)).sensor_by_id["W07-G2"].limits == (600, 1200, 2400)
    await limited(migrated_url, "W07-G2", None, None)
    found = (await loaded(migrated_url)).sensor_by_id
    assert (found["W07-G1"].limits, found["W07-G2"].limits) == ((600, 1200, 2400), None)


@pytest.mark.parametrize(
    ("place", "kind", "limits", "complaint"),
    [
        ("W07", "gate", (600, 600, 2400), "600, 600, 2400 must rise"),
        ("W99", None, (1, 2, 3), "W99: no sensor here is judged by limits"),
        ("W12-F1", None, (1, 2, 3), "W12-F1: no sensor here is judged by limits"),
        ("W08", None, (0.1, 0.2, 0.3), "several kinds, name one with --kind: reefer, yard"),
    ],
)
async def test_limits_that_cannot_be_are_refused(
    migrated_url: str, place: str, kind: str | None, limits: tuple[float, float, float], complaint: str
) -> None:
    await seed(migrated_url)
    with pytest.raises(CatalogueRefused, match=complaint):
        await limited(migrated_url, place, kind, limits)


async def test_a_change_is_notified(migrated_url: str) -> None:
    async with connected(migrated_url, name="test") as conn:
        await listen(conn, CATALOGUE_CHANNEL)
        await register(migrated_url)
        assert await wait_for_notices(conn, WAIT_S)


async def test_a_port_that_lives_by_a_recordings_clock_is_not_seeded_anew(migrated_url: str) -> None:
    port = shipped_catalogue()
    sites = tuple(msgspec.structs.replace(site, clock="recording") for site in port.sites)
    assert await seed(migrated_url, msgspec.structs.replace(port, sites=sites))
    assert not await seed(migrated_url)
    assert {site.clock for site in (await loaded(migrated_url)).sites} == {"recording"}
