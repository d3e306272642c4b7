"""The rings of raw payloads: the last of each thing, redacted, within bounds whatever is sent."""

from __future__ import annotations

import pytest

from ingest.directory import Known
from ingest.quarantine import quarantined
from ingest.raw import RING, RawRings
from ingest.routing import Route
from ingest.transport import Frame
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec, Reason, Rejected

TRAFFIC = load_kinds()["traffic"]
CODEC = PayloadCodec(TRAFFIC)


class Routes(dict[str, Route]):
    def __missing__(self, topic: str) -> Route:
        known = Known("W01", topic.rsplit("/", maxsplit=1)[-1], TRAFFIC, wall=True)
        self[topic] = Route(known, CODEC.decode, CODEC.convert)
        return self[topic]


@pytest.fixture
def routes() -> Routes:
    found = Routes()
    for number in range(2000):
        found[f"t/{number}"]
    return found


def frame(number: int, topic: str = "t/1", payload: bytes = b"") -> Frame:
    return Frame(topic, payload or b'{"count":%d}' % number, number, token=number % 65_535)


def test_the_last_of_each_thing_are_kept_in_order(routes: Routes) -> None:
    rings = RawRings()
    rings.take([frame(n) for n in range(50)], routes)
    assert [raw.received_us for raw in rings.drain()] == list(range(50 - RING, 50))
    assert list(rings.drain()) == []


def test_what_was_rejected_says_why_and_nothing_about_people_is_in_it(routes: Routes) -> None:
    rings = RawRings()
    bad = frame(1, payload=b'{"plate":"AB-123-CD"}')
    rings.rejected(bad, quarantined(bad, "W01", "1", Rejected(Reason.NOT_IN_SCHEMA, "unknown field")))
    rings.take([frame(0), bad, frame(2, payload=b'{"driver":"x"}')], routes)
    found = list(rings.drain())
    assert [raw.reason for raw in found] == [None, "not_in_schema", None]
    assert [raw.redacted for raw in found] == [False, True, True]
    assert not any(b"AB-123" in raw.payload or b'"x"' in raw.payload for raw in found)


def test_things_that_nobody_knows_have_no_ring() -> None:
    rings = RawRings()
    rings.take([frame(1)], {})
    assert list(rings.drain()) == []


def test_a_flush_is_bounded_and_the_rest_comes_with_the_next(routes: Routes) -> None:
    rings = RawRings()
    rings.take([frame(n, f"t/{n % 100}") for n in range(2000)], routes)
    first, second = list(rings.drain(1000)), list(rings.drain(1000))
    assert (len(first), len(second)) == (1000, 1000)
    assert {raw.thing for raw in first}.isdisjoint({raw.thing for raw in second})


def test_memory_is_bounded_whatever_the_load(routes: Routes) -> None:
    rings = RawRings(held_bytes=1_000_000)
    for start in range(0, 60_000, 2000):
        rings.take([frame(start + n, f"t/{n}", b"x" * 1000) for n in range(2000)], routes)
    assert sum(len(raw.payload) for raw in rings.drain(10**6)) <= 11_000_000
