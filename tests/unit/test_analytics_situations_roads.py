"""Causes on the roads of the western basin, told from readings alone: waves of what was held up, closed lanes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.settings import Thing
from analytics.situations.aftermath import STAYED_US, Aftermath, Past, outage_of
from analytics.situations.cause import Cause, Verdict
from analytics.situations.extent import Extent
from analytics.situations.graph import build
from analytics.situations.record import Record
from analytics.situations.situation import Situation
from analytics.situations.situations import Situations
from analytics.situations.tracker import Identity
from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from sensors.kind import load_kinds

KINDS, SHIPPED = load_kinds(), shipped_catalogue()
CATALOGUE = msgspec.structs.replace(
    SHIPPED, sites=tuple(msgspec.structs.replace(site, clock="recording") for site in SHIPPED.sites)
)
LOOPS = [sensor.id for sensor in CATALOGUE.sensors if sensor.kind == "traffic" and sensor.site.startswith("W")]
START_US = 1_772_528_400_000_000
"""Tuesday 3 March 2026, 10:00 in Paris."""
USUAL = {"flow_veh_h": 600.0, "speed_kmh": 85.0, "hgv_share": 0.2}
BLOCKED = {"W11-F2": (12.0, 200.0), "W01-F2": (85.0, 200.0)}
"""Speed and flow where an accident stands before W01, and behind it."""
WAVE = {"W17-F2": (25.0, 840.0), "W15-F1": (70.0, 900.0)}
"""The same at the bottleneck four sections on, with 1.4 times the usual flow."""
CLOSED = {"W12-F1": (80.0, 1300.0), "W12-F2": (85.0, 0.0)}
"""A lane closed before W12, whose vehicles are in the other one."""
JAM = {"W01-F1": (15.0, 600.0)}
"""A jam on the section that follows."""
MINUTE_US = 60_000_000
RUSH = {"W11-F2": (12.0, 600.0)}
"""As slow as an accident, but as many pass as ever."""
SLOW_AS_A_RULE = {("W11-F2", "speed_kmh"): 30.0}
NONE_FAULTY: Mapping[str, tuple[int, Fault]] = {}
NOTHING_ELSE: Mapping[tuple[str, str], float] = {}


def step(number: int, there: Mapping[str, tuple[float, float]]) -> Readings:
    fields = KINDS["traffic"].field_names
    values = np.full((len(LOOPS), len(fields)), np.nan, np.float32)
    some = [there.get(loop, (USUAL["speed_kmh"], USUAL["flow_veh_h"])) for loop in LOOPS]
    values[:, fields.index("speed_kmh")] = [speed * (1 + 0.001 * (number % 7)) for speed, _ in some]
    values[:, fields.index("flow_veh_h")] = [flow for _, flow in some]
    values[:, fields.index("occupancy_pct")] = 10
    values[:, fields.index("count")] = 5
    values[:, fields.index("hgv_share")] = USUAL["hgv_share"]
    time_us = np.full(len(LOOPS), START_US + number * 30_000_000, np.int64)
    return Readings("traffic", LOOPS, time_us, np.zeros(len(LOOPS), np.int16), values, np.zeros((len(LOOPS), 0)))


def told(
    *phases: tuple[int, Mapping[str, tuple[float, float]]],
    faults: Mapping[str, tuple[int, Fault]] = NONE_FAULTY,
    usual: Mapping[tuple[str, str], float] = NOTHING_ELSE,
) -> Iterator[Situation]:
    """What is announced while each phase lasts its minutes; `faults` are found out in a minute."""
    engine = Engine(KINDS, CATALOGUE)
    for loop, (minute, fault) in faults.items():
        engine.distrust(loop, fault, START_US + minute * MINUTE_US)
    situations = Situations(engine.roster, CATALOGUE)
    means = {(loop, field): value for loop in LOOPS for field, value in USUAL.items()} | usual
    situations.use({known: np.full(168, value, np.float32) for known, value in means.items()})
    engine.attach(situations.watch)
    states = [there for minutes, there in phases for _ in range(2 * minutes)]
    for number, there in enumerate(states):
        engine.absorb([step(number, there)])
        yield from (notice.situation for notice in situations.run())


def test_wave_that_a_cleared_accident_lets_go_is_named_after_it() -> None:
    found = list(told((30, {}), (35, BLOCKED), (5, {}), (25, WAVE)))
    accident = next(one for one in found if "W19-W11" in one.places and one.cause is Cause.ACCIDENT)
    wave = next(one for one in found if "W16-W17" in one.places and one.cause is not Cause.UNKNOWN)
    assert (wave.cause, wave.causes[0].evidence["after"]) == (Cause.ACCIDENT, accident.id)


def test_the_same_jam_without_an_accident_before_has_no_cause() -> None:
    found = list(told((70, {}), (25, WAVE)))
    assert {one.cause for one in found if "W16-W17" in one.places} == {Cause.UNKNOWN}


def test_jam_long_after_an_accident_is_not_its_wave() -> None:
    found = list(told((30, {}), (35, BLOCKED), (70, {}), (25, WAVE)))
    assert {one.cause for one in found if "W16-W17" in one.places} == {Cause.UNKNOWN}


def test_accident_in_the_rush_is_named_for_what_no_longer_passes_its_bottleneck() -> None:
    found = list(told((5, {}), (10, RUSH), (40, BLOCKED), usual=SLOW_AS_A_RULE))
    assert [found[0].cause, found[-1].cause] == [Cause.RECURRENT, Cause.ACCIDENT]


def test_loop_that_begins_to_count_nobody_is_no_accident_in_the_rush() -> None:
    dead = {"W11-F2": (12.0, 0.0)}
    assert {one.cause for one in told((5, {}), (10, RUSH), (30, dead), usual=SLOW_AS_A_RULE)} == {Cause.RECURRENT}


def test_closed_lane_is_not_taken_for_the_cause_of_a_jam_downstream() -> None:
    last: dict[str, Situation] = {one.id: one for one in told((30, {}), (15, CLOSED), (30, CLOSED | JAM))}
    assert {(one.places, one.cause) for one in last.values()} == {
        (("W15-W12",), Cause.LANE_CLOSED),
        (("W12-W01",), Cause.UNKNOWN),
    }


def test_single_loop_that_counts_two_lanes_tells_of_a_closed_one_but_not_in_a_wave() -> None:
    two_lanes, everywhere = {"W01-F2": (75.0, 1400.0)}, dict.fromkeys(LOOPS, (80.0, 790.0))
    assert Cause.LANE_CLOSED in {one.cause for one in told((30, {}), (20, two_lanes))}
    assert not list(told((30, {}), (20, everywhere | two_lanes)))


def test_what_was_left_behind_survives_a_restart_until_it_is_too_long_ago() -> None:
    things = [(thing.id, thing.kind.name, thing.site) for thing in (Thing("W07-G1", "W07", KINDS["gate"], 60.0),)]
    graph = build(CATALOGUE, things)
    place = int(graph.place[0])
    outage = Record(Identity("20260303T090000Z-W07-G1", START_US), "gate", extent=Extent(place, place, None))
    outage.verdict = Verdict(Cause.GATE_OUTAGE)
    before, after = Aftermath(), Aftermath()
    before.step([outage], {outage.identity.id}, START_US)
    after.restore(json.loads(json.dumps(before.memory(graph))), graph)
    assert after.before([]) == [Past(outage.identity.id, Cause.GATE_OUTAGE, place, START_US)]
    assert outage_of(place, START_US + 60 * MINUTE_US, after.before([])) == after.before([])[0]
    after.step([], set(), START_US + STAYED_US + 1)
    assert after.before([]) == []


def test_outage_that_still_stands_holds_nobody_up_at_the_exit() -> None:
    assert outage_of(3, START_US, [Past("x", Cause.GATE_OUTAGE, 3)]) is None


def test_cause_is_not_told_by_a_loop_that_is_known_to_be_broken_nor_by_its_past() -> None:
    told_by_it = (30, {}), (20, BLOCKED)
    assert Cause.ACCIDENT in {one.cause for one in told(*told_by_it)}
    # The jam is seen by the loop upstream; where it ends, and what passes there, only these two could tell.
    jam = {"W19-F2": (12.0, 500.0)}
    broken = dict.fromkeys(("W11-F2", "W01-F2"), (32, Fault.STUCK))
    assert {one.cause for one in told((30, {}), (20, BLOCKED | jam), faults=broken)} <= {Cause.UNKNOWN}


def test_cause_waits_until_enough_readings_have_come() -> None:
    """A flow of one minute is no flow of ten: nothing is said of it before."""
    first = next(one for one in told((20, BLOCKED)) if one.cause is Cause.ACCIDENT)
    assert first.at_us >= START_US + 7 * MINUTE_US


def test_closed_lane_waits_until_enough_readings_have_come() -> None:
    first = next(one for one in told((20, CLOSED)) if one.cause is Cause.LANE_CLOSED)
    assert 3 * MINUTE_US <= first.at_us - START_US <= 6 * MINUTE_US
