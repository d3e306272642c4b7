from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.raster import Grid, Raster

FIELDS = ("speed_kmh", "flow_veh_h")
NAN = float("nan")


def filled(readings: list[tuple[str, float, float, float, bool]], grid: Grid | None = None) -> Raster:
    """Readings as station, second, speed, flow, trusted."""
    raster = Raster(grid or Grid(1000, 30, 4), ["a", "b"], FIELDS)
    stations, seconds, speeds, flows, trusted = zip(*readings, strict=True)
    time_us = np.round(np.array(seconds) * 1e6).astype(np.int64)
    raster.fill(np.array(stations), time_us, np.array([speeds, flows], np.float32).T, np.array(trusted))
    return raster


@pytest.mark.parametrize(
    ("second", "row"), [(970, -1), (970.000001, 0), (1000, 0), (1000.1, 1), (1030, 1), (1090, 3), (1090.5, 4)]
)
def test_a_row_holds_what_was_measured_in_the_step_that_ends_at_its_time(second: float, row: int) -> None:
    grid = Grid(1000, 30, 4)
    assert grid.row_of(np.array([round(second * 1e6)])).tolist() == [row]
    assert grid.times().tolist() == [1000, 1030, 1060, 1090]


def test_what_is_not_on_the_grid_is_left_out() -> None:
    raster = filled([("a", 900, 50, 100, True), ("a", 1100, 50, 100, True), ("c", 1000, 50, 100, True)])
    assert np.isnan(raster.arrays["speed_kmh"]).all()


def test_speeds_of_one_step_are_weighted_by_their_flow_and_flows_are_not() -> None:
    raster = filled([("a", 1001, 30, 900, True), ("a", 1016, 90, 300, True)])
    assert raster.arrays["speed_kmh"][1, 0] == 45
    assert raster.arrays["flow_veh_h"][1, 0] == 600


@pytest.mark.parametrize("flow", [NAN, 0.0])
def test_without_a_flow_for_each_speed_they_weigh_the_same(flow: float) -> None:
    raster = filled([("a", 1001, 30, flow, True), ("a", 1016, 90, 300, True)])
    assert raster.arrays["speed_kmh"][1, 0] == 60


def test_a_step_in_which_nothing_passed_does_not_lower_the_speed() -> None:
    raster = filled([("a", 1001, NAN, 0, True), ("a", 1016, 90, 300, True)])
    assert raster.arrays["speed_kmh"][1, 0] == 90
    assert raster.arrays["flow_veh_h"][1, 0] == 150


def test_a_distrusted_reading_counts_only_where_it_is_alone() -> None:
    readings = [("a", 1001, -99, 100, False), ("a", 1016, 80, 100, True), ("b", 1016, -99, NAN, False)]
    raster = filled(readings)
    assert raster.arrays["speed_kmh"][1].tolist() == [80, -99]


@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, width=32), st.floats(allow_nan=False, width=32)), min_size=1, max_size=20
    )
)
def test_a_lone_reading_is_kept_to_the_bit(values: list[tuple[float, float]]) -> None:
    finite = [(speed, flow) for speed, flow in values if np.isfinite(speed) and np.isfinite(flow)]
    grid = Grid(1000, 30, len(finite))
    if finite:
        raster = filled([("a", 1000 + 30 * row, *pair, True) for row, pair in enumerate(finite)], grid)
        expected = np.array(finite, np.float32)
        np.testing.assert_array_equal(raster.arrays["speed_kmh"][:, 0], expected[:, 0])
        np.testing.assert_array_equal(raster.arrays["flow_veh_h"][:, 0], expected[:, 1])


def test_no_readings_change_nothing() -> None:
    raster = Raster(Grid(0, 30, 2), ["a"], FIELDS)
    raster.fill(np.array([], np.str_), np.zeros(0, np.int64), np.zeros((0, 2), np.float32), np.zeros(0, np.bool_))
    assert np.isnan(raster.arrays["speed_kmh"]).all()
