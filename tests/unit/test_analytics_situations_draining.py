"""When the queue of a gate has drained, from a port with one terminal."""

from __future__ import annotations

import numpy as np

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.situations.situation import Situation
from analytics.situations.situations import Situations
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds

KINDS = load_kinds()
START_US = 1_772_434_800_000_000
"""Monday 2 March 2026, 08:00 in Paris."""

HOURS = 168
MINUTE = 60_000_000


def queue(jam: dict[str, float], usual_arrivals: float) -> Situation:
    """One gate of four lanes, calm for 10 min and then as `jam` says, for 6 min."""
    site = Site(id="A", name="", basin="west", clock="recording")
    gate = Sensor(id="g", site="A", kind="gate", direction="in", lanes=4, period_s=30)
    catalogue = Catalogue(sites=(site,), sensors=(gate,))
    engine = Engine(KINDS, catalogue)
    situations = Situations(engine.roster, catalogue)
    situations.use({("g", "arrivals"): np.full(HOURS, usual_arrivals, np.float32)})
    situations.expect(engine.usual)
    engine.attach(situations.watch)
    names = KINDS["gate"].field_names
    calm = {"queue_trucks": 1, "wait_s": 60, "lanes_open": 4, "service_s": 90, "arrivals": usual_arrivals}
    for step in range(36):
        now = calm if step < 20 else calm | jam
        values = np.array([[now.get(name, np.nan) * (1 + 0.001 * (step % 7)) for name in names]], np.float32)
        times = np.array([START_US + step * 30_000_000])
        engine.absorb([Readings("gate", ["g"], times, np.zeros(1, np.int16), values)])
        situations.run()
    (found,) = situations.situations()
    return found


def left_min(found: Situation) -> float:
    assert found.expected_end is not None
    return (found.expected_end.median_us - found.at_us) / MINUTE


def test_queue_that_all_lanes_serve_is_over_when_it_has_drained() -> None:
    # 160 an hour are served and 80 come: of 120 lorries 80 wait less than half an hour, after half an hour.
    found = queue({"queue_trucks": 120, "wait_s": 2700}, usual_arrivals=80 / 120)
    assert 25 <= left_min(found) <= 60


def test_longer_queue_takes_longer() -> None:
    short, long = (queue({"queue_trucks": lorries, "wait_s": 4000}, 100 / 120) for lorries in (120, 300))
    assert left_min(long) > left_min(short) + 60


def test_lanes_that_do_not_serve_come_back_after_an_hour() -> None:
    found = queue({"queue_trucks": 30, "wait_s": 5400, "lanes_open": 0}, usual_arrivals=10 / 120)
    assert 50 <= left_min(found) <= 90
