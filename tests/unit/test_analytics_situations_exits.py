"""Why lorries queue to leave a terminal, from one entry and one exit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.situations.cause import Cause
from analytics.situations.situation import Situation
from analytics.situations.situations import Situations
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds

KINDS = load_kinds()
START_US = 1_772_434_800_000_000
"""Monday 2 March 2026, 08:00 in Paris."""

CALM = {"queue_trucks": 1, "wait_s": 60, "lanes_open": 4, "service_s": 90, "arrivals": 0.8}
RUSH = CALM | {"arrivals": 2.4}
QUEUE = RUSH | {"queue_trucks": 100, "wait_s": 2400}
Gates = Mapping[str, Mapping[str, float]]


def told(*phases: tuple[int, Gates]) -> Situation:
    """Let each phase last its minutes; what is open then."""
    site = Site(id="A", name="", basin="west", clock="recording")
    gates = tuple(Sensor(id=way, site="A", kind="gate", direction=way, lanes=4, period_s=30) for way in ("in", "out"))
    engine = Engine(KINDS, Catalogue(sites=(site,), sensors=gates))
    situations = Situations(engine.roster, Catalogue(sites=(site,), sensors=gates))
    situations.use({(way, "arrivals"): np.full(168, 0.8, np.float32) for way in ("in", "out")})
    engine.attach(situations.watch)
    names = KINDS["gate"].field_names
    for step, there in enumerate(there for minutes, there in phases for _ in range(2 * minutes)):
        rows = [
            [there.get(way, CALM).get(name, np.nan) * (1 + 0.001 * (step % 7)) for name in names]
            for way in ("in", "out")
        ]
        times = np.full(2, START_US + step * 30_000_000)
        engine.absorb([Readings("gate", ["in", "out"], times, np.zeros(2, np.int16), np.array(rows, np.float32))])
        situations.run()
    (found,) = situations.situations()
    return found


def test_those_who_came_in_a_surge_leave_in_one_though_it_is_over_at_the_entry() -> None:
    assert told((5, {}), (32, {"in": RUSH}), (14, {}), (15, {"out": QUEUE})).cause is Cause.SURGE


def test_more_than_usual_who_leave_are_no_surge_where_nobody_came_in_one() -> None:
    assert told((35, {}), (15, {"out": QUEUE})).cause is Cause.UNKNOWN
