from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from sensors.kind import load_kinds
from sensors.payload import PayloadCodec, Rejected
from simulators.message import Message
from simulators.recording import Recording, RecordingError, load_recording
from simulators.replay import count_readings, plan_replay, replay_messages, site_id
from simulators.stream import paced

NAB = Path(__file__).parents[1] / "data" / "nab-realtraffic.npz"
CODEC = PayloadCodec(load_kinds()["traffic"])


def recording(**more: object) -> Recording:
    speed = np.array([[90.1, np.nan, 50], [80, np.nan, np.nan], [70, 33.3, 40]], np.float32)
    base = {
        "time": np.array([1330588800, 1330589100, 1330589400], np.int64),
        "station": np.array(["773869", "b/c", "x"]),
        "speed_kmh": speed,
        "free_speed_kmh": np.array([100, 90, 80], np.float32),
    }
    return Recording(**{**base, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "site"),
    [("metr-la-thu-sun.npz", "metr-la-thu-sun"), ("Été 2024.npz", "t-2024"), ("A55_Monday.npz", "a55_monday")],
)
def test_the_site_is_named_after_the_file(name: str, site: str) -> None:
    assert site_id(Path("/somewhere") / name) == site


def test_a_file_name_without_letters_is_refused() -> None:
    with pytest.raises(RecordingError, match=r"---\.npz: the file name gives no site"):
        site_id(Path("---.npz"))


def test_stations_keep_their_names_where_they_can() -> None:
    plan = plan_replay(recording(), "monday", taken={"x"})
    assert [sensor.id for sensor in plan.sensors] == ["773869", "monday.b-c", "monday.x"]
    assert plan.site.clock == "recording"
    assert plan.sensors[0].free_speed_kmh == 100
    assert plan.sensors[0].period_s == 300


def test_missing_values_are_not_published() -> None:
    rec = recording()
    messages = list(replay_messages(rec, plan_replay(rec, "monday"), CODEC))
    assert [(m.time_s, m.topic.split("/")[4]) for m in messages] == [
        (1330588800, "773869"),
        (1330588800, "x"),
        (1330589100, "773869"),
        (1330589400, "773869"),
        (1330589400, "monday.b-c"),
        (1330589400, "x"),
    ]
    assert count_readings(rec) == len(messages)
    assert msgspec.json.decode(messages[1].payload) == {
        "time": "2012-03-01T08:00:00Z",
        "boot": 1330588800,
        "seq": 0,
        "speed_kmh": 50.0,
    }


def test_every_float32_survives_and_repeating_gives_the_same_bytes() -> None:
    rec = load_recording(NAB)
    plan = plan_replay(rec, "nab")
    messages = list(replay_messages(rec, plan, CODEC))
    assert messages == list(replay_messages(rec, plan_replay(rec, "nab"), CODEC))
    found = {name: np.full(array.shape, np.nan, np.float32) for name, array in rec.measured().items()}
    column = {sensor.id: place for place, sensor in enumerate(plan.sensors)}
    row = {second: place for place, second in enumerate(rec.time.tolist())}
    for message in messages:
        reading = CODEC.decode(message.payload)
        assert not isinstance(reading, Rejected)
        for name, array in found.items():
            value = getattr(reading, name)
            if value is not None:
                array[row[int(reading.time.timestamp())], column[message.topic.split("/")[4]]] = value
    for name, array in rec.measured().items():
        np.testing.assert_array_equal(found[name], array)


def test_neighbours_come_from_the_adjacency_or_the_position() -> None:
    near = np.array([[1, 0.5, 0], [0.25, 1, 0], [0, 0, 1]], np.float32)
    by_adjacency = plan_replay(recording(adjacency=near), "r").neighbours
    assert [tuple(n) for n in by_adjacency] == [("773869", "r.b-c", 0.5), ("r.b-c", "773869", 0.25)]
    by_position = plan_replay(recording(position_km=np.array([3.0, 1.0, 2.0])), "r").neighbours
    assert {(n.sensor, n.neighbour) for n in by_position} == {
        ("r.b-c", "x"),
        ("x", "r.b-c"),
        ("x", "773869"),
        ("773869", "x"),
    }


def test_usual_speeds_start_at_their_second_of_the_week() -> None:
    usual = np.arange(9, dtype=np.float32).reshape(3, 3)
    time = np.array([1330588800, 1330589100, 1330589700], np.int64)
    first = plan_replay(recording(usual_speed_kmh=usual, time=time), "r").usual_speeds[0]
    assert first.interval_s == 450
    assert first.start_s == 3 * 86_400 + 8 * 3600  # a Thursday, 08:00 UTC
    plan = plan_replay(recording(usual_speed_kmh=usual), "r").usual_speeds
    assert plan[1].speed_kmh.tolist() == [1.0, 4.0, 7.0]


async def test_a_paced_replay_keeps_the_distances_of_the_recording() -> None:
    clock = [100.0]

    async def sleep(seconds: float) -> None:
        clock[0] += seconds

    messages = iter([Message(0, "a", b""), Message(300, "b", b""), Message(900, "c", b"")])
    seen = [(message.topic, clock[0]) async for message in paced(messages, 60, lambda: clock[0], sleep)]
    assert seen == [("a", 100.0), ("b", 105.0), ("c", 115.0)]
