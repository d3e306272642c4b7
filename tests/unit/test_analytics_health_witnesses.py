"""A loop that is covered, while vehicles that must pass it are seen again at the end of a corridor."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from making import readings_of

from analytics.engine import Engine
from analytics.health.watch import Health
from analytics.near import Near
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Corridor, Section, Sensor, Site, Way, shipped_catalogue
from sensors.fault import Fault
from sensors.kind import load_kinds
from sensors.level import Level
from service.diagnosis import judge

KINDS = load_kinds()
START_US = 1_772_409_600_000_000
MINUTE_US = 60_000_000
COVERED_FROM, LAST = 30, 60
ROAD = Catalogue(
    sites=tuple(Site(id=name, name=name, basin="west", clock="recording") for name in ("A", "B")),
    sensors=(
        Sensor(
            id="A-F1", site="A", kind="traffic", road="RD1", direction="south", lane=1, free_speed_kmh=90, period_s=60
        ),
        Sensor(id="B-B1", site="B", kind="travel_time"),
    ),
    corridors=(Corridor(id="A-B", from_site="A", to_site="B", reader="B-B1", length_km=5.0),),
    sections=(
        Section(
            id="A-B", from_site="A", to_site="B", road="RD1", length_km=5.0, lanes=1, free_speed_kmh=90, storage_m=5000
        ),
    ),
    ways=(Way(id="w", road="RD1", direction="south", sites=("A", "B")),),
)


def readings(kind: str, thing: str, minute: int, **values: float) -> Readings:
    return readings_of(KINDS[kind], [thing], [START_US + minute * MINUTE_US], **values)


def told(*, arrive: bool, catalogue: Catalogue = ROAD) -> tuple[list[str], Level | None]:
    """The faults of the loop, and its level in the end."""
    health, engine, faults = Health(KINDS, catalogue), Engine(KINDS, catalogue), []
    for minute in range(LAST):
        covered, wobble = minute >= COVERED_FROM, float(minute % 3)
        flow, occupancy, speed = (0.0, 100.0, np.nan) if covered else (300.0 + wobble, 4.0, 88.0 - wobble)
        seen = arrive or minute < COVERED_FROM + 4
        batch = [
            readings(
                "traffic", "A-F1", minute, count=flow / 60, flow_veh_h=flow, occupancy_pct=occupancy, speed_kmh=speed
            ),
            readings("travel_time", "A-B", minute, median_s=200.0 + wobble if seen else np.nan, matches=2.0 * seen),
        ]
        told, _ = judge(health, engine, batch, [])
        faults += [change.fault for change in told if change.place == "A-F1"]
    return faults, engine.states(["A-F1"])[0].level


def test_who_arrives_at_the_end_of_a_corridor_did_not_stand_on_the_loop() -> None:
    assert told(arrive=True) == ([Fault.LOCKED_ON], Level.UNKNOWN)


def test_when_nobody_arrives_any_more_nobody_is_blamed() -> None:
    assert told(arrive=False) == ([], Level.UNKNOWN)


def test_on_the_other_of_two_lanes_vehicles_pass_one_that_stands() -> None:
    (section,) = ROAD.sections
    wide = msgspec.structs.replace(ROAD, sections=(msgspec.structs.replace(section, lanes=2),))
    assert told(arrive=True, catalogue=wide)[0] == []


@pytest.mark.parametrize(
    ("sensor", "corridor"),
    [("W18-F1", "W01-W18"), ("W18-F2", "W18-W01"), ("W02-F2", "W03-W01"), ("W12-F1", None), ("W13-F1", None)],
)
def test_a_corridor_leads_over_who_cannot_be_driven_around(sensor: str, corridor: str | None) -> None:
    """The RN568 has two lanes, and from Saint-Gervais to La Fossette the port roads lead as well."""
    assert Near(shipped_catalogue(), {}).over(sensor) == corridor


@pytest.mark.parametrize(("matches", "named"), [(5000.0, Fault.CHATTER), (2.0, Fault.SENTINEL)])
def test_a_reader_that_counts_more_than_can_be_need_not_have_met_anybody(matches: float, named: Fault) -> None:
    health, times = Health(KINDS, ROAD), [START_US + minute * MINUTE_US for minute in range(60)]
    found = health.absorb([readings_of(KINDS["travel_time"], ["A-B"] * 60, times, median_s=np.nan, matches=matches)])
    assert [change.fault for change in found if change.fault is not Fault.SILENT] == [named]
