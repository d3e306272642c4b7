from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import msgspec
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from sensors.kind import load_kinds
from sensors.topics import parse_reading_topic
from simulators.faults.injection import Injection, InjectionError
from simulators.profile import PORT_TIME
from simulators.senders import Observe
from simulators.simulate import CATCH_UP_S, messages, simulate
from simulators.world import STEP_S, World

KINDS = load_kinds()
Message = tuple[str, bytes]
START = datetime(2026, 3, 2, 7, 30, tzinfo=PORT_TIME).timestamp()


class Clock:
    """Time that passes only in sleeps."""

    def __init__(self) -> None:
        self.at_s = START

    def now(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.at_s += seconds


async def run(seconds: float, clock: Clock | None = None, seed: int = 1) -> list[tuple[float, Message]]:
    clock = clock or Clock()
    world = World(shipped_catalogue(), KINDS, seed)
    sent = []
    async for message in simulate(world, KINDS, now=clock.now, sleep=clock.sleep, seed=seed):
        if clock.at_s > START + seconds:
            return sent
        sent.append((clock.at_s - START, message))
    raise AssertionError("the simulation has no end")


def thing(message: Message) -> str:
    topic = parse_reading_topic(message[0])
    assert topic is not None
    return topic.thing


async def test_everything_has_sent_within_two_seconds() -> None:
    first = {thing(message) for _, message in await run(2)}
    assert len(first) == len(World(shipped_catalogue(), KINDS, 1).things)


async def test_sensors_send_at_their_period_spread_over_it() -> None:
    sent = [(at, message) for at, message in await run(300) if message[0].endswith("/traffic")]
    times = [at for at, message in sent if thing(message) == "W12-F1"]
    gaps = [after - before for before, after in pairwise(times)]
    assert 30 <= gaps[0] <= 60
    assert all(abs(gap - 30) < 0.01 for gap in gaps[1:])
    late = [at for at, _ in sent if 120 <= at < 150]
    assert len({int(at) for at in late}) > 15


async def test_each_thing_counts_its_messages_and_tells_its_health() -> None:
    messages = [message for _, message in await run(120)]
    payloads = [msgspec.json.decode(m[1]) for m in messages if thing(m) == "W05-G1"]
    assert [payload["seq"] for payload in payloads] == list(range(len(payloads)))
    assert {payload["boot"] for payload in payloads} == {int(START)}
    assert "health" in payloads[0]
    assert any("visit" in payload for payload in payloads)


async def test_the_same_seed_and_clock_give_the_same_bytes() -> None:
    assert await run(90) == await run(90)
    assert await run(90, seed=2) != await run(90)


async def test_a_short_stop_is_caught_up_and_a_long_one_starts_anew() -> None:
    for stop_s, boots in ((CATCH_UP_S - 100, 1), (CATCH_UP_S + 3600, 2)):
        clock = Clock()
        world = World(shipped_catalogue(), KINDS, 1)
        payloads = []
        async for message in simulate(world, KINDS, now=clock.now, sleep=clock.sleep, seed=1):
            if thing(message) == "W12-F1":
                payloads.append(msgspec.json.decode(message[1]))
                if len(payloads) == 3:
                    clock.at_s += stop_s
            if len(payloads) == 12:
                break
        assert len({payload["boot"] for payload in payloads}) == boots


def as_fast_as_possible(
    seconds: float, *injections: Injection, seed: int = 1, observe: Observe | None = None
) -> list[tuple[float, Message]]:
    world = World(shipped_catalogue(), KINDS, seed)
    made = messages(
        world, KINDS, start_s=START, end_s=START + seconds, seed=seed, injections=injections, observe=observe
    )
    return [(message.time_s, (message.topic, message.payload)) for message in made]


async def test_as_fast_as_possible_or_in_real_time_the_bytes_are_the_same() -> None:
    made = as_fast_as_possible(90)
    assert [message for _, message in made] == [message for at_s, message in await run(90) if at_s < 90]
    times = [at_s for at_s, _ in made]
    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] < START + 90


def test_every_step_of_the_world_is_shown_once() -> None:
    steps: list[float] = []
    as_fast_as_possible(600, observe=lambda world: steps.append(world.view().at_s))
    assert steps == [START + STEP_S * step for step in range(1, 21)]


def test_a_fault_that_cannot_be_is_refused_at_once() -> None:
    world = World(shipped_catalogue(), KINDS, 1)
    with pytest.raises(InjectionError, match="'W99-F1'"):
        messages(
            world,
            KINDS,
            start_s=START,
            end_s=START + 60,
            seed=1,
            injections=[Injection(Fault.SILENT, "W99-F1", START, START + 60)],
        )
