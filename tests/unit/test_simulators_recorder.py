from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sensors.catalogue import Sensor, Site
from simulators.raster import Grid, Raster
from simulators.recorder import FreeSpeed, Station, free_speed_in_range, make_recording
from simulators.recording import Recording, RecordingError
from simulators.replay import MONDAY_S, Neighbour, UsualSpeed, plan_replay

PORT = Site(id="W12", name="La Fenouillère", basin="west", latitude=43.4, longitude=4.9)
PAST = Site(id="past", name="past", basin="recording", clock="recording", latitude=1.0)
FREE = FreeSpeed(90.0, "configured")


def raster(*names: str, count: int = 3) -> Raster:
    made = Raster(Grid(MONDAY_S + 600, 300, count), names, ["speed_kmh", "flow_veh_h"])
    made.arrays["speed_kmh"][:] = np.arange(count * len(names), dtype=np.float32).reshape(count, -1)
    return made


def station(id_: str, site: Site = PORT, **more: object) -> Station:
    return Station(Sensor(id=id_, site=site.id, kind="traffic", **more), site)  # type: ignore[arg-type]


def test_it_holds_what_was_measured_and_nothing_else() -> None:
    made = make_recording(raster("a", "b"), [station("a"), station("b")], {"a": FREE, "b": FreeSpeed(50, "learnt")})
    assert set(made.arrays()) == {
        *("time", "station", "free_speed_kmh", "free_speed_origin", "speed_kmh", "latitude", "longitude")
    }
    assert made.free_speed_kmh.tolist() == [90, 50]
    assert made.free_speed_origin is not None
    assert made.free_speed_origin.tolist() == ["configured", "learnt"]


def test_a_station_without_a_free_speed_is_left_out() -> None:
    made = make_recording(raster("a", "b"), [station("a"), station("b")], {"b": FREE})
    assert made.station.tolist() == ["b"]
    assert made.speed_kmh is not None
    assert made.speed_kmh.tolist() == [[1], [3], [5]]
    with pytest.raises(RecordingError, match="no station has a free speed"):
        make_recording(raster("a"), [station("a")], {})


def test_the_free_speed_of_a_range_is_its_85th_percentile() -> None:
    speeds = np.array([np.nan, 0, *range(1, 101)], np.float32)
    assert free_speed_in_range(speeds) == FreeSpeed(pytest.approx(85, abs=1), "range")
    assert free_speed_in_range(np.array([np.nan, 0], np.float32)) is None
    assert free_speed_in_range(None) is None


def test_the_port_s_sensors_stand_at_their_sites_and_a_recording_s_where_it_says() -> None:
    made = make_recording(
        raster("a", "b", "c"),
        [station("a"), station("b", latitude=5.0, longitude=6.0), station("c", PAST, name="c")],
        dict.fromkeys("abc", FREE),
    )
    assert made.latitude is not None
    np.testing.assert_array_equal(made.latitude, [43.4, 5.0, np.nan])


def test_stations_of_a_recording_get_back_their_names_unless_two_would_be_the_same() -> None:
    renamed = station("past.x", PAST, name="x/1")
    assert make_recording(raster("past.x"), [renamed], {"past.x": FREE}).station.tolist() == ["x/1"]
    both = [renamed, station("x/1")]
    made = make_recording(raster("past.x", "x/1"), both, dict.fromkeys(["past.x", "x/1"], FREE))
    assert made.station.tolist() == ["past.x", "x/1"]


def test_neighbours_become_the_adjacency_with_each_station_next_to_itself() -> None:
    made = make_recording(
        raster("a", "b"),
        [station("a"), station("b")],
        dict.fromkeys("ab", FREE),
        neighbours=[Neighbour("a", "b", 0.5), Neighbour("a", "elsewhere", 0.7)],
    )
    assert made.adjacency is not None
    assert made.adjacency.tolist() == [[1, 0.5], [0, 1]]


def test_an_adjacency_that_only_repeats_the_positions_is_left_out() -> None:
    stations = [station("a", position_km=3.0), station("b", position_km=1.0)]
    both_ways = [Neighbour("a", "b", 1.0), Neighbour("b", "a", 1.0)]
    for near, there in ((both_ways, False), (both_ways[:1], True)):
        made = make_recording(raster("a", "b"), stations, dict.fromkeys("ab", FREE), neighbours=near)
        assert (made.adjacency is not None) == there


def test_what_is_usual_is_found_by_the_time_of_the_week() -> None:
    usual = UsualSpeed("a", 300, 300, np.array([10, 20, np.nan], np.float32))
    made = make_recording(
        raster("a", "b"), [station("a"), station("b")], dict.fromkeys("ab", FREE), usual_speeds=[usual]
    )
    assert made.usual_speed_kmh is not None
    np.testing.assert_array_equal(made.usual_speed_kmh, [[20, np.nan], [np.nan, np.nan], [np.nan, np.nan]])


def test_usual_speeds_come_back_as_they_were_registered() -> None:
    speed = np.array([[90, 80], [70, 60], [50, 40]], np.float32)
    original = Recording(
        time=MONDAY_S + 600 + 300 * np.arange(3, dtype=np.int64),
        station=np.array(["a", "b"]),
        free_speed_kmh=np.array([90, 90], np.float32),
        speed_kmh=speed,
        usual_speed_kmh=np.array([[1, 2], [3, np.nan], [5, 6]], np.float32),
    )
    plan = plan_replay(original, "past")
    made = make_recording(
        raster("a", "b"),
        [Station(sensor, plan.site) for sensor in plan.sensors],
        dict.fromkeys("ab", FREE),
        usual_speeds=plan.usual_speeds,
    )
    np.testing.assert_array_equal(made.usual_speed_kmh, original.usual_speed_kmh)


def test_what_is_usual_at_a_site_goes_by_its_own_clock() -> None:
    usual = UsualSpeed("a", 300, 300, np.array([10, 20, 30], np.float32))
    asked = []

    def five_minutes_behind(timezone: str, time: NDArray[np.int64]) -> NDArray[np.int64]:
        asked.append(timezone)
        return (time - MONDAY_S - 300) % (7 * 86_400)

    made = make_recording(raster("a"), [station("a")], {"a": FREE}, usual_speeds=[usual], of_week=five_minutes_behind)
    assert asked == ["Europe/Paris"]
    assert made.usual_speed_kmh is not None
    assert made.usual_speed_kmh[:, 0].tolist() == [10, 20, 30]
