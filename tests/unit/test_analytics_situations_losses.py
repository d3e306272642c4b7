"""What a jam costs, from the readings of one road section and one gate."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.remains import CAR_M, DETECTOR_M, LORRY_M
from analytics.situations.situation import Situation
from analytics.situations.situations import Situations
from sensors.catalogue import Catalogue, Section, Sensor, Site, Way
from sensors.kind import load_kinds

KINDS = load_kinds()
START_US = 1_772_409_600_000_000
STEP_US = 30_000_000


def after(kind: str, free: dict[str, float], jam: dict[str, float], minutes: int, **sensor: object) -> Situation:
    """One sensor at B on the road from A, free for 10 min and then jammed."""
    sites = tuple(Site(id=name, name="", basin="west", clock="recording") for name in "AB")
    road = Section(
        id="A-B", from_site="A", to_site="B", road="R", length_km=2, lanes=2, free_speed_kmh=90, storage_m=4000
    )
    way = Way(id="R-b", road="R", direction="b", sites=("A", "B"))
    one = Sensor(id="x", site="B", kind=kind, road="R", direction="b", period_s=30, **sensor)
    catalogue = Catalogue(sites=sites, sensors=(one,), sections=(road,), ways=(way,))
    engine = Engine(KINDS, catalogue)
    situations = Situations(engine.roster, catalogue)
    engine.attach(situations.watch)
    names = KINDS[kind].field_names
    for step in range(20 + 2 * minutes + 5):
        now = free if step < 20 else jam
        values = np.array([[now.get(name, np.nan) * (1 + 0.001 * (step % 7)) for name in names]], np.float32)
        times = np.array([START_US + step * STEP_US])
        engine.absorb([Readings(kind, ["x"], times, np.zeros(1, np.int16), values)])
        situations.run()
    (found,) = situations.situations()
    return found


def test_vehicles_lose_what_they_drive_below_free_speed() -> None:
    free = {"speed_kmh": 90, "flow_veh_h": 1200, "occupancy_pct": 9, "hgv_share": 0.2}
    jam = {"speed_kmh": 30, "flow_veh_h": 900, "occupancy_pct": 20, "hgv_share": 0.2}
    found = after("traffic", free, jam, 30, free_speed_kmh=90)
    lasted_s = (found.at_us - found.onset_us) / 1e6
    # 900 / 30 = 30 vehicles a km and lane, 4 km of lanes, each losing two thirds of its time.
    assert found.delay_s == pytest.approx(30 * 4 * (1 - 30 / 90) * lasted_s, rel=0.05)
    assert found.lorry_hours == pytest.approx(0.2 * (found.delay_s or 0) / 3600, rel=0.05)


@pytest.mark.parametrize("lorries", [0.0, 0.5])
def test_standing_vehicles_are_counted_by_occupancy_and_are_those_that_came(lorries: float) -> None:
    free = {"speed_kmh": 90, "flow_veh_h": 1200, "occupancy_pct": 9, "hgv_share": lorries}
    found = after("traffic", free, {"flow_veh_h": 0, "occupancy_pct": 90, "speed_kmh": np.nan}, 30, free_speed_kmh=90)
    lasted_s = (found.at_us - found.onset_us) / 1e6
    per_km = 900 / (CAR_M + lorries * (LORRY_M - CAR_M) + DETECTOR_M)
    assert found.delay_s == pytest.approx(per_km * 4 * lasted_s, rel=0.1)


def test_all_that_wait_at_a_gate_lose_their_time() -> None:
    calm = {"queue_trucks": 1, "queue_m": 18, "wait_s": 60, "lanes_open": 3, "service_s": 90}
    jam = {"queue_trucks": 40, "queue_m": 720, "wait_s": 2700, "lanes_open": 1, "service_s": 90}
    found = after("gate", calm, jam, 30)
    lasted_h = (found.at_us - found.onset_us) / 3.6e9
    assert found.lorry_hours == pytest.approx(40 * lasted_h, rel=0.05)
