"""Few sensors: who was never heard is silent, who is read by the hour is not late; a unit by the size of its factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from making import readings_of

from analytics.health.columns import Columns
from analytics.health.scale import Scale
from analytics.health.summary import Past, Summary
from analytics.health.watch import Health
from analytics.readings import Readings
from analytics.settings import things_of
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.fault import Fault
from sensors.kind import load_kinds

KINDS = load_kinds()
START_US = 1_772_409_600_000_000
PORT = Catalogue(
    sites=(
        Site(id="S", name="S", basin="west", clock="recording"),
        Site(id="T", name="T", basin="west", clock="recording"),
    ),
    sensors=tuple(Sensor(id=name, site=name[0], kind="traffic") for name in ("S1", "S2", "T1")),
)


def minutes(who: Sequence[str], first: int, last: int) -> Readings:
    """Readings of some loops twice a minute."""
    times = [START_US + step * 30_000_000 for step in range(2 * first, 2 * last) for _ in who]
    middle = {"count": 6, "flow_veh_h": 720, "occupancy_pct": 6, "speed_kmh": 88}
    fields = {name: value + np.arange(len(times)) % 3 for name, value in middle.items()}
    return readings_of(KINDS["traffic"], [*who] * (2 * (last - first)), times, **fields)


def test_who_was_never_heard_is_silent_where_others_at_the_site_speak() -> None:
    health = Health(KINDS, PORT)
    changes = [(one.place, one.fault, one.began) for one in health.absorb([minutes(["S1"], 0, 30)])]
    assert changes == [("S2", Fault.SILENT, True)]
    changes = [(one.place, one.fault, one.began) for one in health.absorb([minutes(["S1", "S2"], 30, 60)])]
    assert changes == [("S2", Fault.SILENT, False)]


def test_who_was_heard_before_a_restart_is_not_silent_again() -> None:
    health = Health(KINDS, PORT)
    health.restore([], [], heard=["S2"])
    assert health.absorb([minutes(["S1"], 0, 30)]) == []


def test_a_replay_of_few_sensors_that_is_read_by_the_hour_has_no_faults() -> None:
    health = Health(KINDS, PORT)
    for hour in range(3):
        read = minutes(["S1", "S2"], 60 * hour, 60 * hour + 60)
        at_us = np.full(len(read.thing), START_US + hour)
        assert health.absorb([replace(read, received_us=at_us)]) == []


def test_a_network_that_comes_back_site_by_site_leaves_no_site_down() -> None:
    sites = tuple(Site(id=name, name=name, basin=basin, clock="recording") for name, basin in ("Sw", "Tw", "Ee"))
    all_of_it = [*(sensor.id for sensor in PORT.sensors), "E1"]
    sensors = tuple(Sensor(id=name, site=name[0], kind="traffic") for name in all_of_it)
    health = Health(KINDS, Catalogue(sites=sites, sensors=sensors))
    whole, alone = minutes(all_of_it, 0, 30), minutes(["E1"], 30, 59)
    back, rest = minutes(["S1", "S2", "E1"], 59, 60), minutes(all_of_it, 60, 90)
    changes = [change for read in (whole, alone, back, rest) for change in health.absorb([read])]
    assert [(one.place, one.fault, one.began) for one in changes] == [
        ("w", Fault.NETWORK_DOWN, True),
        ("w", Fault.NETWORK_DOWN, False),
    ]


def mistaken(scale: Scale, told: Sequence[float]) -> bool:
    """Whether a thing that told these values, one a bin, is found to tell another unit."""
    for value in told:
        past, summary = Past(), Summary.blank(1)
        summary.middle[:] = value
        past.add(summary)
        scale.learn(past)
    return bool(scale.mistaken[0])


def test_a_travel_time_in_minutes_is_another_unit_though_a_queue_grew_meanwhile() -> None:
    scale = Scale([Columns.of(KINDS["travel_time"])], begin=np.full(1, 200, np.float32))
    assert mistaken(scale, (210, 290, 4.9, 5.3))


def test_minutes_of_a_jam_are_still_another_unit() -> None:
    scale = Scale([Columns.of(KINDS["travel_time"])], begin=np.full(1, 200, np.float32))
    assert mistaken(scale, (3.3, 3.5, 14.0, 9.0))
    assert not mistaken(scale, (900, 210))


def test_minutes_are_another_unit_from_the_first_reading_on() -> None:
    site = Site(id="S", name="S", basin="west", clock="recording")
    things = list(things_of(Catalogue(sites=(site,), sensors=(Sensor(id="X", site="S", kind="gate"),)), KINDS))
    columns = [Columns.of(KINDS["gate"])]
    assert not mistaken(Scale.of(things, columns), [110.0] * 3)
    assert mistaken(Scale.of(things, columns), [110 / 60] * 3)
