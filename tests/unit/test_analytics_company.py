"""A lane that is covered all at once waits for a witness; vehicles that stand all along a road are each other's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from making import readings_of

from analytics.changes import What
from analytics.company import ALONE_S
from analytics.engine import Engine
from analytics.near import Near
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Sensor, Site, Way, shipped_catalogue
from sensors.fault import Fault
from sensors.kind import load_kinds
from sensors.level import Level

KINDS = load_kinds()
KIND = KINDS["traffic"]
START = 1_700_000_000_000_000
STEP_US = 30_000_000
FREE, SLOW, COVERED = (900.0, 10.0, 88.0), (1200.0, 40.0, 40.0), (0.0, 100.0, np.nan)
EMPTY, NOTHING = (0.0, 0.0, np.nan), (np.nan, np.nan, np.nan)
Row = tuple[float, float, float]


def road(*sites: str) -> Catalogue:
    """One lane through these sites, a loop at each."""
    return Catalogue(
        sites=tuple(Site(id=name, name=name, basin="west", clock="recording") for name in sites),
        sensors=tuple(
            Sensor(id=name, site=name, kind="traffic", road="RD1", direction="south", lane=1, free_speed_kmh=90)
            for name in sites
        ),
        ways=(Way(id="w", road="RD1", direction="south", sites=sites),),
    )


def batches(courses: Mapping[str, Sequence[Row]]) -> list[Readings]:
    """One batch a step."""
    found = []
    for step, rows in enumerate(zip(*courses.values(), strict=True)):
        fields = dict(zip(("flow_veh_h", "occupancy_pct", "speed_kmh"), zip(*rows, strict=True), strict=True))
        found.append(readings_of(KIND, list(courses), [START + step * STEP_US] * len(rows), **fields))
    return found


def after(courses: Mapping[str, Sequence[Row]]) -> Engine:
    engine = Engine(KINDS, road(*courses))
    for batch in batches(courses):
        engine.absorb([batch])
    return engine


def level(engine: Engine, thing: str) -> Level | None:
    return engine.states([thing])[0].level


def flowing(steps: int) -> list[Row]:
    """Free traffic that does not repeat itself, as a frozen loop does."""
    return [(900.0, 10.0, 88.0 - step % 2) for step in range(steps)]


def test_a_loop_that_alone_is_covered_all_at_once_is_unknown() -> None:
    engine = after({"A": [FREE] * 20, "B": [FREE] * 10 + [COVERED] * 10, "C": [FREE] * 20})
    assert (level(engine, "B"), engine.states(["B"])[0].alarm) == (Level.UNKNOWN, None)


@pytest.mark.parametrize("neighbour", [COVERED, SLOW])
def test_a_neighbour_that_is_slow_vouches_for_it(neighbour: Row) -> None:
    engine = after({"A": [FREE] * 20, "B": [FREE] * 10 + [COVERED] * 10, "C": [FREE] * 10 + [neighbour] * 10})
    assert level(engine, "B") is Level.JAMMED


def test_who_is_believed_is_believed_in_the_readings_that_waited() -> None:
    """A neighbour's reading vouches after a minute, when no late one can change it any more."""
    courses = {"A": flowing(20), "B": flowing(10) + [COVERED] * 10, "C": flowing(10) + [COVERED] * 10}
    engine = Engine(KINDS, road(*courses))
    began = [one for part in batches(courses) for one in engine.absorb([part]) if one.what is What.BEGAN]
    assert [(one.thing, (one.time_us - START) // STEP_US) for one in began] == [("B", 12), ("C", 12)]


def test_a_loop_that_was_slow_before_needs_no_witness() -> None:
    engine = after({"A": [FREE] * 20, "B": [FREE] * 8 + [SLOW] * 2 + [COVERED] * 10, "C": [FREE] * 20})
    assert level(engine, "B") is Level.JAMMED


@pytest.mark.parametrize(("behind", "expected"), [(COVERED, Level.JAMMED), (SLOW, Level.UNKNOWN)])
def test_behind_it_vehicles_that_stand_vouch_for_it_and_those_that_move_have_a_queue_of_their_own(
    behind: Row, expected: Level
) -> None:
    engine = after({"A": [FREE] * 10 + [behind] * 10, "B": [FREE] * 10 + [COVERED] * 10, "C": [FREE] * 20})
    assert level(engine, "B") is expected


def test_vehicles_that_move_off_slowly_have_stood() -> None:
    moved = [(300.0 + step, 60.0, 15.0) for step in range(2)]
    for last, expected in (([], Level.UNKNOWN), (moved, Level.JAMMED)):
        covered = [FREE] * 10 + [COVERED] * 10 + last
        assert level(after({"A": [FREE] * len(covered), "B": covered}), "B") is expected


@pytest.mark.parametrize(("before", "expected"), [([FREE] * 10, Level.UNKNOWN), ([], Level.JAMMED)])
def test_who_has_no_neighbour_waits_if_it_was_seen_to_flow(before: Sequence[Row], expected: Level) -> None:
    assert level(after({"B": [*before, *[COVERED] * 9]}), "B") is expected


@pytest.mark.parametrize(("further", "expected"), [(flowing(150), Level.UNKNOWN), ([EMPTY] * 150, Level.JAMMED)])
def test_where_the_next_loop_tells_nothing_the_one_further_on_is_asked(further: Sequence[Row], expected: Level) -> None:
    courses = {"A": flowing(150), "B": flowing(30) + [COVERED] * 120, "C": [NOTHING] * 150, "D": further}
    assert level(after(courses), "B") is expected


def test_who_was_driven_past_while_it_waited_is_not_believed_for_a_jam_that_comes_later() -> None:
    covered = round(ALONE_S / 30) + 10
    for passes, expected in ((True, Level.UNKNOWN), (False, Level.JAMMED)):
        ahead = flowing(30 + covered) if passes else flowing(30) + [EMPTY] * covered
        courses = {
            "A": flowing(30 + covered) + [COVERED] * 10,
            "B": flowing(30) + [COVERED] * (covered + 10),
            "C": ahead + [SLOW] * 10,
        }
        assert level(after(courses), "B") is expected


@pytest.mark.parametrize(("ahead", "expected"), [(flowing(80), [(What.LOST, 129)]), ([SLOW] * 80, [])])
def test_an_alarm_that_nobody_bears_out_any_more_is_given_up_after_an_hour(
    ahead: Sequence[Row], expected: list[tuple[What, int]]
) -> None:
    """The jam around it ends after half an hour; it has been covered for 55 min with reading 110."""
    courses = {"B": [COVERED] * 140, "C": [SLOW] * 60 + list(ahead)}
    engine = Engine(KINDS, road(*courses))
    began, *rest = [one for part in batches(courses) for one in engine.absorb([part]) if one.thing == "B"]
    assert began.what is What.BEGAN
    assert [(one.what, (one.time_us - START) // STEP_US) for one in rest] == expected


def test_where_nobody_passes_further_on_it_is_believed_in_the_end() -> None:
    waits = round(ALONE_S / 30)
    for covered, expected in ((waits - 1, Level.UNKNOWN), (waits + 10, Level.JAMMED)):
        courses = {
            "A": flowing(30 + covered),
            "B": flowing(30) + [COVERED] * covered,
            "C": [EMPTY] * (30 + covered),
        }
        assert level(after(courses), "B") is expected


@pytest.mark.parametrize("others", [("A",), ("A", "C")])
def test_whom_vehicles_drive_past_freely_or_towards_at_the_end_of_its_road_stays_unknown(others: Sequence[str]) -> None:
    covered = round(ALONE_S / 30) + 10
    courses = {**dict.fromkeys(others, flowing(30 + covered)), "B": flowing(30) + [COVERED] * covered}
    engine = after({name: courses[name] for name in sorted(courses)})
    assert (level(engine, "B"), engine.states(["B"])[0].alarm) == (Level.UNKNOWN, None)


@pytest.mark.parametrize(("still", "expected"), [(1500.0, Level.UNKNOWN), (600.0, Level.JAMMED)])
def test_that_less_arrives_further_on_by_what_it_carried_is_a_witness(still: float, expected: Level) -> None:
    ahead = [(1500.0 if step < 35 else still, 10.0, 88.0 - step % 2) for step in range(50)]
    courses = {"A": flowing(50), "B": flowing(30) + [COVERED] * 20, "C": ahead}
    assert level(after(courses), "B") is expected


def test_nothing_that_arrives_further_on_is_a_witness() -> None:
    for covered, expected in ((5, Level.UNKNOWN), (18, Level.JAMMED)):
        ahead = flowing(35) + [EMPTY] * (covered - 5)
        courses = {"A": flowing(30 + covered), "B": flowing(30) + [COVERED] * covered, "C": ahead}
        assert level(after(courses), "B") is expected


def test_the_way_goes_on_along_the_road_that_shares_its_last_stretch_or_alone_goes_on() -> None:
    catalogue = shipped_catalogue()
    near = Near(catalogue, {})
    assert near.along("W13-F2", 1) == "W14-F2"
    assert near.along("W14-F2", -1) == "W13-F2"
    assert near.along("E10-F1", 1) == "E08-F1"
    assert near.along("W18-F2", 1) is None  # three roads go on


def test_the_order_within_a_minute_and_batches_change_nothing() -> None:
    courses = {"A": [FREE] * 20, "B": [FREE] * 10 + [COVERED] * 10, "C": [FREE] * 12 + [COVERED] * 8}
    parts, generator = batches(courses), np.random.default_rng(1)
    stepwise, shuffled, whole = (Engine(KINDS, road(*courses)) for _ in range(3))
    began = [c for part in parts for c in stepwise.absorb([part]) if c.what is What.BEGAN]
    for first in range(0, len(parts), 2):
        some = [part.take(np.array([row])) for part in parts[first : first + 2] for row in range(3)]
        for place in generator.permutation(len(some)):
            shuffled.absorb([some[place]])
    assert [c for c in whole.absorb(parts) if c.what is What.BEGAN] == began
    assert shuffled.states() == stepwise.states() == whole.states()


def test_the_alarm_of_a_loop_that_is_found_to_be_locked_is_lost_at_once() -> None:
    courses = {"B": [COVERED] * 40}
    engine = Engine(KINDS, road(*courses))
    engine.distrust("B", Fault.LOCKED_ON, START + 20 * STEP_US)
    _, lost = [one for part in batches(courses) for one in engine.absorb([part])]
    assert (lost.what, lost.time_us) == (What.LOST, START + 23 * STEP_US)
    assert (level(engine, "B"), engine.states(["B"])[0].alarm) == (Level.UNKNOWN, None)
