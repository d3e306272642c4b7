"""Faults of the way to the broker and of the payload, each at a sensor of its own, through the decoder of ingest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode import BatchBuilder
from ingest.directory import CatalogueDirectory
from ingest.routing import Router
from ingest.transport import MAX_PACKET_BYTES, Frame
from sensors.catalogue import Catalogue, Sensor, shipped_catalogue
from sensors.fault import Fault
from sensors.kind import load_kinds
from sensors.payload import Reason
from sensors.topics import parse_reading_topic
from simulators.faults.injection import Injection, InjectionError, check_all, touched
from simulators.faults.sizes import SIZES
from simulators.message import Message
from simulators.profile import PORT_TIME
from simulators.simulate import messages
from simulators.world import World

KINDS = load_kinds()
CATALOGUE = shipped_catalogue()
START = datetime(2026, 3, 2, 8, 0, tzinfo=PORT_TIME).timestamp()
NIGHT = datetime(2026, 3, 2, 0, 10, tzinfo=PORT_TIME).timestamp()
FROM_S, UNTIL_S, END_S = START + 600, START + 1800, START + 2700

AT = {
    Fault.SILENT: "W07-G1",
    Fault.INSUFFICIENT: "W01-F1",
    Fault.IDENTITY_SWAPPED: "W10-F1",
    Fault.DUPLICATE: "W02-F1",
    Fault.OUT_OF_ORDER: "W03-F1",
    Fault.LATE_BATCH: "W04-F1",
    Fault.COUNTER_RESET: "W11-F1",
    Fault.STALE_RETAINED: "W12-F1",
    Fault.TRUNCATED: "W13-F1",
    Fault.INVALID: "W05-G1",
    Fault.WRONG_TYPE: "W06-W1",
    Fault.OVERSIZED: "W09-P1",
    Fault.FUTURE: "W15-F1",
}
NEW_BOOT, NAMES_OTHER, TOO_LARGE, AHEAD = "W11-F2", "W07-G2", "W09-P2", "W15-F2"


def injections() -> list[Injection]:
    alone = [Injection(fault, where, FROM_S, UNTIL_S) for fault, where in AT.items()]
    sized = [
        Injection(Fault.COUNTER_RESET, NEW_BOOT, FROM_S, UNTIL_S, 1),
        Injection(Fault.IDENTITY_SWAPPED, NAMES_OTHER, FROM_S, UNTIL_S, 1),
        Injection(Fault.OVERSIZED, TOO_LARGE, FROM_S, UNTIL_S, 2 * MAX_PACKET_BYTES),
        Injection(Fault.DAYLIGHT_SAVING, AHEAD, FROM_S, UNTIL_S),
    ]
    wide = [Injection(Fault.NETWORK_DOWN, "east", FROM_S, UNTIL_S), Injection(Fault.SITE_DOWN, "W20", FROM_S, UNTIL_S)]
    return [*alone, *sized, *wide]


class Run:
    """All messages of one run."""

    def __init__(self, *injected: Injection, start_s: float = START, end_s: float = END_S, seed: int = 1) -> None:
        self.views: list[bytes] = []
        world = World(CATALOGUE, KINDS, seed)

        def see(world: World) -> None:
            view = world.view()
            shown = [view.speed_ratio, view.vehicles, view.gate_queue, view.gate_wait_s, view.yard_teu]
            self.views.append(b"".join(array.tobytes() for array in shown) + repr(world.balance()).encode())

        made = messages(world, KINDS, start_s=start_s, end_s=end_s, seed=seed, injections=injected, observe=see)
        self.all = list(made)

    def on(self, thing: str, from_s: float = START, until_s: float = END_S) -> list[Message]:
        return [m for m in self.all if thing_of(m) == thing and from_s <= m.time_s < until_s]

    def of_fault(self, fault: Fault) -> list[Message]:
        return self.on(AT[fault], FROM_S, UNTIL_S)


def thing_of(message: Message) -> str:
    topic = parse_reading_topic(message.topic)
    assert topic is not None
    return topic.thing


def numbers(some: list[Message]) -> list[tuple[int, int]]:
    payloads = [msgspec.json.decode(message.payload) for message in some]
    return [(payload["boot"], payload["seq"]) for payload in payloads]


@pytest.fixture(scope="module")
def clean() -> Run:
    return Run()


@pytest.fixture(scope="module")
def faulty() -> Run:
    return Run(*injections())


async def reasons(some: list[Message]) -> Mapping[Reason | None, int]:
    """How ingest takes messages: readings that are stored under None."""

    async def load() -> Catalogue:
        return CATALOGUE

    router = Router(KINDS, CatalogueDirectory(KINDS, CATALOGUE, load), lambda: 0.0)
    await router.prepare({message.topic for message in some})
    builder = BatchBuilder(0, KINDS, router)
    for message in some:
        assert builder.add([Frame(message.topic, message.payload, int(message.time_s * 1e6), 1, 1)]) == 1
    batch = builder.finish()
    return Counter([entry.reason for entry in batch.quarantined] + [None] * sum(len(c.time_us) for c in batch.columns))


def test_the_world_is_the_same_with_faults_and_without(clean: Run, faulty: Run) -> None:
    assert len(clean.views) == (END_S - START) / 30
    assert faulty.views == clean.views


def test_faults_are_the_same_to_the_byte_each_time(faulty: Run) -> None:
    assert Run(*injections()).all == faulty.all


def test_what_reaches_the_broker_is_in_order_of_time(faulty: Run) -> None:
    times = [message.time_s for message in faulty.all]
    assert times == sorted(times)


def test_a_silent_sensor_says_nothing_and_goes_on_counting_where_it_ended(faulty: Run) -> None:
    assert faulty.of_fault(Fault.SILENT) == []
    seqs = [seq for _, seq in numbers(faulty.on(AT[Fault.SILENT]))]
    assert seqs == list(range(len(seqs)))


@pytest.mark.parametrize("place", ["east", "W20"])
def test_a_place_that_is_down_loses_all_its_messages_with_their_numbers(place: str, clean: Run, faulty: Run) -> None:
    basin = {site.id: site.basin for site in CATALOGUE.sites}
    there = {thing_of(m) for m in clean.all if (site := m.topic.split("/")[3]) == place or basin[site] == place}
    assert there
    for thing in there:
        assert faulty.on(thing, FROM_S, UNTIL_S) == []
        lived = [m for m in clean.on(thing) if not FROM_S <= m.time_s < UNTIL_S]
        assert faulty.on(thing) == lived


def test_a_place_that_is_down_may_have_sensors_that_nobody_simulates() -> None:
    bin_ = Sensor(id="W20-T1", site="W20", kind="waste_bin")
    catalogue = msgspec.structs.replace(CATALOGUE, sensors=(*CATALOGUE.sensors, bin_))
    down = Injection(Fault.SITE_DOWN, "W20", NIGHT, NIGHT + 60)
    made = messages(World(catalogue, KINDS, 1), KINDS, start_s=NIGHT, end_s=NIGHT + 30, seed=1, injections=[down])
    assert "W20" not in {message.topic.split("/")[3] for message in made}


def test_too_few_samples_arrive_and_those_that_do_are_right(clean: Run, faulty: Run) -> None:
    some, whole = faulty.of_fault(Fault.INSUFFICIENT), clean.on(AT[Fault.INSUFFICIENT], FROM_S, UNTIL_S)
    assert 0.1 * len(whole) < len(some) < 0.6 * len(whole)
    assert set(some) < set(whole)


def test_one_sensor_publishes_on_the_topic_of_another_which_goes_on(clean: Run, faulty: Run) -> None:
    assert faulty.of_fault(Fault.IDENTITY_SWAPPED) == []
    theirs = faulty.on("W10-F2", FROM_S, UNTIL_S)
    own = clean.on("W10-F2", FROM_S, UNTIL_S)
    assert set(own) < set(theirs)
    assert [m.payload for m in theirs if m not in own] == [m.payload for m in clean.on("W10-F1", FROM_S, UNTIL_S)]


async def test_a_payload_that_names_another_sensor_is_refused_as_such(faulty: Run) -> None:
    some = faulty.on(NAMES_OTHER, FROM_S, UNTIL_S)
    assert await reasons(some) == {Reason.IDENTITY: len(some)}


def test_a_duplicate_is_the_same_bytes_twice(clean: Run, faulty: Run) -> None:
    where = AT[Fault.DUPLICATE]
    payloads = Counter(m.payload for m in faulty.on(where))
    assert {payload for payload, times in payloads.items() if times == 2} == {
        m.payload for m in clean.on(where, FROM_S, UNTIL_S)
    }
    assert set(payloads.values()) == {1, 2}


def test_out_of_order_messages_all_arrive_and_overtake_each_other(clean: Run, faulty: Run) -> None:
    where = AT[Fault.OUT_OF_ORDER]
    assert sorted(numbers(faulty.on(where))) == numbers(clean.on(where))
    assert sum(later < earlier for earlier, later in pairwise(numbers(faulty.on(where)))) > 5


def test_a_late_batch_is_nothing_and_then_everything_at_once_in_order(clean: Run, faulty: Run) -> None:
    where = AT[Fault.LATE_BATCH]
    assert faulty.of_fault(Fault.LATE_BATCH) == []
    late = faulty.on(where, UNTIL_S, UNTIL_S + 1)
    missed = clean.on(where, FROM_S, UNTIL_S)
    assert [m.payload for m in late][: len(missed)] == [m.payload for m in missed]
    assert len(missed) == 40


def test_a_counter_restarts_within_its_boot_or_with_a_new_one(faulty: Run) -> None:
    within, anew = numbers(faulty.of_fault(Fault.COUNTER_RESET)), numbers(faulty.on(NEW_BOOT, FROM_S, UNTIL_S))
    assert [seq for _, seq in within] == [seq for _, seq in anew] == [*range(20), *range(20)]
    assert {boot for boot, _ in within} == {int(START)}
    assert len({boot for boot, _ in anew} - {int(START)}) == 2


def test_a_stale_message_comes_again_at_each_reconnect(clean: Run, faulty: Run) -> None:
    before = clean.on(AT[Fault.STALE_RETAINED], START, FROM_S)[-1]
    again = [m for m in faulty.of_fault(Fault.STALE_RETAINED) if m.payload == before.payload]
    assert [round((m.time_s - FROM_S) / 600) for m in again] == [0, 1]
    assert len(faulty.of_fault(Fault.STALE_RETAINED)) == 40 + len(again)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.TRUNCATED, Reason.TRUNCATED),
        (Fault.INVALID, Reason.MALFORMED),
        (Fault.WRONG_TYPE, Reason.WRONG_TYPE),
        (Fault.OVERSIZED, Reason.OVERSIZED),
    ],
)
async def test_a_payload_that_is_no_reading_is_refused(fault: Fault, reason: Reason, clean: Run, faulty: Run) -> None:
    some = faulty.of_fault(fault)
    assert await reasons(some) == {reason: len(some)}
    assert len(some) == len(clean.on(AT[fault], FROM_S, UNTIL_S))
    assert len({message.payload for message in some}) > 1


def test_an_oversized_payload_can_be_larger_than_any_packet_that_is_taken(faulty: Run) -> None:
    assert all(len(m.payload) > 2 * MAX_PACKET_BYTES for m in faulty.on(TOO_LARGE, FROM_S, UNTIL_S))


async def test_readings_from_the_future_are_refused_single_ones_or_all(faulty: Run) -> None:
    some = await reasons(faulty.of_fault(Fault.FUTURE))
    assert 0 < some[Reason.FUTURE] < some[None]
    assert set(await reasons(faulty.on(AHEAD, FROM_S, UNTIL_S))) == {Reason.FUTURE}


QUIET = Run(start_s=NIGHT, end_s=NIGHT + 300)
PLACES = [*(s.id for s in CATALOGUE.sensors), *(c.id for c in CATALOGUE.corridors), "W03", "W15", "east"]


@st.composite
def injected(draw: st.DrawFn) -> Injection:
    fault, start = draw(st.sampled_from(list(Fault))), draw(st.integers(-60, 240))
    size = SIZES.get(fault)
    sizes = st.none() if size is None else st.sampled_from([None, *size.drawn])
    lasts = draw(st.integers(1, 600))
    return Injection(fault, draw(st.sampled_from(PLACES)), NIGHT + start, NIGHT + start + lasts, draw(sizes))


def possible(some: list[Injection]) -> list[Injection]:
    """As many of them as can be together."""
    kept: list[Injection] = []
    for one in some:
        try:
            check_all([*kept, one], CATALOGUE)
        except InjectionError:
            continue
        kept.append(one)
    return kept


@settings(max_examples=25, deadline=None)
@given(st.lists(injected(), min_size=1, max_size=30).map(possible))
def test_whatever_is_injected_the_bytes_of_all_other_sensors_stay(some: list[Injection]) -> None:
    spoiled = {thing for injection in some for thing in touched(injection, CATALOGUE)}
    run = Run(*some, start_s=NIGHT, end_s=NIGHT + 300)
    assert run.views == QUIET.views
    assert [m for m in run.all if thing_of(m) not in spoiled] == [m for m in QUIET.all if thing_of(m) not in spoiled]
