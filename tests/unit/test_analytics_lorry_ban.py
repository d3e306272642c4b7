"""A lorry ban by counts: how many are left on the stretch, and what is not known."""

from __future__ import annotations

from collections import defaultdict

import pytest

from analytics.lorry_ban import DAY_S, Counted, kept, lanes_of, points
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from simulators.interventions import Intervention
from simulators.world import World

PORT, KINDS = shipped_catalogue(), load_kinds()
(BAN,) = PORT.bans
LANES = lanes_of(BAN, PORT, 30)
TUESDAY_0830 = 1_772_523_000.0
WHOLE = round(DAY_S / 30)


def counted(readings: int = WHOLE, **lorries: float) -> dict[str, Counted]:
    names = [lane.sensor.id for lane in LANES]
    return {name: Counted(readings, 5000.0, lorries.get(name.replace("-", "_"), 0.0)) for name in names}


def test_the_loops_of_the_ban_are_those_on_the_stretch_the_detour_and_beside() -> None:
    sections = {lane.sensor.id: lane.section for lane in LANES}
    assert [name for name, section in sections.items() if section in BAN.stretch] == [
        "W12-F1",
        "W12-F2",
        "W15-F3",
        "W15-F4",
    ]
    assert [name for name, section in sections.items() if section in BAN.detour] == ["W14-F1", "W14-F2"]
    assert {"W12-F3", "W12-F4", "W15-F1", "W15-F2"} == set(sections) - {
        name for name, section in sections.items() if section in (*BAN.stretch, *BAN.detour)
    }


def test_lanes_of_one_direction_are_added_and_share_their_vehicles() -> None:
    found = points(LANES, counted(W12_F1=400, W12_F2=100), DAY_S)
    (point,) = [point for point in found if point.section == "W15-W12"]
    assert (point.site, point.direction, point.sensors) == ("W12", "Arles", ("W12-F1", "W12-F2"))
    assert (point.vehicles_day, point.lorries_day, point.hgv_share) == (10_000, 500, 0.05)


@pytest.mark.parametrize(("stretch", "detour", "change", "met"), [(400, 600, -0.6, False), (200, 800, -0.8, True)])
def test_the_stretch_is_compared_with_stretch_and_detour(
    stretch: float, detour: float, change: float, *, met: bool
) -> None:
    found = kept(BAN, points(LANES, counted(W12_F1=stretch / 2, W15_F3=stretch / 2, W14_F1=detour), DAY_S))
    assert (found.baseline_day, found.origin, found.met) == (1000, "detour", met)
    assert found.change == pytest.approx(change)


def test_a_baseline_that_was_counted_before_wins() -> None:
    found = kept(BAN, points(LANES, counted(W12_F1=400, W14_F1=600), DAY_S), given_day=4000)
    assert (found.baseline_day, found.origin, found.change, found.met) == (4000, "given", -0.9, True)


def test_time_that_was_not_measured_is_extended_and_too_much_of_it_is_unknown() -> None:
    most, half = (counted(readings=round(WHOLE * share), W12_F1=share * 400, W14_F1=600) for share in (0.8, 0.5))
    assert kept(BAN, points(LANES, most, DAY_S)).lorries_day == pytest.approx(400)
    unknown = kept(BAN, points(LANES, half, DAY_S))
    assert (unknown.lorries_day, unknown.change, unknown.met) == (None, None, None)


def test_one_silent_lane_makes_its_point_unknown() -> None:
    some = counted(W12_F1=400)
    del some["W12-F2"]
    by_section = {point.section: point for point in points(LANES, some, DAY_S)}
    assert by_section["W15-W12"].hgv_share is None
    assert by_section["W12-W15"].lorries_day == 0


@pytest.mark.parametrize(("ignored", "change"), [(0.0, -0.6), (1.0, 0.0)])
def test_the_simulated_ban_is_kept_by_as_many_as_it_says(ignored: float, change: float) -> None:
    """60 % fewer on an ordinary day; with everybody ignoring it, none. Two hours, every loop's own readings."""
    begins, ends = TUESDAY_0830 - 3600, TUESDAY_0830 + 3 * 3600
    happening = [Intervention("ban_ignored", "", begins, ends, ignored)] if ignored else []
    world = World(PORT, KINDS, 1, interventions=happening)
    world.start(TUESDAY_0830)
    names = {lane.sensor.id for lane in LANES}
    members = [(index, thing.id) for index, thing in enumerate(world.things) if thing.id in names]
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for step in range(1, 241):
        world.advance(TUESDAY_0830 + 30 * step)
        for index, name in members:
            told = world.measure(index)
            vehicles = float(told["count"] or 0)
            lorries = vehicles * float(told["hgv_share"] or 0)
            sums[name] = [sums[name][0] + 1, sums[name][1] + vehicles, sums[name][2] + lorries]
    found = {name: Counted(int(readings), vehicles, lorries) for name, (readings, vehicles, lorries) in sums.items()}
    assert kept(BAN, points(LANES, found, 7200)).change == pytest.approx(change, abs=0.06)
