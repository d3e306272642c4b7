"""Many things are looked at some thousands at a time; who is compared with whom does not depend on that."""

from __future__ import annotations

import numpy as np

from analytics.health.parts import A_TIME
from analytics.health.watch import Health
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.fault import Fault
from sensors.kind import load_kinds

KINDS = load_kinds()
START_US = 1_772_409_600_000_000
NAMES = [f"F{number}" for number in range(A_TIME + 3)]
FIRST, LAST = NAMES[0], NAMES[-1]
PORT = Catalogue(
    sites=(Site(id="S", name="S", basin="west", clock="recording"),),
    sensors=tuple(
        Sensor(id=name, site="S", kind="traffic", road="N", direction="east", lane=1 + (name == LAST))
        if name in {FIRST, LAST}
        else Sensor(id=name, site="S", kind="traffic")
        for name in NAMES
    ),
)


def told(step: int, generator: np.random.Generator) -> Readings:
    """One reading of everybody; the last repeats the first one's, a second later."""
    values = generator.uniform(0.1, 0.9, (len(NAMES), len(KINDS["traffic"].fields))).astype(np.float32)
    values[-1] = values[0]
    times = np.full(len(NAMES), START_US + step * 30_000_000, np.int64)
    times[-1] += 1_000_000
    return Readings("traffic", NAMES, times, np.zeros(len(NAMES), np.int16), values)


def test_a_lane_that_repeats_another_is_found_though_thousands_stand_between_them() -> None:
    health, generator = Health(KINDS, PORT), np.random.default_rng(1)
    changes = [change for step in range(60) for change in health.absorb([told(step, generator)])]
    assert [(one.place, one.fault) for one in changes] == [(LAST, Fault.LANE_SWAPPED)]
