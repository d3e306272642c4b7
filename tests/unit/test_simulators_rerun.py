from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec, Rejected
from simulators.recorder import FreeSpeed
from simulators.recording import RecordingError
from simulators.replay import Neighbour, UsualSpeed
from simulators.rerun import RerunMessages, plan_rerun

PORT, KINDS = shipped_catalogue(), load_kinds()
AT = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
GATE = PORT.sensor_by_id["W07-G1"]
CORRIDOR = PORT.corridors[0]


def test_everything_is_registered_again_under_a_site_with_the_recording_s_clock() -> None:
    plan = plan_rerun("past", PORT, [GATE], [], free_speeds={})
    assert plan.site.clock == "recording"
    copy = plan.sensors[0]
    assert (copy.id, copy.site, copy.lanes, copy.storage_m) == ("past.W07-G1", "past", GATE.lanes, GATE.storage_m)
    assert copy.latitude == PORT.site_by_id["W07"].latitude


def test_a_sensor_keeps_the_free_speed_it_was_judged_by() -> None:
    loop = msgspec.structs.replace(PORT.sensor_by_id["W12-F1"], free_speed_kmh=None)
    plan = plan_rerun("past", PORT, [loop], [], free_speeds={"W12-F1": FreeSpeed(87.5, "learnt")})
    assert plan.sensors[0].free_speed_kmh == 87.5


def test_a_corridor_brings_its_reader_and_stays_within_the_site() -> None:
    plan = plan_rerun("past", PORT, [], [CORRIDOR], free_speeds={})
    assert [sensor.id for sensor in plan.sensors] == [f"past.{CORRIDOR.reader}"]
    copy = plan.corridors[0]
    assert (copy.id, copy.from_site, copy.to_site) == (f"past.{CORRIDOR.id}", "past", "past")


def test_neighbours_are_those_of_the_copies() -> None:
    plan = plan_rerun("past", PORT, [], [], free_speeds={}, neighbours=[Neighbour("a", "b", 0.5)])
    assert plan.neighbours == (Neighbour("past.a", "past.b", 0.5),)


def test_an_id_that_grows_too_long_is_refused() -> None:
    with pytest.raises(RecordingError, match="shorten --as"):
        plan_rerun("p" * 60, PORT, [GATE], [], free_speeds={})


def test_messages_carry_the_copy_s_topic_and_count_what_a_thing_publishes_of_all_kinds() -> None:
    messages = list(
        RerunMessages("past", KINDS, 1000).of(
            [
                ("gate", "W07-G1", AT, {"queue_trucks": 3.5, "wait_s": None}),
                ("passage", "W07-G1", AT, {"lane": 1.0, "direction": "in", "duration_s": 60.0}),
                ("gate", "W07-G2", AT, {"queue_trucks": 1.0}),
            ]
        )
    )
    assert [m.topic for m in messages] == [
        "vigie/1/readings/past/past.W07-G1/gate",
        "vigie/1/readings/past/past.W07-G1/passage",
        "vigie/1/readings/past/past.W07-G2/gate",
    ]
    said = [msgspec.json.decode(m.payload) for m in messages]
    assert [(one["boot"], one["seq"]) for one in said] == [(1000, 0), (1000, 1), (1000, 0)]
    assert "wait_s" not in said[0]
    assert messages[0].time_s == AT.timestamp()


def test_texts_that_are_to_be_forgotten_are_not_repeated() -> None:
    values = {"lane": 1.0, "direction": "in", "container": "CSQU3054383", "visit": "V-1", "duration_s": 60.0}
    (message,) = RerunMessages("past", KINDS, 0).of([("passage", "W07-G1", AT, values)])
    reading = PayloadCodec(KINDS["passage"]).decode(message.payload)
    assert not isinstance(reading, Rejected)
    assert (reading.container, reading.visit, reading.direction) == (None, None, "in")  # type: ignore[attr-defined]


def test_what_is_usual_is_copied_with_the_clock_it_goes_by() -> None:
    usual = UsualSpeed("W12-F1", 900, 0, np.full(672, 80, np.float32))
    plan = plan_rerun("past", PORT, [PORT.sensor_by_id["W12-F1"]], [], free_speeds={}, usual_speeds=[usual])
    assert plan.site.timezone == "Europe/Paris"
    assert [one.sensor for one in plan.usual_speeds] == ["past.W12-F1"]
    other = tuple(msgspec.structs.replace(s, timezone="UTC") if s.id == "W12" else s for s in PORT.sites)
    elsewhere = msgspec.structs.replace(PORT, sites=other)
    loops = [sensor for sensor in PORT.sensors if sensor.kind == "traffic"]
    assert not plan_rerun("past", elsewhere, loops, [], free_speeds={}, usual_speeds=[usual]).usual_speeds
