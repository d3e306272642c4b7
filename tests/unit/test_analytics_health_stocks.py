"""What creeps of a stock, of a travel time and of a rack, by what else is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from making import readings_of

from analytics.health.columns import Columns
from analytics.health.creep import DAY, FITS
from analytics.health.features import Features
from analytics.health.journeys import APART, Journeys
from analytics.health.rows import Rows
from analytics.health.stocks import ALIKE, Stocks
from analytics.health.summary import Summary
from analytics.health.things import Things
from analytics.health.watch import Health
from analytics.settings import things_of
from sensors.catalogue import Catalogue, Sensor, Site, shipped_catalogue
from sensors.fault import Fault
from sensors.kind import load_kinds

KINDS = load_kinds()
PORT = shipped_catalogue()
THINGS = list(things_of(PORT, KINDS))
CALM = np.zeros(1, np.bool_)


def days_until_named(kind: str, share: float, passed: int, misses: float = 0.0, days: int = 5) -> float | None:
    """After how many days a stock is named of which a share of `passed` a day is not seen to leave.

    misses: the share of those who come and of those who leave that is missed by chance.
    """
    stocks, generator = Stocks([Columns.of(KINDS[kind])]), np.random.default_rng(4)
    for number in range(days * DAY):
        came = generator.poisson(passed / DAY)
        unseen = generator.binomial(came, abs(share)) * np.sign(share) + np.diff(generator.binomial(came, misses, 2))[0]
        stocks.learn(np.full(1, unseen, np.float32), np.full(1, came, np.float32), CALM)
        if stocks.creeps[0]:
            return number / DAY
    return None


@pytest.mark.parametrize("share", [0.03, -0.03])
@pytest.mark.parametrize(("kind", "passed"), [("gate", 900), ("parking", 400)])
def test_a_stock_from_which_three_in_a_hundred_do_not_leave_creeps(kind: str, passed: int, share: float) -> None:
    days = days_until_named(kind, share, passed)
    assert days is not None
    assert 0.25 < days < 3


@pytest.mark.parametrize("kind", ["gate", "yard"])
def test_counters_that_miss_one_in_a_hundred_by_chance_do_not_make_a_stock_creep(kind: str) -> None:
    assert days_until_named(kind, 0, 900, misses=0.01, days=20) is None


def test_counters_that_always_miss_two_in_a_hundred_are_a_habit() -> None:
    assert days_until_named("gate", 0.02, 900, days=20) is None


def test_a_stock_that_is_spoilt_otherwise_begins_anew_and_who_comes_back_goes_on() -> None:
    stocks = Stocks([Columns.of(KINDS["gate"])])
    for _ in range(20):
        stocks.learn(np.full(1, 4, np.float32), np.full(1, 4, np.float32), CALM)
    again = Stocks([Columns.of(KINDS["gate"])])
    again.recall(0, stocks.learnt()[0])
    assert (stocks.creeps[0], again.creeps[0]) == (True, True)
    stocks.learn(np.full(1, 4, np.float32), np.full(1, 4, np.float32), ~CALM)
    assert not stocks.still_creeps[0]


def test_what_was_added_up_is_kept_over_a_restart() -> None:
    park = Sensor(id="P", site="S", kind="parking")
    port = Catalogue(sites=(Site(id="S", name="S", basin="west", clock="recording"),), sensors=(park,))
    fields = {"occupied": np.arange(180), "capacity": 350, "entries": 2 + np.arange(180) % 2, "exits": 0}
    times = 1_772_409_600_000_000 + np.arange(180) * 60_000_000
    told, again = Health(KINDS, port), Health(KINDS, port)
    told.absorb([readings_of(KINDS["parking"], ["P"] * 180, times, **fields)])
    (kept,) = told.keep()
    assert kept.fits.now < -ALIKE.pieces
    again.recall([kept])
    changes = again.absorb([readings_of(KINDS["parking"], ["P"] * 180, times + 180 * 60_000_000, **fields)])
    assert next(one.fault for one in changes if one.began) is Fault.DRIFT


def summary_of(kind: str, rows: list[dict[str, float]], minutes: list[int]) -> Summary:
    """What a bin shows of one thing that told these readings."""
    thing = next(one for one in THINGS if one.kind.name == kind)
    things = Things.of([thing], PORT)
    values = np.array([[row.get(name, np.nan) for name in KINDS[kind].field_names] for row in rows], np.float32)
    nothing, count = np.zeros(len(rows), np.int64), len(rows)
    times = np.array(minutes, np.int64) * 60_000_000
    delay = np.zeros(count, np.float32)
    said = Rows(np.zeros(count, np.intp), times, nothing, nothing, nothing, values, delay)
    features = Features(things, [Columns.of(KINDS[kind])], np.zeros(1, np.intp), values.shape[1])
    return features.summary([said])


def test_what_is_left_over_is_added_up_where_no_reading_is_missing() -> None:
    row = {"capacity": 50.0, "entries": 2.0, "exits": 1.0}
    rows = [row | {"occupied": float(stock)} for stock in (10, 12, 13, 20)]
    summary = summary_of("parking", rows, [0, 1, 2, 4])
    assert (summary.fits.tolist(), summary.flow.tolist()) == ([1.0], [3.0])


def test_a_rack_is_too_cold_and_never_too_warm() -> None:
    rows = [{"setpoint_c": -20.0, "return_c": air} for air in (-18.0, -20.5, -27.0)]
    assert summary_of("reefer", rows, [0, 5, 10]).fits.tolist() == [pytest.approx(-2.5 / 3)]


@pytest.mark.parametrize(("longer", "slow", "expected"), [(1.0, 1.0, 0.0), (1.1, 1.0, np.log(1.1)), (1.0, 0.5, None)])
def test_a_travel_time_is_compared_with_the_loops_on_its_way(
    longer: float, slow: float, expected: float | None
) -> None:
    """When both are free; where one loop is slow there is nothing to compare."""
    things = Things.of(THINGS, PORT)
    at = next(number for number, thing in enumerate(THINGS) if thing.id == "W01-W03")
    names = sorted(THINGS[number].id for number in things.on_the_way[at])
    assert names == ["W01-F3", "W02-F1", "W03-F1"]
    summary = Summary.blank(len(THINGS))
    summary.moving[:], summary.speed[:] = 10, 10 * np.nan_to_num(things.free_kmh)
    summary.speed[things.on_the_way[at][0]] *= slow
    summary.middle[at] = longer * 3600 * THINGS[at].length_km / THINGS[at].free_speed_kmh
    found = Journeys(things).fits(summary, np.zeros(len(THINGS), np.bool_)).get(at)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-5))
    assert APART < FITS
