from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from datetime import datetime
from typing import Any

import msgspec
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from simulators.manner import Manner
from simulators.profile import PORT_TIME
from simulators.simulate import simulate
from simulators.world import Thing, World

KINDS = load_kinds()
START = datetime(2026, 3, 2, 7, 30, tzinfo=PORT_TIME).timestamp()
Sent = dict[tuple[str, str], list[dict[str, Any]]]


async def sent(manner: Manner | None, seconds: float = 130) -> Sent:
    """What everybody sends from 07:30 on a Monday, by thing and kind."""
    now, found = [START], Sent()
    world = World(shipped_catalogue(), KINDS, 1)

    async def sleep(duration: float) -> None:
        now[0] += duration

    async for topic, payload in simulate(world, KINDS, now=lambda: now[0], sleep=sleep, seed=1, manner=manner):
        if now[0] > START + seconds:
            break
        _, _, _, _, thing, kind = topic.split("/")
        found.setdefault((thing, kind), []).append(msgspec.json.decode(payload))
    return found


def intervals(readings: list[dict[str, Any]]) -> list[float]:
    times = [datetime.fromisoformat(reading["time"]).timestamp() for reading in readings]
    # The second interval is longer by the phase.
    return [late - early for early, late in itertools.pairwise(times)][1:]


@pytest.fixture(scope="module")
def ordinary() -> Sent:
    return asyncio.run(sent(None))


async def test_only_the_chosen_send_and_a_gate_brings_its_passages(ordinary: Sent) -> None:
    found = await sent(Manner(only={"W07-G1", "W17-W15"}))
    assert {thing for thing, _ in found} == {"W07-G1", "W17-W15"}
    passages = [reading["time"] for reading in found["W07-G1", "passage"]]
    assert passages == [reading["time"] for reading in ordinary["W07-G1", "passage"]]
    numbers = [reading["seq"] for (thing, _), readings in found.items() if thing == "W07-G1" for reading in readings]
    assert sorted(numbers) == list(range(len(numbers))), "numbers have no holes"


async def test_a_choice_of_everything_changes_no_byte(ordinary: Sent) -> None:
    assert await sent(Manner(only={thing for thing, _ in ordinary})) == ordinary


async def test_a_rate_shortens_every_interval() -> None:
    found = await sent(Manner(only={"W07-G1", "W08-S1"}, rate=10))
    assert intervals(found["W07-G1", "gate"]) == pytest.approx([3] * len(intervals(found["W07-G1", "gate"])))
    assert intervals(found["W08-S1", "crane"]) == pytest.approx([6] * len(intervals(found["W08-S1", "crane"])))


async def test_between_two_steps_of_the_world_a_reading_repeats_the_one_before() -> None:
    readings = (await sent(Manner(only={"W12-F1"}, every_s=1)))["W12-F1", "traffic"]
    by_step = defaultdict(set)
    for reading in readings:
        time = datetime.fromisoformat(reading["time"]).timestamp()
        values = {name: value for name, value in reading.items() if name not in {"time", "seq", "boot", "health"}}
        by_step[time // 30].add(tuple(sorted(values.items())))
    assert len(by_step) >= 4
    assert all(len(values) == 1 for values in by_step.values())
    assert any(value for values in by_step.values() for value in values if dict(value)["count"])


async def test_jitter_varies_every_interval_within_its_share() -> None:
    found = intervals((await sent(Manner(only={"W12-F1"}, every_s=2, jitter=0.5)))["W12-F1", "traffic"])
    assert min(found) >= 1 - 0.002
    assert max(found) <= 3 + 0.002
    assert len(set(found)) > len(found) / 2
    assert sum(found) / len(found) == pytest.approx(2, abs=0.2)


async def test_what_is_set_is_said_and_the_rest_comes_from_the_world(ordinary: Sent) -> None:
    said = {"W07-G1": {"queue_trucks": 40, "wait_s": None}}
    found = (await sent(Manner(only={"W07-G1", "W07-G2"}, said=said), 100))["W07-G1", "gate"]
    assert {reading["queue_trucks"] for reading in found} == {40}
    assert all("wait_s" not in reading for reading in found)
    assert [r["lanes_open"] for r in found] == [r["lanes_open"] for r in ordinary["W07-G1", "gate"]][: len(found)]


async def test_a_thing_that_the_world_does_not_have_says_only_what_is_set() -> None:
    bin_ = Thing("W07", "W07-T1", "wind", 10)
    found = await sent(Manner(only={"W07-T1"}, said={"W07-T1": {"mean_ms": 3.5}}, extra=(bin_,)), 60)
    assert list(found) == [("W07-T1", "wind")]
    assert {reading["mean_ms"] for reading in found["W07-T1", "wind"]} == {3.5}
    assert set(found["W07-T1", "wind"][1]) == {"time", "boot", "seq", "mean_ms"}
