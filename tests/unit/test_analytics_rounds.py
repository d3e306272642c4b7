"""Batches of a fast replay, cut into rounds as they arrived."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from analytics.changes import Change
from analytics.engine import Engine
from analytics.readings import Readings
from analytics.rounds import EACH, LEAST, rounds
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from tests.shared.making import readings_of

KINDS = load_kinds()
MINUTE_US = 60_000_000
START_US = 1_700_000_000_000_000
NAMES = [f"L{number}" for number in range(8)]
HOUR = 120

PORT = Catalogue(
    sites=(Site(id="S", name="S", basin="S", clock="recording"),),
    sensors=tuple(Sensor(id=name, site="S", kind="traffic", period_s=30, free_speed_kmh=100) for name in NAMES),
)


def an_hour() -> Readings:
    """Every loop each 30 s, in order of arrival; the last one is in a jam for ten minutes."""
    step, loop = np.divmod(np.arange(HOUR * len(NAMES)), len(NAMES))
    jam = (loop == len(NAMES) - 1) & (step >= 40) & (step < 60)
    fields = {"speed_kmh": np.where(jam, 10.0, 95.0), "occupancy_pct": np.where(jam, 60.0, 8.0), "flow_veh_h": 600.0}
    readings = readings_of(KINDS["traffic"], [NAMES[at] for at in loop], START_US + step * MINUTE_US // 2, **fields)
    return replace(readings, received_us=np.full(len(step), START_US))


def told(*batches: Readings) -> list[Change]:
    engine = Engine(KINDS, PORT)
    return [change for batch in batches for change in engine.absorb([batch])]


def test_a_reading_of_the_future_hides_no_jam_in_the_same_batch() -> None:
    hour = an_hour()
    times = hour.time_us.copy()
    times[38 * len(NAMES) - 1] += 12 * MINUTE_US
    wild = replace(hour, time_us=times)
    each = [wild.take(np.flatnonzero(np.arange(len(times)) // len(NAMES) == step)) for step in range(HOUR)]
    assert told(wild) == told(*each)
    assert [change.what for change in told(wild)] == [change.what for change in told(hour)]
    assert {change.thing for change in told(wild)} == {NAMES[-1]}


def test_rounds_are_all_readings_in_order_with_kinds_side_by_side() -> None:
    loops = an_hour()
    loops.time_us[:1] += 2 * MINUTE_US
    parks = readings_of(KINDS["parking"], ["P"] * HOUR, START_US + np.arange(HOUR) * MINUTE_US // 2, occupied=1.0)
    parks = replace(parks, received_us=np.full(HOUR, START_US))
    parts = rounds([loops, parks], len(NAMES) + 1)
    assert len(parts) == (len(loops.time_us) + HOUR) // max(EACH * (len(NAMES) + 1), LEAST)
    for part, kind in ((loops, "traffic"), (parks, "parking")):
        cut = [piece.time_us for pieces in parts for piece in pieces if piece.kind == kind]
        assert np.concatenate(cut).tolist() == part.time_us.tolist()
    spans = [(min(p.time_us[0] for p in pieces), max(p.time_us[-1] for p in pieces)) for pieces in parts]
    assert max(last - first for first, last in spans) <= 5 * MINUTE_US
    assert all(after > before for (before, _), (after, _) in itertools.pairwise(spans))


def test_what_arrived_in_an_unknown_order_stays_whole_and_so_does_what_never_goes_back() -> None:
    for hour in (an_hour(), replace(an_hour(), received_us=None)):
        assert rounds([hour], len(NAMES)) == [[hour]]
    assert rounds([], len(NAMES)) == [[]]
