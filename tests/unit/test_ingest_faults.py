"""The faults of the domain, put into a simulated morning: each is a bit on the readings of its sensor only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from ingest.decode import BatchBuilder
from ingest.directory import CatalogueDirectory
from ingest.routing import Router
from ingest.transport import Frame
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.kind import load_kinds
from sensors.level import Quality
from sensors.topics import parse_reading_topic
from simulators.profile import PORT_TIME
from simulators.simulate import simulate
from simulators.world import World

KINDS, CATALOGUE = load_kinds(), shipped_catalogue()
START_S = datetime(2026, 3, 2, 7, 0, tzinfo=PORT_TIME).timestamp()
FOR_S = 1800

Fault = Callable[[dict[str, Any]], None]


def behind(reading: dict[str, Any]) -> None:
    reading["time"] = (datetime.fromisoformat(reading["time"]) - timedelta(hours=1)).isoformat()


FAULTS: dict[tuple[str, str], tuple[Fault, Quality]] = {
    ("E09-W1", "wind"): (lambda reading: reading.update(mean_ms=55.0, gust_ms=60.0), Quality.RATE),
    ("W06-R1", "reefer"): (lambda reading: reading.update(supply_c=327.67), Quality.SENTINEL | Quality.OUT_OF_RANGE),
    ("W12-F1", "traffic"): (lambda reading: reading.update(flow_veh_h=0, occupancy_pct=12.0), Quality.MISMATCH),
    ("W12-F2", "traffic"): (lambda reading: reading.update(flow_veh_h=0, occupancy_pct=100.0), Quality(0)),
    ("W15-F1", "traffic"): (lambda reading: reading.update(flow_veh_h=4700), Quality.OUT_OF_RANGE),
    ("W07-G1", "gate"): (behind, Quality.CLOCK),
}


async def no_loader() -> Catalogue:
    return CATALOGUE


async def morning(faults: dict[tuple[str, str], tuple[Fault, Quality]]) -> dict[tuple[str, str], Quality]:
    """Half an hour of the port, faults from a third of it on; all the bits that each thing's readings got."""
    now = START_S

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    frames: list[Frame] = []
    async for topic, payload in simulate(World(CATALOGUE, KINDS, 1), KINDS, now=lambda: now, sleep=sleep, seed=1):
        if now > START_S + FOR_S:
            break
        parts = parse_reading_topic(topic)
        assert parts is not None
        fault = faults.get((parts.thing, parts.kind))
        if fault is not None and now > START_S + (0 if fault[0] is behind else FOR_S / 3):
            reading = msgspec.json.decode(payload)
            fault[0](reading)
            payload = msgspec.json.encode(reading)  # noqa: PLW2901  the sensor is what is broken
        frames.append(Frame(topic, payload, round(now * 1e6) + 20_000, 1, 1))
    return await remarks(frames)


async def remarks(frames: list[Frame]) -> dict[tuple[str, str], Quality]:
    router = Router(KINDS, CatalogueDirectory(KINDS, CATALOGUE, no_loader), lambda: 0.0)
    await router.prepare({frame.topic for frame in frames})
    builder, found = BatchBuilder(0, KINDS, router), defaultdict[tuple[str, str], Quality](lambda: Quality(0))
    for start in range(0, len(frames), 100):
        builder.add(frames[start : start + 100])
        for columns in builder.finish().columns:
            for thing, bits in zip(columns.thing, columns.quality.tolist(), strict=True):
                found[thing, columns.kind.name] |= Quality(bits)
    return found


async def test_a_port_without_faults_gets_no_remark() -> None:
    found = await morning({})
    assert len(found) > 100
    assert not any(found.values())


async def test_each_fault_is_seen_on_its_sensor_and_only_there() -> None:
    found = await morning(FAULTS)
    expected = {thing: bits for thing, (_, bits) in FAULTS.items() if bits}
    assert {thing: bits for thing, bits in found.items() if bits} == expected


@pytest.mark.parametrize("thing", [thing for thing, _ in FAULTS])
def test_the_broken_sensors_are_of_the_port(thing: str) -> None:
    assert thing in CATALOGUE.sensor_by_id
