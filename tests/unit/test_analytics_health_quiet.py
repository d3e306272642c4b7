"""What is quiet is not broken: a lane at night, a block in which one container goes for each that comes."""

from __future__ import annotations

import numpy as np
from making import readings_of

from analytics.health.summary import Past, Summary
from analytics.health.watch import Health
from analytics.health.witnesses import STANDS, throughout
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.fault import Fault
from sensors.kind import load_kinds

KINDS = load_kinds()
START_US = 1_772_409_600_000_000
YARD = Catalogue(
    sites=(Site(id="S", name="S", basin="west", clock="recording"),),
    sensors=(Sensor(id="Y1", site="S", kind="yard"), Sensor(id="Y2", site="S", kind="yard")),
)


def test_a_lane_that_somebody_passes_now_and_then_is_not_off() -> None:
    past = Past()
    for passed in ([300, 300, 300], [0, 120, 0], [0, 0, 0], [0, 120, 0]):
        summary = Summary.blank(3)
        summary.heard[:], summary.empty[:], summary.flow[:] = 10, [9, 9, 10], passed
        past.add(summary)
    assert throughout(past, "empty", STANDS).tolist() == [True, False, True]


def stuck_after(periods: int) -> list[str]:
    """Who is found stuck by then, where Y1 repeats itself and Y2 does not."""
    used = 1_733 + np.outer(np.arange(periods), [0, 1]).ravel()
    times = START_US + np.repeat(np.arange(periods), 2) * 300_000_000
    fields = {"teu_used": used, "teu_capacity": 2_500, "moves_in": 1, "moves_out": 1}
    readings = readings_of(KINDS["yard"], ["Y1", "Y2"] * periods, times, **fields)
    changes = Health(KINDS, YARD).absorb([readings])
    return [one.place for one in changes if one.fault is Fault.STUCK and one.began]


def test_small_numbers_that_repeat_by_chance_are_not_stuck() -> None:
    assert stuck_after(7) == []
    assert stuck_after(12) == ["Y1"]
